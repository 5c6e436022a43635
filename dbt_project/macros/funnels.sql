{#- What the funnel models share. -#}

{#-
    The last step of the longest funnel of the catalogue: how often the SQL has to look for a next step. Which events
    serve a step is data (seed funnel_steps), never SQL. Two where the seed is not built yet and SQL is only parsed.
-#}
{% macro funnel_last_step() -%}
    {%- set steps = ref("funnel_steps") -%}
    {%- if not execute or load_relation(steps) is none -%}
        {{ return(2) }}
    {%- endif -%}
    {{ return(run_query("select max(step) from " ~ steps).columns[0].values()[0] | int) }}
{%- endmacro %}

{#- Before a model adds the rows of the touched dates: their old rows go, or all rows in a full build. -#}
{% macro delete_touched(condition) -%}
    {%- if load_cached_relation(this) is not none -%}
        delete from {{ this }} where {{ "true" if is_full_build() else condition }}
    {%- endif -%}
{%- endmacro %}

{#- Ties of time are broken by event id, then event type; the key makes the order total. -#}
{% macro funnel_tie_order(events) -%}
    {{ events }}.event_at, {{ events }}.event_id nulls last, {{ events }}.event_type, {{ events }}.event_key
{%- endmacro %}

{#- The same order as one comparable value: a record compares field by field. -#}
{% macro funnel_tie_record(events) -%}
    {{ return(record([
        ("at", events ~ ".event_at"),
        ("has_no_id", events ~ ".event_id is null"),
        ("id", "coalesce(" ~ events ~ ".event_id, '')"),
        ("type", events ~ ".event_type"),
        ("key", events ~ ".event_key"),
    ])) }}
{%- endmacro %}

{#-
    CTEs that take attempts from the step before to `step`: from `reached_<step - 1>` and `next_steps` to `reached_<step>`.
    One pass over attempts and candidate events on one line of time finds the first event not before the step before;
    events are never joined with events.

    An event may serve one step of an attempt only. That matters only between events of one moment, and only in a funnel
    where an event type serves two steps (`has_shared_types`). There the line of time offers later events only, and
    `choices` looks by equality at the events of the very moment that the attempt has not used. The choice is greedy:
    the first unused one by event id, then event type, even where another would leave more for the step after.
-#}
{% macro funnel_step_ctes(step) -%}
{%- set before = step - 1 -%}
timeline_{{ step }} as (
    select
        attempt.funnel_id, attempt.grain, attempt.person_id, attempt.item_key, attempt.start_date,
        attempt.started_at, attempt.has_shared_types,
        {% for used in range(1, step) %}attempt.step_{{ used }}_key, {% endfor -%}
        attempt.reached_at as line_at, 1 as line_order, cast(null as timestamp) as candidate_at
    from reached_{{ before }} as attempt
    where exists (
        select 1
        from next_steps as candidate
        where
            candidate.step = {{ step }} and candidate.funnel_id = attempt.funnel_id and candidate.grain = attempt.grain
            and candidate.person_id = attempt.person_id and candidate.item_key = attempt.item_key
    )
    union all
    select
        funnel_id, grain, person_id, item_key, null, null, has_shared_types,
        {% for used in range(1, step) %}null, {% endfor -%}
        event_at, case when has_shared_types then 0 else 2 end, event_at
    from next_steps
    where step = {{ step }}
),

looked_ahead_{{ step }} as (
    select
        funnel_id, grain, person_id, item_key, start_date, started_at, has_shared_types, line_at, line_order,
        {% for used in range(1, step) %}step_{{ used }}_key, {% endfor -%}
        min(candidate_at) over (
            partition by funnel_id, grain, person_id, item_key
            order by line_at, line_order
            rows between current row and unbounded following
        ) as next_at
    from timeline_{{ step }}
),

moments_{{ step }} as (
    select looked.*, looked.line_at as moment_at from looked_ahead_{{ step }} as looked
    where looked.line_order = 1 and looked.has_shared_types
    union all
    select looked.*, looked.next_at as moment_at from looked_ahead_{{ step }} as looked
    where looked.line_order = 1 and looked.has_shared_types
),

choices_{{ step }} as (
    select
        moments.funnel_id, moments.grain, moments.person_id, moments.item_key, moments.start_date,
        candidate.event_at, candidate.event_key,
        row_number() over (
            partition by moments.funnel_id, moments.grain, moments.person_id, moments.item_key, moments.start_date
            order by {{ funnel_tie_order("candidate") }}
        ) as choice
    from moments_{{ step }} as moments
    inner join next_steps as candidate
        on
            moments.funnel_id = candidate.funnel_id and moments.grain = candidate.grain
            and moments.person_id = candidate.person_id and moments.item_key = candidate.item_key
            and moments.moment_at = candidate.event_at
    where
        candidate.step = {{ step }}
        {%- for used in range(1, step) %} and candidate.event_key <> moments.step_{{ used }}_key {%- endfor %}
),

reached_{{ step }} as (
    select
        attempt.funnel_id, attempt.grain, attempt.person_id, attempt.item_key, attempt.start_date,
        attempt.started_at, attempt.has_shared_types,
        {% for used in range(1, step) %}attempt.step_{{ used }}_key, {% endfor -%}
        choices.event_key as step_{{ step }}_key,
        case when attempt.has_shared_types then choices.event_at else attempt.next_at end as reached_at
    from looked_ahead_{{ step }} as attempt
    left join choices_{{ step }} as choices
        on
            choices.choice = 1 and attempt.funnel_id = choices.funnel_id and attempt.grain = choices.grain
            and attempt.person_id = choices.person_id and attempt.item_key = choices.item_key
            and attempt.start_date = choices.start_date
    where
        attempt.line_order = 1
        and case when attempt.has_shared_types then choices.event_at else attempt.next_at end
        <= {{ add_seconds("attempt.started_at", var("funnel_window_days") * 24 * 60 * 60) }}
)
{%- endmacro %}
