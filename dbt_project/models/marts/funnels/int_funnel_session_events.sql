{#- Grain: session x event type x event in it.
    What serves a step at grain session: traffic events of the session, and moments of its person's orders while it lasted.
    Sessions that this build does not compute anew are left out.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="view") }}

with served as (
    select distinct event_type, serves_as, only_where
    from {{ ref("int_funnel_step_types") }}
    where grain = 'session'
),

-- A session's days, so that events look for theirs among the sessions of one visitor and day.
session_days as (
    select
        session_id,
        visitor_id,
        person_id,
        session_date,
        started_at,
        ended_at,
        {{ explode_days("session_date", "last_date") }} as day_at
    from {{ ref("int_funnel_sessions") }}
),

sessions as (
    select session_id, visitor_id, person_id, session_date, started_at, ended_at, cast(day_at as date) as event_date
    from session_days
),

order_moments as (
    {{ funnel_order_moments(ref("fct_orders"), "session") }}
),

session_events as (
    select
        sessions.person_id, sessions.session_id as scope_key, served.event_type, events.event_id, events.event_key,
        events.source, events.device, events.category_id, sessions.session_date as attempt_date, events.event_date,
        events.event_at
    from {{ ref("int_events") }} as events
    inner join served on events.event_type = served.serves_as
    inner join sessions
        on
            events.visitor_id = sessions.visitor_id and events.event_date = sessions.event_date
            and events.event_at between sessions.started_at and sessions.ended_at
    where served.only_where is null or {{ is_content_source("events.source") }}
    union all
    select
        sessions.person_id, sessions.session_id, served.event_type, moments.event_id, moments.event_key, null, null,
        moments.category_id, sessions.session_date, moments.event_date, moments.event_at
    from order_moments as moments
    inner join served on moments.serves_as = served.serves_as
    inner join sessions
        on
            moments.person_id = sessions.person_id and moments.event_date = sessions.event_date
            and moments.event_at between sessions.started_at and sessions.ended_at
    where {{ order_serves("served", "moments") }}
)

select
    cast('session' as varchar) as grain,
    person_id,
    scope_key,
    event_type,
    event_id,
    event_key,
    cast(source as varchar) as source,
    cast(device as varchar) as device,
    cast(category_id as varchar) as category_id,
    attempt_date,
    event_date,
    event_at
from session_events
where event_date <= {{ as_of_date() }}
