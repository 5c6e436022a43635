{#- What the funnel models share: catalogue, touched dates, next steps. Reports by day: macros/funnel_reports.sql. -#}

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

{#-
    Which attempts this build computes anew: those of touched persons and start dates, all of persons whose key changed, and of
    the sessions that are looked at again. A session that was cut anew is no more: neither is its attempt.
-#}
{% macro touched_funnel_attempts() -%}
    {%- set dates = ref("int_funnel_start_dates") -%}
    (
        session_id is null
        and (
            (funnel_id, person_id, start_date) in (
                select funnel_id, person_id, start_date from {{ ref("int_funnel_person_starts") }}
            )
            or person_id in (select person_id from {{ ref("int_funnel_persons") }})
        )
    )
    or session_id in (select session_id from {{ ref("int_funnel_sessions") }})
    or (
        grain = 'session'
        and start_date in (select start_date from {{ dates }} where grain = 'session')
        and session_id not in (
            select session_id
            from {{ ref("fct_sessions") }}
            where
                session_date <= (select max(start_date) from {{ dates }} where grain = 'session')
                and {{ renqun.add_days("session_date", "midnight_count") }}
                >= (select min(start_date) from {{ dates }} where grain = 'session')
        )
    )
{%- endmacro %}

{#-
    A condition that holds for all dates that attempts of the touched persons can reach, as literals, so that other
    days are not read. Only narrows what is read: which rows count is said where they are read.
-#}
{% macro within_reach_of_person_starts(column) -%}
    {%- if not execute or flags.WHICH not in ("build", "run", "retry") or load_relation(ref("int_funnel_person_starts")) is none -%}
        {{ return("true") }}
    {%- endif -%}
    {%- set query -%}
        select
            min(starts.start_date),
            max({{ renqun.add_days("starts.start_date", "funnels.window_days + 1") }})
        from {{ ref("int_funnel_person_starts") }} as starts
        inner join {{ ref("int_funnel_step_types") }} as funnels on starts.funnel_id = funnels.funnel_id
    {%- endset -%}
    {%- set bounds = run_query(query).rows[0] -%}
    {%- if bounds[0] is none -%}
        {{ return("false") }}
    {%- endif -%}
    {{ return(column ~ " between cast('" ~ bounds[0] ~ "' as date) and cast('" ~ bounds[1] ~ "' as date)") }}
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
    The moments of orders (or of lines, at grain `person_item`) that serve steps: placed, paid, deposit paid. Each is an event
    of its own, even at the same time. The relation has the order's dates and times, `coupon_codes`, and for lines `line_key`.
-#}
{% macro funnel_order_moments(orders, grain) -%}
    {%- set by_item = grain == "person_item" -%}
    {%- for serves_as, moment in [("order_placed", "ordered"), ("order_paid", "paid"), ("deposit_paid", "deposit_paid")] %}
    select
        '{{ grain }}' as grain,
        customer_key as person_id,
        {{ "item_id" if by_item else "''" }} as item_key,
        {{ "category_id" if by_item else "cast(null as varchar)" }} as category_id,
        '{{ serves_as }}' as serves_as,
        order_id as event_id,
        concat('{{ serves_as }}:', order_id{{ ", ':', line_key" if by_item }}) as event_key,
        coupon_codes is not null as has_coupon,
        deposit_paid_at is not null as has_deposit,
        {{ moment }}_date as event_date,
        {{ moment }}_at as event_at
    from {{ orders }}
    where customer_key is not null and {{ moment }}_at is not null
    {{- " union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- Whether a moment of an order is what a type of events asks for (seed funnel_event_types, only_where). -#}
{% macro order_serves(served, moments) -%}
    {{ served }}.only_where is null
    or ({{ served }}.only_where = 'coupon' and {{ moments }}.has_coupon)
    or ({{ served }}.only_where = 'deposit' and {{ moments }}.has_deposit)
{%- endmacro %}

{#- Whether a source of traffic is content: articles, videos, broadcasts. -#}
{% macro is_content_source(source) -%}
    {{ renqun.in_literals("lower(" ~ source ~ ")", var("funnel_content_sources")) }}
{%- endmacro %}

{#- Events at the grains of persons; the attempt of an event is that of its day. -#}
{% macro funnel_person_events() -%}
    (
        select
            grain, person_id, scope_key, event_type, event_id, event_key, source, device, category_id,
            event_date as attempt_date, event_date, event_at
        from {{ ref("int_funnel_events") }}
    )
{%- endmacro %}

{#- Events at all grains; the attempt of an event in a session is the session's, wherever that reaches. -#}
{% macro all_funnel_events() -%}
    (
        select * from {{ funnel_person_events() }} as person_events
        union all
        select * from {{ ref("int_funnel_session_events") }}
    )
{%- endmacro %}

{#-
    Events with the step that each serves, of each funnel; `steps` has the catalogue. Which event it was, and what it names, is
    carried only where the steps asked for have a use for it: it is most of what there is to carry.
-#}
{% macro funnel_step_events(events, first=true) -%}
    select
        steps.funnel_id, steps.grain, steps.step, steps.window_days, steps.has_shared_types, events.person_id,
        events.scope_key, events.event_at,
        {% for column in ("event_type", "event_id", "event_key") -%}
        {{ "events." ~ column if first else "case when steps.has_shared_types then events." ~ column ~ " end as " ~ column }},
        {% endfor -%}
        {{ "events.source, events.device, events.category_id, events.attempt_date," if first }}
        events.event_date
    from {{ events }} as events
    inner join steps on events.grain = steps.grain and events.event_type = steps.event_type
{%- endmacro %}

{#-
    CTEs `first_steps` and `next_steps` of an incremental build: events that attempts of the touched persons and start dates can
    use, all events of people whose key changed, and of the sessions that are computed anew.
-#}
{% macro funnel_touched_event_ctes() -%}
person_starts as (
    select funnel_id, person_id, start_date
    from {{ ref("int_funnel_person_starts") }}
),

persons_touched as (
    select person_id
    from {{ ref("int_funnel_persons") }}
),

-- One stretch a person and funnel: what lies in it and is of no use to an attempt changes none.
person_spans as (
    select
        starts.funnel_id,
        starts.person_id,
        min(starts.start_date) as first_date,
        max({{ add_days("starts.start_date", "funnels.window_days + 1") }}) as last_date
    from person_starts as starts
    inner join (select distinct funnel_id, window_days from steps) as funnels on starts.funnel_id = funnels.funnel_id
    where starts.person_id not in (select person_id from persons_touched)
    group by starts.funnel_id, starts.person_id
),

events_touched as (
    {{ funnel_step_events(funnel_person_events()) }}
    inner join person_spans as spans
        on
            steps.funnel_id = spans.funnel_id and events.person_id = spans.person_id
            and events.event_date between spans.first_date and spans.last_date
    where {{ within_reach_of_person_starts("events.event_date") }}
    union all
    {{ funnel_step_events(funnel_person_events()) }}
    where events.person_id in (select person_id from persons_touched)
    union all
    {{ funnel_step_events(ref("int_funnel_session_events")) }}
),

first_steps as (
    select *
    from events_touched
    where
        step = 1
        and (
            grain = 'session'
            or (funnel_id, person_id, event_date) in (select funnel_id, person_id, start_date from person_starts)
            or person_id in (select person_id from persons_touched)
        )
),

next_steps as (
    select
        funnel_id, grain, step, has_shared_types, person_id, scope_key, event_type, event_id, event_key, event_at
    from events_touched
    where step > 1
),
{%- endmacro %}

{#- The columns that name an attempt, of two relations equal; and a list of them. -#}
{% macro funnel_attempt_columns(relation) -%}
    {{ relation }}.funnel_id, {{ relation }}.grain, {{ relation }}.person_id, {{ relation }}.scope_key
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
        {{ funnel_attempt_columns("attempt") }}, attempt.start_date, attempt.started_at, attempt.window_days,
        attempt.has_shared_types,
        {% for used in range(1, step) %}attempt.step_{{ used }}_key, {% endfor -%}
        attempt.reached_at as line_at, 1 as line_order, cast(null as timestamp) as candidate_at
    from reached_{{ before }} as attempt
    where exists (
        select 1
        from next_steps as candidate
        where
            candidate.step = {{ step }} and candidate.funnel_id = attempt.funnel_id and candidate.grain = attempt.grain
            and candidate.person_id = attempt.person_id and candidate.scope_key = attempt.scope_key
    )
    union all
    select
        {{ funnel_attempt_columns("next_steps") }}, null, null, null, has_shared_types,
        {% for used in range(1, step) %}null, {% endfor -%}
        event_at, case when has_shared_types then 0 else 2 end, event_at
    from next_steps
    where step = {{ step }}
),

looked_ahead_{{ step }} as (
    select
        funnel_id, grain, person_id, scope_key, start_date, started_at, window_days, has_shared_types, line_at, line_order,
        {% for used in range(1, step) %}step_{{ used }}_key, {% endfor -%}
        min(candidate_at) over (
            partition by funnel_id, grain, person_id, scope_key
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
        {{ funnel_attempt_columns("moments") }}, moments.start_date, candidate.event_at, candidate.event_key,
        row_number() over (
            partition by {{ funnel_attempt_columns("moments") }}, moments.start_date
            order by {{ funnel_tie_order("candidate") }}
        ) as choice
    from moments_{{ step }} as moments
    inner join next_steps as candidate
        on
            moments.funnel_id = candidate.funnel_id and moments.grain = candidate.grain
            and moments.person_id = candidate.person_id and moments.scope_key = candidate.scope_key
            and moments.moment_at = candidate.event_at
    where
        candidate.step = {{ step }}
        {%- for used in range(1, step) %} and candidate.event_key <> moments.step_{{ used }}_key {%- endfor %}
),

reached_{{ step }} as (
    select
        {{ funnel_attempt_columns("attempt") }}, attempt.start_date, attempt.started_at, attempt.window_days,
        attempt.has_shared_types,
        {% for used in range(1, step) %}attempt.step_{{ used }}_key, {% endfor -%}
        choices.event_key as step_{{ step }}_key, attempt.line_at as left_at,
        case when attempt.has_shared_types then choices.event_at else attempt.next_at end as reached_at
    from looked_ahead_{{ step }} as attempt
    left join choices_{{ step }} as choices
        on
            choices.choice = 1 and attempt.funnel_id = choices.funnel_id and attempt.grain = choices.grain
            and attempt.person_id = choices.person_id and attempt.scope_key = choices.scope_key
            and attempt.start_date = choices.start_date
    where
        attempt.line_order = 1
        and case when attempt.has_shared_types then choices.event_at else attempt.next_at end
        <= {{ add_seconds("attempt.started_at", "attempt.window_days * 24 * 60 * 60") }}
)
{%- endmacro %}
