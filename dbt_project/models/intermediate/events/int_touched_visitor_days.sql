{#-
    Grain: visitor and business date up to D whose events this build changes, with the stretch of time that holds
    the changes: events of pending batches, versions that they supersede, and events that waited for their date.
-#}
-- Depends on {{ ref('int_event_versions') }}, {{ ref('int_events_superseded') }} and {{ ref('int_ga4_days') }}.

with

{% if is_full_build() -%}

changed as (

    select visitor_id, event_date, event_at from {{ ref('int_events') }}

),

{%- else -%}

arrived as (

    select visitor_id, event_date, event_at, event_id, row_key from {{ ref('int_event_versions') }}
    where {{ of_pending_batches(event_source_names()) }}

),

superseded as (

    select visitor_id, event_date, event_at, event_key, ga4_date from {{ ref('int_events_superseded') }}

),

waited as (

    select visitor_id, event_date, event_at from {{ ref('int_events') }}
    where event_date > {{ previous_as_of_date() }} and event_date <= {{ as_of_date() }}

),

changed as (

    select visitor_id, event_date, event_at from arrived
    union all
    select visitor_id, event_date, event_at from superseded
    where {{ superseded_by_arrivals() }}
    union all
    select visitor_id, event_date, event_at from waited

),

{%- endif %}

stretches as (

    select
        visitor_id,
        event_date,
        min(event_at) as first_changed_at,
        max(event_at) as last_changed_at
    from changed
    where event_date <= {{ as_of_date() }}
    group by visitor_id, event_date

)

select * from stretches
