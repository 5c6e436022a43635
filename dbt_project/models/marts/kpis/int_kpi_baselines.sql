{#- Grain: KPI x day of the report x day that it is compared with (NULL: none).
    What is usual: the same weekday of the weeks before, promotions left out; on a promotion's day the same day of the last one.
    Values are whole millionths. Definition: docs/definitions/anomalies.md -#}
{{ config(schema="intermediate", materialized="table") }}
{%- set counts = ["visitors", "buyers_paid", "orders_paid"] %}
{%- set amounts = ["paid_amount", "refunded_amount"] %}
{%- set ratios = [("conversion_rate", "buyers_paid", "visitors"), ("amount_per_buyer", "paid_amount", "buyers_paid")] %}

-- Before the first event or order nothing is known, which is not the same as 0.
with kpis as (
    select
        days.business_date,
        case when days.business_date >= firsts.first_traffic_date then days.visitors end as visitors,
        {%- for measure in ["buyers_paid", "orders_paid", "paid_amount", "refunded_amount"] %}
        case when days.business_date >= firsts.first_order_date then days.{{ measure }} end
            as {{ measure }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref("agg_shop_kpis__by_day") }} as days
    cross join {{ kpi_first_dates() }} as firsts
),

kpi_values as (
    {% for kpi in counts + amounts -%}
    select business_date, '{{ kpi }}' as kpi, {{ to_millionths(kpi) }} as kpi_value
    from kpis
    union all
    {% endfor -%}
    -- Ratios are rounded to millionths, halves up.
    {% for kpi, numerator, denominator in ratios -%}
    select
        business_date,
        '{{ kpi }}' as kpi,
        case
            when {{ denominator }} > 0
                then {{ floor_div("2 * " ~ to_millionths(numerator) ~ " + " ~ denominator, "2 * " ~ denominator) }}
        end as kpi_value
    from kpis
    {{ "union all" if not loop.last }}
    {% endfor %}
),

promotion_days as (
    select promotions.*, {{ explode_days("start_date", "end_date") }} as day_at
    from (
        select
            promotion_id, start_date, end_date,
            lag(start_date) over (partition by promotion_id order by start_date) as last_start_date,
            lag(end_date) over (partition by promotion_id order by start_date) as last_end_date
        from {{ ref("promotion_calendar") }}
    ) as promotions
),

-- Of promotions that share a day, the one that began last is the day's.
ranked as (
    select
        cast(day_at as date) as calendar_date,
        promotion_id,
        last_end_date,
        {{ add_days("last_start_date", days_between("start_date", "cast(day_at as date)")) }} as last_date,
        row_number() over (partition by cast(day_at as date) order by start_date desc, promotion_id) as promotion_rank
    from promotion_days
),

promoted as (
    select calendar_date, promotion_id, case when last_date <= last_end_date then last_date end as last_date
    from ranked
    where promotion_rank = 1
),

reported as (
    select
        kpi_values.business_date, kpi_values.kpi, kpi_values.kpi_value, promoted.promotion_id, promoted.last_date
    from kpi_values
    left join promoted on kpi_values.business_date = promoted.calendar_date
    where
        kpi_values.business_date <= {{ as_of_date() }}
        and kpi_values.business_date > {{ add_days(as_of_date(), "-" ~ var("anomaly_report_days")) }}
),

weeks as (
    {% for week in range(1, var("anomaly_weeks") + 1) -%}
    select {{ -7 * week }} as shift_days {{ "union all" if not loop.last }}
    {% endfor %}
),

compared as (
    select reported.business_date, reported.kpi, {{ add_days("reported.business_date", "weeks.shift_days") }} as baseline_date
    from reported
    cross join weeks
    where reported.promotion_id is null
    union all
    select business_date, kpi, last_date as baseline_date
    from reported
    where last_date is not null
),

baselines as (
    select compared.business_date, compared.kpi, compared.baseline_date, kpi_values.kpi_value as baseline_value
    from compared
    inner join reported on compared.business_date = reported.business_date and compared.kpi = reported.kpi
    inner join kpi_values on compared.baseline_date = kpi_values.business_date and compared.kpi = kpi_values.kpi
    left join promoted on compared.baseline_date = promoted.calendar_date
    -- A weekday that was a promotion's is no usual one.
    where
        kpi_values.kpi_value is not null
        and (reported.promotion_id is not null or promoted.calendar_date is null)
)

select
    reported.kpi,
    reported.promotion_id,
    cast(reported.kpi_value as decimal(38, 0)) as kpi_value,
    cast(baselines.baseline_value as decimal(38, 0)) as baseline_value,
    reported.business_date,
    baselines.baseline_date
from reported
left join baselines on reported.business_date = baselines.business_date and reported.kpi = baselines.kpi
