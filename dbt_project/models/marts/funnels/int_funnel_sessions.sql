{#- Grain: session whose attempts this build computes anew; every session in a full build.
    A session's person is the only customer its events belong to; with none, or with several, the visitor.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="view") }}

with

{% if not is_full_build() -%}
dates_touched as (
    select distinct start_date
    from {{ ref("int_funnel_start_dates") }}
    where grain = 'session'
),

-- Who did something on a touched date, or whose customer did: a session holds the orders of its person.
visitors_near as (
    select visitor_id
    from {{ ref("int_touched_visitor_days") }}
    union
    select visitor_id
    from {{ ref("dim_visitors") }}
    where customer_key in (select person_id from {{ ref("int_funnel_touched_days") }})
    union
    select visitor_id
    from {{ ref("int_visitor_days") }}
    where customer_key in (select person_id from {{ ref("int_funnel_touched_days") }})
),

-- Whoever was linked anew, or names a customer whose key changed: their old sessions are somebody else's now.
visitors_touched as (
    select visitor_id
    from {{ ref("int_relinked_visitors") }}
    union
    select visitor_id
    from {{ ref("int_visitor_days") }}
    where customer_key in (select person_id from {{ ref("int_funnel_persons") }})
),
{%- endif %}

sessions as (
    select
        session_id, visitor_id, session_date, {{ add_days("session_date", "midnight_count") }} as last_date, started_at, ended_at
    from {{ ref("fct_sessions") }}
    {%- if not is_full_build() %}
    where
        visitor_id in (select visitor_id from visitors_touched)
        or (
            visitor_id in (select visitor_id from visitors_near)
            and (
                session_date in (select start_date from dates_touched)
                or {{ add_days("session_date", "midnight_count") }} in (select start_date from dates_touched)
            )
        )
    {%- endif %}
),

-- Of a visitor that belongs to one customer, all sessions do. Events of the others have to be asked one by one.
shared_visitors as (
    select distinct days.visitor_id
    from {{ ref("int_visitor_days") }} as days
    inner join {{ ref("dim_visitors") }} as visitors on days.visitor_id = visitors.visitor_id
    where days.customer_key is not null and visitors.customer_key is null
),

named as (
    select
        sessions.session_id,
        case when min(events.customer_key) = max(events.customer_key) then min(events.customer_key) end as customer_key
    from {{ ref("fct_events") }} as events
    inner join sessions
        on events.visitor_id = sessions.visitor_id and events.event_at between sessions.started_at and sessions.ended_at
    where events.visitor_id in (select visitor_id from shared_visitors)
    group by sessions.session_id
)

select
    sessions.session_id,
    sessions.visitor_id,
    coalesce(visitors.customer_key, named.customer_key, sessions.visitor_id) as person_id,
    sessions.session_date,
    sessions.last_date,
    sessions.started_at,
    sessions.ended_at
from sessions
left join {{ ref("dim_visitors") }} as visitors on sessions.visitor_id = visitors.visitor_id
left join named on sessions.session_id = named.session_id
-- Depends on {{ ref("int_funnel_start_dates") }}, {{ ref("int_touched_visitor_days") }}, {{ ref("int_relinked_visitors") }},
-- {{ ref("int_funnel_touched_days") }} and {{ ref("int_funnel_persons") }}.
