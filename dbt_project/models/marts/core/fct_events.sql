{#-
    Grain: one event dated on or before D, counted once however often it was exported.
    A view over the kept versions, so that traffic history is stored once.
    Definition: docs/definitions/people.md
-#}
{{ config(materialized='view') }}

with

events as (

    select * from {{ ref('int_events') }}
    where event_date <= {{ as_of_date() }}

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    event_key,
    event_id,
    visitor_id,
    {{ customer_key('customer_id') }} as customer_key,
    item_id,
    category_id,

    -- strings
    event_type,
    source,
    campaign,
    page,
    device,

    -- dates
    event_date,

    -- timestamps
    event_at

from events
