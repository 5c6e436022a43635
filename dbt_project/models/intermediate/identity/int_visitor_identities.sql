{#-
    Grain: visitor and customer that its events name (null: events that name none), as of D. Linear in visitors: the
    days behind it are read again only for visitors who lost an event to an earlier version of it.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_keys',
    unique_key='visitor_id',
    on_schema_change='fail'
) }}

-- Depends on {{ ref('int_touched_visitor_days') }} for the touched dates, and on the versions
-- {{ ref('int_event_versions') }} and {{ ref('int_events_superseded') }} for who lost an event.

with

{% if adds_to_history() -%}

touched_days as (

    select * from {{ ref('int_visitor_days') }}
    where {{ in_literals('event_date', touched_event_dates()) }}

),

superseded as (

    select visitor_id, event_key from {{ ref('int_events_superseded') }}

),

arrived as (

    select event_id, row_key from {{ ref('int_event_versions') }}
    where {{ of_pending_batches(event_source_names()) }}

),

recounted_visitors as (

    select distinct visitor_id from superseded
    where event_key in (select {{ event_key() }} from arrived)

),

seen as (

    select visitor_id, customer_id, customer_key, event_date as first_event_date, event_date as last_event_date
    from touched_days
    union all
    select visitor_id, customer_id, customer_key, event_date, event_date
    from {{ ref('int_visitor_days') }}
    where visitor_id in (select recounted_visitors.visitor_id from recounted_visitors)
    union all
    select visitor_id, customer_id, customer_key, first_event_date, last_event_date
    from {{ this }}
    where
        visitor_id in (select touched_days.visitor_id from touched_days)
        and visitor_id not in (select recounted_visitors.visitor_id from recounted_visitors)

)

{%- else -%}

seen as (

    select visitor_id, customer_id, customer_key, event_date as first_event_date, event_date as last_event_date
    from {{ ref('int_visitor_days') }}

)

{%- endif %}

select
    -- ids
    visitor_id,
    customer_id,
    customer_key,

    -- dates
    min(first_event_date) as first_event_date,
    max(last_event_date) as last_event_date

from seen
group by visitor_id, customer_id, customer_key
