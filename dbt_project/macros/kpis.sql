{#- What the models of what moved and of anomalies share. -#}

{#- A subquery: the first days of which the shop's traffic and orders are known; NULL for a group that it does not have. -#}
{% macro kpi_first_dates() -%}
    (
        select
            min(case when visitors > 0 then business_date end) as first_traffic_date,
            min(case when orders_placed > 0 then business_date end) as first_order_date
        from {{ ref("agg_shop_kpis__by_day") }}
    )
{%- endmacro %}

{#-
    A subquery: the two periods of every comparison (seed kpi_comparisons), the current one ending on D, and what is known of
    all of their days: a day before the first event or order is not a day without any. `is_complete`: of the previous
    period all is known that the shop tells.
-#}
{% macro kpi_comparison_periods() -%}
    (
        select
            dated.*,
            concat(dated.comparison, ':current') as current_period_id,
            concat(dated.comparison, ':previous') as previous_period_id,
            {%- for name in ["current", "previous"] %}
            coalesce(dated.{{ name }}_start_date >= firsts.first_traffic_date, false) as knows_traffic_{{ name }},
            coalesce(dated.{{ name }}_start_date >= firsts.first_order_date, false) as knows_orders_{{ name }},
            {%- endfor %}
            coalesce(
                dated.previous_start_date >= greatest(
                    coalesce(firsts.first_traffic_date, firsts.first_order_date),
                    coalesce(firsts.first_order_date, firsts.first_traffic_date)
                ), false
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
        cross join {{ kpi_first_dates() }} as firsts
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

{#-
    CTEs `mixed`, `shares`, `floored`, `ranked` and `factor_effects`: by how many whole cents each of three factors moved an
    amount. `factored` must have the `keys`, `total_<n>`, `part_<n>`, `rate_part_<n>`, `rate_amount_<n>` for n in 0, 1 (whole
    millionths, divisors above 0); `factor_effects` has the keys, `factor` (0, 1, 2) and `effect_cents`, which are the change.
-#}
{% macro factor_effect_ctes(factored, keys) -%}
{%- set key_list = keys | join(", ") -%}
mixed as (
    select
        {{ key_list }},
        {% for now in ["000", "001", "010", "011", "100", "101", "110", "111"] -%}
        {{ renqun.amount_with_factors(now) }} as amount_{{ now }}{{ "," if not loop.last }}
        {% endfor %}
    from {{ factored }}
),

-- Six times millionths: sixty thousand are a cent.
shares as (
    {% for factor in [0, 1, 2] -%}
    select {{ key_list }}, {{ factor }} as factor, {{ renqun.six_times_effect(factor) }} as share
    from mixed
    {{ "union all" if not loop.last }}
    {% endfor %}
),

floored as (
    select
        *,
        {{ renqun.floor_div("share", "60000") }} as floor_cents,
        {{ renqun.floor_mod("share", "60000") }} as remainder
    from shares
),

-- The cents that rounding down leaves go to the largest remainders, ties in the order of the factors.
ranked as (
    select
        *,
        {{ renqun.floor_div("sum(remainder) over (partition by " ~ key_list ~ ")", "60000") }} as cents_left,
        row_number() over (partition by {{ key_list }} order by remainder desc, factor) as remainder_rank
    from floored
),

factor_effects as (
    select {{ key_list }}, factor, floor_cents + case when remainder_rank <= cents_left then 1 else 0 end as effect_cents
    from ranked
)
{%- endmacro %}
