{#-
    Grain: business date, visitor with the ids of a customer that its events name, and the category that they name; where
    they name none, their item instead. What a visitor's day was about, so that interest in categories, which spans a year,
    never reads events again.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_dates',
    touched_key='event_date',
    on_schema_change='fail'
) }}
{%- set texts = ['visitor_id', 'customer_id', 'open_uid', 'category_id', 'item_id'] %}

with

events as (

    select * from {{ category_acts(texts + ['event_type', 'event_date']) }} as acts

),

-- Counted by texts before numbers are looked up: an event has its number once a day, not once an act.
days as (

    select
        {{ texts | join(', ') }},
        count(case when event_type = 'view' then 1 end) as view_count,
        count(case when event_type = 'favourite' then 1 end) as favourite_count,
        count(case when event_type = 'cart' then 1 end) as cart_count,
        event_date
    from events
    group by event_date, {{ texts | join(', ') }}

)

select
    -- ids
    visitors.visitor_number,
    categories.category_number,

    -- numerics
    days.view_count,
    days.favourite_count,
    days.cart_count,

    -- dates
    days.event_date

from days
inner join {{ ref('int_visitor_numbers') }} as visitors
    on {{ same_values('days', 'visitors', ['visitor_id', 'customer_id', 'open_uid']) }}
inner join {{ ref('int_category_numbers') }} as categories
    on {{ same_values('days', 'categories', ['category_id', 'item_id']) }}
-- Depends on {{ ref('int_events') }}, and on {{ ref('int_touched_visitor_days') }} for the touched dates.
