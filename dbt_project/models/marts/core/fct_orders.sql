{#-
    Grain: one order placed on or before D, as its newest export tells it.
    Paid amount as exported, refunds by their own date, net = paid - refunded; a deal is paid and not fully refunded.
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
-- Depends on {{ ref('int_touched_orders') }}: these orders are replaced.

with

orders as (

    select * from {{ ref('int_orders_settled') }}

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    order_id,
    customer_key,
    customer_id,

    -- strings
    status,
    status_code,
    coupon_codes,
    province,
    city,
    '{{ var("currency") }}' as currency_code,

    -- numerics
    line_count,
    item_quantity,
    paid_amount,
    refunded_amount,
    net_amount,
    unallocated_amount,

    -- booleans
    is_paid,
    is_deal,
    is_fully_refunded,
    is_over_refunded,
    is_status_contrary,

    -- dates
    ordered_date,
    paid_date,
    deposit_paid_date,
    signed_date,

    -- timestamps
    ordered_at,
    paid_at,
    deposit_paid_at,
    signed_at,
    exported_at

from orders
