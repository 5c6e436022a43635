{#-
    Grain: business date, item and category as the events name them (null category: none named).
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_dates',
    touched_key='event_date',
    on_schema_change='fail'
) }}

with

events as (

    select event_date, item_id, category_id, event_type from {{ ref('int_events') }}
    where
        item_id is not null
        and event_date <= {{ as_of_date() }}
        {%- if adds_to_history() %}
        and {{ in_literals('event_date', touched_event_dates()) }}
        {%- endif %}

),

counted as (

    select
        item_id,
        category_id,
        count(*) as event_count,
        count(case when event_type = 'view' then 1 end) as view_count,
        count(case when event_type = 'cart' then 1 end) as cart_count,
        count(case when event_type = 'favourite' then 1 end) as favourite_count,
        event_date
    from events
    group by event_date, item_id, category_id

)

select * from counted
-- Depends on {{ ref('int_touched_visitor_days') }} for the touched dates.
