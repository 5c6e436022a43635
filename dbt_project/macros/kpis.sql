{#- What the models of what moved share. -#}

{#-
    A subquery: the two periods of every comparison (seed kpi_comparisons), the current one ending on D. `is_complete`: the
    shop's calendar holds both, so that a day before the shop's first is never taken for a day without sales.
-#}
{% macro kpi_comparison_periods() -%}
    (
        select
            comparison,
            current_start_date,
            current_end_date,
            previous_start_date,
            previous_end_date,
            coalesce(
                previous_start_date >= (select min(days.calendar_date) from {{ ref("int_calendar_days") }} as days), false
            ) as is_complete
        from (
            select
                comparison,
                {{ add_days(as_of_date(), "1 - period_days") }} as current_start_date,
                {{ as_of_date() }} as current_end_date,
                {{ add_days(as_of_date(), "1 - period_days - shift_days") }} as previous_start_date,
                {{ add_days(as_of_date(), "- shift_days") }} as previous_end_date
            from {{ ref("kpi_comparisons") }}
        ) as dated
    )
{%- endmacro %}

{#-
    What an amount would be with some of its three factors as they are now and the others as they were: total x (part / total)
    x (amount / part). `now` says of each factor 0 (before) or 1 (now). Whole millionths, rounded down.
-#}
{% macro amount_with_factors(now) -%}
    {%- set per_part = renqun.floor_div("rate_amount_" ~ now[2] ~ " * part_" ~ now[1], "rate_part_" ~ now[2]) -%}
    {{ renqun.floor_div(per_part ~ " * total_" ~ now[0], "total_" ~ now[1]) }}
{%- endmacro %}

{#-
    Six times what changing one factor (0, 1 or 2) adds, on average over all orders in which the three can be changed
    (Shapley): columns `amount_000` to `amount_111` hold the mixed amounts. The three of them are six times the change.
-#}
{% macro six_times_effect(factor) -%}
    {%- set terms = [] -%}
    {%- for first, second in [(0, 0), (0, 1), (1, 0), (1, 1)] -%}
        {%- set others = [first, second] -%}
        {%- set without = others[:factor] + [0] + others[factor:] -%}
        {%- set with_it = others[:factor] + [1] + others[factor:] -%}
        {%- do terms.append(
            (2 if first == second else 1) ~ " * (amount_" ~ with_it | join ~ " - amount_" ~ without | join ~ ")"
        ) -%}
    {%- endfor -%}
    {{ terms | join(" + ") }}
{%- endmacro %}
