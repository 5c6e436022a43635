{#-
    Grain: one line of an order placed on or before D, as the order's newest export tells it.
    Lines without an amount share the order's to the cent; lines + unallocated = order.
    Definition: docs/definitions/orders.md
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    touched_by='int_touched_orders',
    touched_key='order_id',
    on_schema_change='fail'
) }}
{{ require_full_work_tables() }}
-- Depends on {{ ref('int_touched_orders') }}: the lines of these orders are replaced.

with

lines as (

    select * from {{ ref('int_order_lines_settled') }}

),

orders as (

    select order_id, customer_key, is_paid, is_deal, ordered_date, paid_date, ordered_at, paid_at
    from {{ ref('int_orders_settled') }}

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    lines.order_id,
    lines.line_key,
    orders.customer_key,
    lines.item_id,
    lines.category_id,

    -- strings
    lines.item_name,
    '{{ var("currency") }}' as currency_code,

    -- numerics
    lines.line_number,
    lines.quantity,
    lines.unit_price,
    lines.discount_amount,
    lines.paid_amount,
    lines.refunded_amount,
    cast(lines.paid_amount - lines.refunded_amount as decimal(18, 2)) as net_amount,

    -- booleans
    orders.is_paid,
    orders.is_deal,

    -- dates
    orders.ordered_date,
    orders.paid_date,

    -- timestamps
    orders.ordered_at,
    orders.paid_at

from lines
inner join orders on lines.order_id = orders.order_id
