{#- Grain: funnel x grain x step x event type.
    The catalogue of funnels, one row per grain that a funnel is counted at and event type that serves a step.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="view") }}

with funnels as (
    select
        funnel_id,
        trim({{ explode_list("grains") }}) as grain,
        coalesce(window_days, {{ var("funnel_window_days") }}) as window_days
    from {{ ref("funnels") }}
),

listed as (
    select funnel_id, step, step_name, {{ explode_list("event_types") }} as event_type
    from {{ ref("funnel_steps") }}
),

distinct_types as (
    select distinct listed.funnel_id, listed.step, listed.step_name, types.event_type, types.serves_as, types.only_where
    from listed
    inner join {{ ref("funnel_event_types") }} as types on trim(listed.event_type) = types.event_type
),

events_by_funnel as (
    select funnel_id, serves_as, count(distinct step) as step_count
    from distinct_types
    group by funnel_id, serves_as
),

-- Where one event could serve two steps, which event serves which has to be remembered; elsewhere times suffice.
shared as (
    select funnel_id, max(step_count) > 1 as has_shared_types
    from events_by_funnel
    group by funnel_id
)

select
    distinct_types.funnel_id,
    funnels.grain,
    distinct_types.step,
    distinct_types.step_name,
    distinct_types.event_type,
    distinct_types.serves_as,
    distinct_types.only_where,
    cast(funnels.window_days as integer) as window_days,
    shared.has_shared_types
from distinct_types
inner join shared on distinct_types.funnel_id = shared.funnel_id
inner join funnels on distinct_types.funnel_id = funnels.funnel_id
