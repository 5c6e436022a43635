{#- Grain: start date whose counts this build may change.
    Touched start dates, and the days on which relinked visitors, or customers whose key changed, could have been part of an
    attempt.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="table") }}

with first_dates as (
    select min(visitors.first_event_date) as first_date
    from {{ ref("int_relinked_visitors") }} as relinked
    inner join {{ ref("dim_visitors") }} as visitors on relinked.visitor_id = visitors.visitor_id
    union all
    select min(event_date) as first_date
    from {{ ref("int_visitor_days") }}
    where customer_key in (select rekeyed.customer_key from {{ rekeyed_identifiers() }} as rekeyed)
),

windows as (
    select max(window_days) + 1 as reach
    from {{ ref("int_funnel_step_types") }}
),

relinked_days as (
    select {{ explode_days(add_days("min(dates.first_date)", "-max(windows.reach)"), as_of_date()) }} as start_at
    from first_dates as dates
    cross join windows
)

select start_date
from {{ ref("int_funnel_start_dates") }}
union
select cast(start_at as date) as start_date
from relinked_days
-- Depends on {{ ref("int_identifier_customers") }}.
