{#- Grain: funnel x step x event type.
    The catalogue of steps (seed funnel_steps), one row per event type that serves a step.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="view") }}

with listed as (
    select funnel_id, step, step_name, {{ explode_list("event_types") }} as event_type
    from {{ ref("funnel_steps") }}
),

distinct_types as (
    select distinct funnel_id, step, step_name, trim(event_type) as event_type
    from listed
),

steps_by_type as (
    select funnel_id, event_type, count(*) as step_count
    from distinct_types
    group by funnel_id, event_type
),

-- Where one event could serve two steps, which event serves which has to be remembered; elsewhere times suffice.
shared as (
    select funnel_id, max(step_count) > 1 as has_shared_types
    from steps_by_type
    group by funnel_id
)

select
    distinct_types.funnel_id,
    distinct_types.step,
    distinct_types.step_name,
    distinct_types.event_type,
    shared.has_shared_types
from distinct_types
inner join shared on distinct_types.funnel_id = shared.funnel_id
