{#- Grain: calendar day from the first event or order to D.
    The spine of everything dense by day or month.
    Definition: docs/definitions/kpis.md -#}
{{ config(schema="intermediate", materialized="table") }}

with first_dates as (
    select min(event_date) as first_date
    from {{ ref("int_traffic_days") }}
    union all
    select min(ordered_date) as first_date
    from {{ ref("fct_orders") }}
    union all
    -- A platform may date a payment before its order; sales without a day would be lost.
    select min(paid_date) as first_date
    from {{ ref("fct_orders") }}
),

days as (
    select {{ explode_days("min(first_date)", as_of_date()) }} as day_at
    from first_dates
)

select cast(day_at as date) as calendar_date
from days
