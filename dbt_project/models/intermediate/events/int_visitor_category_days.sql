{#-
    Grain: business date, visitor, the ids of a customer that the events themselves name (null: none), and the category
    that they name; where they name none, their item instead. What a visitor's day was about, so that interest in
    categories, which spans a year, never reads events again.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_dates',
    touched_key='event_date',
    on_schema_change='fail'
) }}

with

events as (

    select
        event_date,
        visitor_id,
        customer_id,
        open_uid,
        category_id,
        case when category_id is null then item_id end as item_id,
        event_type
    from {{ ref('int_events') }}
    where
        event_type in ('view', 'favourite', 'cart')
        and (category_id is not null or item_id is not null)
        and event_date <= {{ as_of_date() }}
        {%- if adds_to_history() %}
        and {{ in_literals('event_date', touched_event_dates()) }}
        {%- endif %}

)

select
    -- ids
    visitor_id,
    customer_id,
    open_uid,
    category_id,
    item_id,

    -- numerics
    count(case when event_type = 'view' then 1 end) as view_count,
    count(case when event_type = 'favourite' then 1 end) as favourite_count,
    count(case when event_type = 'cart' then 1 end) as cart_count,

    -- dates
    event_date

from events
group by event_date, visitor_id, customer_id, open_uid, category_id, item_id
-- Depends on {{ ref('int_touched_visitor_days') }} for the touched dates.
