{#- Grain: funnel x grain x start date whose attempts this build may change.
    A touched date can change attempts that started up to the funnel's window before it. Sessions are short: it can cut anew
    those of the dates around it.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="table") }}
{%- set reach = session_reach_days() + 1 %}

with funnels as (
    select distinct funnel_id, grain, window_days
    from {{ ref("int_funnel_step_types") }}
),

-- The window is counted in hours: where clocks are put forward, it ends one calendar day later than the days say.
reaches as (
    select
        funnel_id,
        grain,
        case when grain = 'session' then {{ reach }} else window_days + 1 end as days_before,
        case when grain = 'session' then {{ reach }} else 0 end as days_after
    from funnels
),

touched as (
    select
        reaches.funnel_id,
        reaches.grain,
        {{ explode_days(
            add_days("dates.touched_date", "-reaches.days_before"), add_days("dates.touched_date", "reaches.days_after")
        ) }} as start_at
    from {{ ref("int_touched_dates") }} as dates
    cross join reaches
),

-- Rare: a session over more than one midnight may start, or go on, further away than that.
long_sessions as (
    select distinct sessions.session_date, sessions.midnight_count
    from {{ ref("fct_sessions") }} as sessions
    inner join {{ ref("int_touched_dates") }} as dates
        on dates.touched_date between {{ add_days("sessions.session_date", -session_reach_days()) }}
        and {{ add_days("sessions.session_date", "sessions.midnight_count + " ~ session_reach_days()) }}
    where sessions.midnight_count > 1
),

touched_by_sessions as (
    select
        reaches.funnel_id,
        reaches.grain,
        {{ explode_days("sessions.session_date", add_days("sessions.session_date", "sessions.midnight_count")) }} as start_at
    from long_sessions as sessions
    cross join reaches
    where reaches.grain = 'session'
),

unioned as (
    select funnel_id, grain, cast(start_at as date) as start_date from touched
    union
    select funnel_id, grain, cast(start_at as date) as start_date from touched_by_sessions
)

select funnel_id, grain, start_date
from unioned
where start_date <= {{ as_of_date() }}
