{#-
    Grain: business date, visitor and the customer that the events themselves name (null: none). The day's events
    in short, so that nothing that spans history has to read events again.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_dates',
    touched_key='event_date',
    on_schema_change='fail',
    pre_hook="{{ rekey_visitor_days() }}"
) }}

with

events as (

    select event_date, visitor_id, customer_id, open_uid, event_type, source, event_at, event_id, event_key
    from {{ ref('int_events') }}
    where
        event_date <= {{ as_of_date() }}
        {%- if adds_to_history() %}
        and {{ in_literals('event_date', touched_event_dates()) }}
        {%- endif %}

),

counted as (

    select
        event_date,
        visitor_id,
        customer_id,
        open_uid,
        {{ value_at_minimum("coalesce(source, '')", funnel_tie_record('events')) }} as first_source,
        {{ value_at_minimum("coalesce(event_id, '')", funnel_tie_record('events')) }} as first_event_id,
        {{ value_at_minimum('event_type', funnel_tie_record('events')) }} as first_event_type,
        count(*) as event_count,
        count(case when event_type = 'view' then 1 end) as view_count,
        count(case when event_type = 'cart' then 1 end) as cart_count,
        count(case when event_type = 'favourite' then 1 end) as favourite_count,
        min(event_at) as first_event_at,
        max(event_at) as last_event_at
    from events
    group by event_date, visitor_id, customer_id, open_uid

),

open_uids as (

    select * from {{ customers_by('open_uid') }} as owners

),

member_ids as (

    select * from {{ customers_by('member_id') }} as owners

)

select
    -- ids
    counted.visitor_id,
    counted.customer_id,
    counted.open_uid,
    coalesce(open_uids.customer_key, member_ids.customer_key) as customer_key,
    nullif(counted.first_event_id, '') as first_event_id,

    -- strings
    nullif(counted.first_source, '') as first_source,
    counted.first_event_type,

    -- numerics
    counted.event_count,
    counted.view_count,
    counted.cart_count,
    counted.favourite_count,

    -- dates
    counted.event_date,

    -- timestamps
    counted.first_event_at,
    counted.last_event_at

from counted
left join open_uids on counted.open_uid = open_uids.identifier_value
left join member_ids on counted.customer_id = member_ids.identifier_value
-- Depends on {{ ref('int_touched_visitor_days') }} for the touched dates, and {{ ref('int_identifier_customers') }}.
