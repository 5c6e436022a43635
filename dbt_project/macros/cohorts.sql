{#- Cohorts: who began in the same month or week, followed period by period. One text for all marts of retention. -#}

{#- The first day of the `unit` (month, week) of a date. -#}
{% macro period_start(unit, date) -%}
    {{ return(renqun.week_of(date) if unit == "week" else renqun.month_of(date)) }}
{%- endmacro %}

{#- Whole calendar periods from one period's first day to another's. -#}
{% macro periods_between(unit, from_start, to_start) -%}
    {%- if unit == "week" -%}
        cast({{ renqun.floor_div(renqun.days_between(from_start, to_start), 7) }} as integer)
    {%- else -%}
        {{ return(renqun.months_between_months(from_start, to_start)) }}
    {%- endif -%}
{%- endmacro %}

{#- The last day of the period that begins on a date. -#}
{% macro period_end(unit, start) -%}
    {{ return(renqun.add_days(start, 6) if unit == "week" else "last_day(" ~ start ~ ")") }}
{%- endmacro %}

{#- The sums of a cell. -#}
{% macro cohort_sums() -%}
    {{ return(["paid_amount", "refunded_amount_by_order_date", "refunded_amount_by_refund_date", "net_amount"]) }}
{%- endmacro %}

{#- What each customer brought in each period, once for all cohorts that a customer is in. -#}
{% macro customer_periods(unit) -%}
    select
        customer_key,
        first_deal_date,
        {{ renqun.period_start(unit, "amount_date") }} as period_start,
        {%- for name in renqun.cohort_sums() %}
        sum({{ name }}) as {{ name }},
        {%- endfor %}
        max(case when deal_orders > 0 then 1 else 0 end) as has_deal
    from {{ ref("int_customer_deal_amounts") }}
    group by customer_key, first_deal_date, {{ renqun.period_start(unit, "amount_date") }}
{%- endmacro %}

{#-
    The CTEs from `cohorts` (keys, cohort_start, cohort_size; one row a cohort) and `amounts` (keys, cohort_start and the
    columns of `customer_periods`; a customer's period is one row) to `cells`: a row per cohort and period up to D, zeros
    included. What is dated before its cohort began counts in no cell.
-#}
{% macro cohort_cells(unit, keys=[]) -%}
{%- set keys = keys + ["cohort_start"] -%}
{%- set sums = renqun.cohort_sums() -%}
{%- set days = renqun.explode_days("min(cohort_start)", renqun.as_of_date()) -%}
periods as (
    select distinct {{ renqun.period_start(unit, "days.day_at") }} as period_start
    from (select {{ days }} as day_at from cohorts) as days
),

activity as (
    select
        {{ keys | join(", ") }},
        period_start,
        cast(sum(has_deal) as bigint) as retained_customers,
        {%- for name in sums %}
        sum({{ name }}) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from amounts
    group by {{ keys | join(", ") }}, period_start
),

dense as (
    select
        {%- for key in keys %}
        cohorts.{{ key }},
        {%- endfor %}
        {{ renqun.periods_between(unit, "cohorts.cohort_start", "periods.period_start") }} as period,
        cohorts.cohort_size,
        coalesce(activity.retained_customers, 0) as retained_customers,
        {%- for name in sums %}
        cast(coalesce(activity.{{ name }}, 0) as decimal(18, 2)) as {{ name }},
        {%- endfor %}
        {{ renqun.period_end(unit, "periods.period_start") }} <= {{ renqun.as_of_date() }} as is_complete
    from cohorts
    inner join periods on cohorts.cohort_start <= periods.period_start
    left join activity
        on
            {%- for key in keys %}
            cohorts.{{ key }} = activity.{{ key }} and
            {%- endfor %}
            periods.period_start = activity.period_start
),

accumulated as (
    select
        *,
        cast(sum(net_amount) over (
            partition by {{ keys | join(", ") }} order by period rows between unbounded preceding and current row
        ) as decimal(18, 2)) as cumulative_net_amount
    from dense
),

cells as (
    select
        *,
        {{ renqun.ratio("retained_customers", "cohort_size") }} as retention_rate,
        {{ renqun.ratio("cumulative_net_amount", "cohort_size") }} as ltv
    from accumulated
)
{%- endmacro %}

{#- The measures of `cells`, in the order of the marts. -#}
{% macro cohort_measures() -%}
    period,
    cohort_size,
    retained_customers,
    retention_rate,
    case when is_complete then retention_rate end as masked_retention_rate,
    paid_amount,
    refunded_amount_by_order_date,
    refunded_amount_by_refund_date,
    net_amount,
    cumulative_net_amount,
    ltv,
    case when is_complete then ltv end as masked_ltv,
    is_complete
{%- endmacro %}
