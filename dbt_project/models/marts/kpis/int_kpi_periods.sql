{#- Grain: period x calendar day of it.
    The days that are taken apart: both periods of every comparison (`day:current`), and as periods of one day (`2026-03-05`)
    unusual days and those that they are compared with: usual days cost nothing.
    Definition: docs/definitions/what-moved.md -#}
{{ config(schema="intermediate", materialized="table") }}

with periods as (
    select current_period_id as period_id, current_start_date as start_date, current_end_date as end_date
    from {{ kpi_comparison_periods() }} as current_periods
    union all
    select previous_period_id as period_id, previous_start_date as start_date, previous_end_date as end_date
    from {{ kpi_comparison_periods() }} as previous_periods
    where knows_traffic_previous or knows_orders_previous
),

period_days as (
    select period_id, start_date, {{ explode_days("start_date", "end_date") }} as day_at
    from periods
),

anomalies as (
    select business_date, kpi
    from {{ ref("int_kpi_days_judged") }}
    where is_anomaly and kpi not in ('conversion_rate', 'amount_per_buyer')
),

single_days as (
    select business_date as calendar_date
    from anomalies
    union
    select baselines.baseline_date as calendar_date
    from {{ ref("int_kpi_baselines") }} as baselines
    inner join anomalies on baselines.business_date = anomalies.business_date and baselines.kpi = anomalies.kpi
    where baselines.baseline_date is not null
)

select period_id, start_date, cast(day_at as date) as calendar_date
from period_days
union all
select cast(calendar_date as varchar) as period_id, calendar_date as start_date, calendar_date
from single_days
