{#-
    Grain: one session of a visitor: events with no gap longer than `session_gap_minutes`; midnight is no wall.
    Only sessions within reach of a changed event are cut anew; the others cannot have changed.
    Definition: docs/definitions/sessions.md
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_sessions',
    on_schema_change='fail'
) }}
{{ require_full_work_tables() }}
-- Depends on {{ ref('int_touched_visitor_days') }} for the changed events.

with

{% if adds_to_history() -%}

stretches as (

    select visitor_id, first_changed_at as started_at, last_changed_at as ended_at
    from {{ ref('int_touched_visitor_days') }}
    union all
    select visitor_id, started_at, ended_at
    from ({{ sessions_in_reach() }}) as sessions_in_reach

),

{%- endif %}

events as (

    select * from {{ ref('int_events') }} as events
    where
        events.event_date <= {{ as_of_date() }}
        {%- if adds_to_history() %}
        and {{ in_literals('events.event_date', session_event_dates()) }}
        and exists (
            select 1 from stretches
            where
                stretches.visitor_id = events.visitor_id
                and events.event_at between stretches.started_at and stretches.ended_at
        )
        {%- endif %}

),

-- A session starts where no event lies within one gap before; ties of time have a fixed order.
opened as (

    select
        *,
        case
            when event_at <= {{ add_seconds('lag(event_at) over in_order', var('session_gap_minutes') ~ ' * 60') }}
                then null
            else event_at
        end as opened_at
    from events
    window in_order as (partition by visitor_id order by event_at, event_id nulls last, event_type, event_key)

),

-- The start of an event's session is the latest start so far.
assigned as (

    select
        *,
        max(opened_at) over (
            partition by visitor_id order by event_at, event_id nulls last, event_type, event_key
            rows between unbounded preceding and current row
        ) as started_at
    from opened

),

sessions as (

    select
        visitor_id,
        max(case when opened_at is not null then source end) as source,
        max(case when opened_at is not null then campaign end) as campaign,
        max(case when opened_at is not null then device end) as device,
        count(*) as event_count,
        count(case when event_type = 'view' then 1 end) as view_count,
        count(case when event_type = 'cart' then 1 end) as cart_count,
        count(case when event_type = 'favourite' then 1 end) as favourite_count,
        min(event_date) as session_date,
        max(event_date) as last_event_date,
        started_at,
        max(event_at) as ended_at
    from assigned
    group by visitor_id, started_at

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    concat(visitor_id, '@', {{ timestamp_text('started_at') }}) as session_id,
    visitor_id,

    -- strings
    source,
    campaign,
    device,

    -- numerics
    event_count,
    view_count,
    cart_count,
    favourite_count,
    cast({{ days_between('session_date', 'last_event_date') }} as bigint) as midnight_count,

    -- dates
    session_date,

    -- timestamps
    started_at,
    ended_at

from sessions
