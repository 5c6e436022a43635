{#-
    Grain: business date, visitor and the customer that the events themselves name (null: none). The day's events
    in short, so that nothing that spans history has to read events again.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_dates',
    touched_key='event_date',
    on_schema_change='fail'
) }}

with

events as (

    select event_date, visitor_id, customer_id, event_type, event_at from {{ ref('int_events') }}
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
        count(*) as event_count,
        count(case when event_type = 'view' then 1 end) as view_count,
        count(case when event_type = 'cart' then 1 end) as cart_count,
        count(case when event_type = 'favourite' then 1 end) as favourite_count,
        min(event_at) as first_event_at,
        max(event_at) as last_event_at
    from events
    group by event_date, visitor_id, customer_id

)

select
    -- ids
    visitor_id,
    customer_id,
    {{ customer_key('customer_id') }} as customer_key,

    -- numerics
    event_count,
    view_count,
    cart_count,
    favourite_count,

    -- dates
    event_date,

    -- timestamps
    first_event_at,
    last_event_at

from counted
-- Depends on {{ ref('int_touched_visitor_days') }} for the touched dates.
