{#-
    Grain: one refund of an order line, dated on or before D: the increase of the line's refunded total that an
    export told first, or the line's share of a refund that is known for the whole order.
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
-- Depends on {{ ref('int_touched_orders') }}: the refunds of these orders are replaced.

with

refunds as (

    select * from {{ ref('int_refund_increments') }}

),

orders as (

    select order_id, customer_key from {{ ref('int_orders_settled') }}

)

-- The total after a refund grows with each, so it tells the refunds of a line apart where they have no id.
select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    case
        when refunds.refund_id is null
            then {{ surrogate_key(['refunds.order_id', 'refunds.line_key', 'refunds.total_amount']) }}
        else {{ surrogate_key(['refunds.order_id', 'refunds.line_key', 'refunds.refund_id']) }}
    end as refund_key,
    refunds.order_id,
    refunds.line_key,
    orders.customer_key,

    -- strings
    '{{ var("currency") }}' as currency_code,

    -- numerics
    refunds.refunded_amount,

    -- dates
    refunds.refunded_date,

    -- timestamps
    refunds.refunded_at

from refunds
inner join orders on refunds.order_id = orders.order_id
