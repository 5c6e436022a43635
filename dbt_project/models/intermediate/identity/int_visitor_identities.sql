{#-
    Grain: visitor and customer that its events name (null: events that name none), as of D. Linear in visitors: the
    days behind it are read again only for visitors who lost an event: to another telling of it, or to a day written anew.
    Who lost all events is gone.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    touched_by='int_touched_visitor_days',
    touched_key='visitor_id',
    on_schema_change='fail'
) }}

-- Depends on {{ ref('int_touched_visitor_days') }} for the touched dates, and for who lost an event on the versions:
-- {{ ref('int_event_versions') }}, {{ ref('int_events_superseded') }}, {{ ref('int_ga4_days') }}.

with

{% if adds_to_history() -%}

touched_visitors as (

    select distinct visitor_id from {{ ref('int_touched_visitor_days') }}

),

touched_days as (

    select * from {{ ref('int_visitor_days') }}
    where
        {{ in_literals('event_date', touched_event_dates()) }}
        and visitor_id in (select touched_visitors.visitor_id from touched_visitors)

),

superseded as (

    select visitor_id, event_key, ga4_date from {{ ref('int_events_superseded') }}

),

arrived as (

    select event_id, row_key from {{ ref('int_event_versions') }}
    where {{ of_pending_batches(event_source_names()) }}

),

recounted_visitors as (

    select distinct visitor_id from superseded
    where
        {{ superseded_by_arrivals() }}
        and visitor_id in (select touched_visitors.visitor_id from touched_visitors)

),

seen as (

    select
        visitor_id, customer_id, open_uid, first_source, first_event_id, first_event_type, first_event_at, 0 as is_known,
        event_date as first_event_date, event_date as last_event_date
    from touched_days
    union all
    select
        visitor_id, customer_id, open_uid, first_source, first_event_id, first_event_type, first_event_at, 0,
        event_date, event_date
    from {{ ref('int_visitor_days') }}
    where visitor_id in (select recounted_visitors.visitor_id from recounted_visitors)
    union all
    select
        visitor_id, customer_id, open_uid, first_source, first_event_id, first_event_type, first_event_at, 1,
        first_event_date, last_event_date
    from {{ this }}
    where
        visitor_id in (select touched_days.visitor_id from touched_days)
        and visitor_id not in (select recounted_visitors.visitor_id from recounted_visitors)

)

{%- else -%}

seen as (

    select
        visitor_id, customer_id, open_uid, first_source, first_event_id, first_event_type, first_event_at, 0 as is_known,
        event_date as first_event_date, event_date as last_event_date
    from {{ ref('int_visitor_days') }}

)

{%- endif %}

-- A day that was read again knows better than what was kept of it: at the same moment it comes first.
{%- set first_day = record([
    ('at', 'first_event_at'), ('is_known', 'is_known'), ('source', "coalesce(first_source, '')"),
]) %}

select
    -- ids
    visitor_id,
    customer_id,
    open_uid,
    nullif({{ value_at_minimum("coalesce(first_event_id, '')", first_day) }}, '') as first_event_id,

    -- strings
    nullif({{ value_at_minimum("coalesce(first_source, '')", first_day) }}, '') as first_source,
    {{ value_at_minimum('first_event_type', first_day) }} as first_event_type,

    -- dates
    min(first_event_date) as first_event_date,
    max(last_event_date) as last_event_date,

    -- timestamps
    min(first_event_at) as first_event_at

from seen
group by visitor_id, customer_id, open_uid
