{#- Grain: session date x item x other item (the smaller first) viewed in one session; see the macro pair_count_ctes.
    The last affinity_days, by day, so that a day's build reads the sessions that it cut anew and no others.
    Definition: docs/definitions/affinity.md -#}
{{ config(
    schema="intermediate",
    materialized="incremental",
    incremental_strategy="replace_session_dates",
    touched_key="session_date",
    on_schema_change="fail",
) }}
-- Depends on {{ ref("int_touched_visitor_days") }} for the touched dates.

with sessions as (
    select session_id, visitor_id, session_date, last_event_date, started_at, ended_at
    from (
        select *, {{ add_days("session_date", "midnight_count") }} as last_event_date from {{ ref("fct_sessions") }}
    ) as sessions
    where
        session_date > {{ affinity_cutoff() }} and session_date <= {{ as_of_date() }}
        {%- if adds_to_history() %}
        and {{ in_literals("session_date", touched_session_dates()) }}
        {%- endif %}
),

baskets as (
    select distinct sessions.session_date, sessions.session_id as basket_id, events.item_id
    from sessions
    inner join {{ ref("fct_events") }} as events
        on
            sessions.visitor_id = events.visitor_id
            and events.event_at between sessions.started_at and sessions.ended_at
    where
        events.event_type = 'view' and events.item_id is not null
        and events.event_date >= (select min(session_date) from sessions)
        and events.event_date <= (select max(last_event_date) from sessions)
),

{{ pair_count_ctes("baskets", ["session_date"]) }}

select item_id, other_item_id, cast(basket_count as bigint) as session_count, session_date
from pair_counts
