{#-
    Grain: one item seen in an order, an event or the platform's figures by item dated on or before D.
    Name and category as the newest order line tells them; else the name as the platform, the category as events do.
    Definition: docs/definitions/orders.md
-#}
with

order_lines as (

    select * from {{ ref('fct_order_lines') }}

),

item_days as (

    select * from {{ ref('int_item_days') }}

),

ordered as (

    select
        item_id,
        {{ latest('item_name', ['ordered_at', 'order_id', 'line_key']) }} as item_name,
        {{ latest('category_id', ['ordered_at', 'order_id', 'line_key']) }} as category_id,
        count(*) as order_line_count,
        count(case when is_deal then 1 end) as deal_line_count,
        min(ordered_date) as first_ordered_date,
        max(ordered_date) as last_ordered_date
    from order_lines
    group by item_id

),

visited as (

    select
        item_id,
        {{ latest('category_id', ['event_date', 'category_id']) }} as category_id,
        cast(sum(event_count) as bigint) as event_count,
        min(event_date) as first_event_date,
        max(event_date) as last_event_date
    from item_days
    group by item_id

),

listed as (

    select
        item_id,
        {{ latest(
            'item_name', ['business_date', '_folder_date', '_source_file', '_source_row', '_batch_id']
        ) }} as item_name
    from {{ ref('int_item_traffic_versions') }}
    where business_date <= {{ as_of_date() }}
    group by item_id

),

items as (

    select item_id from ordered
    union
    select item_id from visited
    union
    select item_id from listed

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    items.item_id,
    coalesce(ordered.category_id, visited.category_id) as category_id,

    -- strings
    coalesce(ordered.item_name, listed.item_name) as item_name,

    -- numerics
    coalesce(ordered.order_line_count, 0) as order_line_count,
    coalesce(ordered.deal_line_count, 0) as deal_line_count,
    coalesce(visited.event_count, 0) as event_count,

    -- dates
    ordered.first_ordered_date,
    ordered.last_ordered_date,
    visited.first_event_date,
    visited.last_event_date

from items
left join ordered on items.item_id = ordered.item_id
left join visited on items.item_id = visited.item_id
left join listed on items.item_id = listed.item_id
