{#- Grain: funnel x grain x person x item x start date.
    Every attempt of every start date, with the highest step reached in the window.
    Definition: docs/definitions/funnels.md. Recomputes only touched start dates, and people whose visitors were relinked. -#}
{{ config(
    schema="intermediate",
    materialized="incremental",
    incremental_strategy="append",
    on_schema_change="fail",
    pre_hook="{{ delete_touched(
        'start_date in (select start_date from ' ~ ref('int_funnel_start_dates')
        ~ ') or person_id in (select person_id from ' ~ ref('int_funnel_persons') ~ ')'
    ) }}",
) }}
{%- set last_step = funnel_last_step() %}
{%- set funnel_events = "events_touched" if adds_to_history() else ref("int_funnel_events") %}

with

{% if adds_to_history() -%}
windows_touched as (
    select {{ explode_days("start_date", add_days("start_date", var("funnel_window_days") + 1)) }} as event_day_at
    from {{ ref("int_funnel_start_dates") }}
),

dates_touched as (
    select distinct cast(event_day_at as date) as event_date
    from windows_touched
),

events_touched as (
    select grain, person_id, item_key, event_type, event_id, event_key, source, event_date, event_at
    from {{ ref("int_funnel_events") }}
    where event_date in (select event_date from dates_touched)
    union all
    select grain, person_id, item_key, event_type, event_id, event_key, source, event_date, event_at
    from {{ ref("int_funnel_events") }}
    where
        event_date not in (select event_date from dates_touched)
        and person_id in (select person_id from {{ ref("int_funnel_persons") }})
),
{%- endif %}

-- The first of a day's first-step events: by time, ties broken. Which event it was matters where it could serve twice.
reached_1 as (
    select
        steps.funnel_id, events.grain, events.person_id, events.item_key, events.event_date as start_date,
        min(events.event_at) as started_at, min(events.event_at) as reached_at,
        {{ value_at_minimum(
            "coalesce(events.source, '" ~ var("funnel_unknown_source") ~ "')", funnel_tie_record("events")
        ) }} as source,
        {{ value_at_minimum(
            "case when steps.has_shared_types then events.event_key end",
            "case when steps.has_shared_types then " ~ funnel_tie_record("events") ~ " end"
        ) }} as step_1_key,
        steps.has_shared_types
    from {{ funnel_events }} as events
    inner join {{ ref("int_funnel_step_types") }} as steps on events.event_type = steps.event_type
    where
        steps.step = 1
        {%- if adds_to_history() %}
        and (
            events.event_date in (select start_date from {{ ref("int_funnel_start_dates") }})
            or events.person_id in (select person_id from {{ ref("int_funnel_persons") }})
        )
        {%- endif %}
    group by
        steps.funnel_id, events.grain, events.person_id, events.item_key, events.event_date, steps.has_shared_types
),

next_steps as (
    select
        steps.funnel_id, steps.step, events.grain, events.person_id, events.item_key, events.event_type, events.event_id,
        case when steps.has_shared_types then events.event_key end as event_key, events.event_at, steps.has_shared_types
    from {{ funnel_events }} as events
    inner join {{ ref("int_funnel_step_types") }} as steps on events.event_type = steps.event_type
    where steps.step > 1
),

{% for step in range(2, last_step + 1) -%}
{{ funnel_step_ctes(step) }},

{% endfor -%}
steps_reached as (
    {% for step in range(2, last_step + 1) -%}
    select funnel_id, grain, person_id, item_key, start_date, {{ step }} as step from reached_{{ step }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

highest_steps as (
    select funnel_id, grain, person_id, item_key, start_date, max(step) as max_step
    from steps_reached
    group by funnel_id, grain, person_id, item_key, start_date
)

select
    starts.funnel_id,
    starts.grain,
    starts.person_id,
    nullif(starts.item_key, '') as item_id,
    starts.source,
    cast(coalesce(highest.max_step, 1) as integer) as max_step,
    starts.start_date,
    starts.started_at
from reached_1 as starts
left join highest_steps as highest
    on
        starts.funnel_id = highest.funnel_id and starts.grain = highest.grain and starts.person_id = highest.person_id
        and starts.item_key = highest.item_key and starts.start_date = highest.start_date
