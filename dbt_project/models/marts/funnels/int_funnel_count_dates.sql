{#- Grain: start date whose counts this build may change.
    Touched start dates, and the days on which relinked visitors could have been part of an attempt.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="table") }}

with relinked_days as (
    select {{ explode_days(
        add_days("min(visitors.first_event_date)", -(var("funnel_window_days") + 1)), as_of_date()
    ) }} as start_at
    from {{ ref("int_relinked_visitors") }} as relinked
    inner join {{ ref("dim_visitors") }} as visitors on relinked.visitor_id = visitors.visitor_id
)

select start_date
from {{ ref("int_funnel_start_dates") }}
union
select cast(start_at as date) as start_date
from relinked_days
