{#- Grain: funnel x grain x person x item or session x start date.
    Every attempt of every start date, with the highest step reached in the window and the seconds between steps.
    Definition: docs/definitions/funnels.md. Recomputes only what people did within reach of what they do
    anew, and sessions that were cut anew or whose person bought. -#}
{{ config(
    schema="intermediate",
    materialized="incremental",
    incremental_strategy="append",
    on_schema_change="fail",
    pre_hook="{{ delete_touched(touched_funnel_attempts()) }}",
) }}
{%- set last_step = funnel_last_step() %}

with steps as (
    select funnel_id, grain, step, event_type, window_days, has_shared_types
    from {{ ref("int_funnel_step_types") }}
),

{% if adds_to_history() -%}
{{ funnel_touched_event_ctes() }}
{%- else -%}
first_steps as (
    {{ funnel_step_events(all_funnel_events()) }}
    where steps.step = 1
),

next_steps as (
    {{ funnel_step_events(all_funnel_events(), first=false) }}
    where steps.step > 1
),
{%- endif %}

-- The first of a day's, or a session's, first-step events: by time, ties broken. Which event it was matters where it could
-- serve twice.
started as (
    select
        funnel_id, grain, person_id, scope_key, window_days, has_shared_types, min(event_at) as started_at,
        {{ value_at_minimum(
            record([
                ("start_date", "event_date"), ("source", "source"), ("device", "device"), ("category_id", "category_id"),
                ("event_key", "case when has_shared_types then event_key end"),
            ]),
            funnel_tie_record("first_steps")
        ) }} as first_event
    from first_steps
    group by funnel_id, grain, person_id, scope_key, attempt_date, window_days, has_shared_types
),

reached_1 as (
    select
        funnel_id, grain, person_id, scope_key, first_event.start_date, window_days, has_shared_types, started_at,
        started_at as reached_at, first_event.event_key as step_1_key, first_event.source, first_event.device,
        first_event.category_id
    from started
),

{% for step in range(2, last_step + 1) -%}
{{ funnel_step_ctes(step) }},

{% endfor -%}
steps_reached as (
    {% for step in range(2, last_step + 1) -%}
    select
        funnel_id, grain, person_id, scope_key, start_date, {{ step }} as step,
        {{ seconds_between("left_at", "reached_at") }} as seconds
    from reached_{{ step }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

highest_steps as (
    select
        funnel_id, grain, person_id, scope_key, start_date, max(step) as max_step, {{ list_by("seconds", "step") }} as step_seconds
    from steps_reached
    group by funnel_id, grain, person_id, scope_key, start_date
)

select
    starts.funnel_id,
    starts.grain,
    starts.person_id,
    case when starts.grain = 'person_item' then starts.scope_key end as item_id,
    case when starts.grain = 'session' then starts.scope_key end as session_id,
    coalesce(starts.source, '{{ var("funnel_unknown_source") }}') as source,
    starts.device,
    starts.category_id,
    cast(coalesce(highest.max_step, 1) as integer) as max_step,
    highest.step_seconds,
    starts.start_date,
    starts.started_at
from reached_1 as starts
left join highest_steps as highest
    on
        starts.funnel_id = highest.funnel_id and starts.grain = highest.grain and starts.person_id = highest.person_id
        and starts.scope_key = highest.scope_key and starts.start_date = highest.start_date
-- Depends on {{ ref("int_funnel_start_dates") }}, {{ ref("int_funnel_person_starts") }}, {{ ref("int_funnel_persons") }},
-- {{ ref("int_funnel_sessions") }} and {{ ref("fct_sessions") }}.
