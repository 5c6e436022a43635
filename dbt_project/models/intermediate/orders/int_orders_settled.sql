{#-
    Grain: one touched order as of D, with what was paid and refunded for it, and whether it is a deal. An order whose
    lines no file has told yet is an order: its pieces are its head's count, and all its money is unallocated.
-#}
with

orders as (

    select * from {{ ref('int_orders_current') }}

),

lines as (

    select
        order_id,
        count(*) as line_count,
        sum(quantity) as item_quantity,
        sum(paid_amount) as lines_paid_amount,
        sum(refunded_amount) as refunded_amount,
        sum(refund_count) as refund_count
    from {{ ref('int_order_lines_settled') }}
    group by order_id

),

refunds_without_line as (

    select
        order_id,
        sum(refunded_amount) as refunded_amount,
        count(*) as refund_count
    from {{ ref('int_refund_increments') }}
    where line_key is null
    group by order_id

),

totalled as (

    select
        orders.*,
        coalesce(lines.line_count, 0) as line_count,
        coalesce(lines.item_quantity, orders.order_quantity, 0) as item_quantity,
        lines.lines_paid_amount,
        coalesce(lines.refunded_amount, 0) + coalesce(refunds.refunded_amount, 0) as refunded_amount,
        coalesce(lines.refund_count, 0) + coalesce(refunds.refund_count, 0) as refund_count,
        case
            when orders.is_paid then coalesce(orders.order_paid_amount, lines.lines_paid_amount, 0)
        end as paid_amount
    from orders
    left join lines on orders.order_id = lines.order_id
    left join refunds_without_line as refunds on orders.order_id = refunds.order_id

),

judged as (

    select
        *,
        is_paid and refund_count > 0 and refunded_amount >= paid_amount as is_fully_refunded,
        refunded_amount > coalesce(paid_amount, 0) as is_over_refunded
    from totalled

)

select
    -- ids
    order_id,
    customer_id,
    customer_key,

    -- strings
    status,
    status_code,
    coupon_codes,
    province,
    city,

    -- numerics
    cast(line_count as bigint) as line_count,
    cast(item_quantity as decimal(38, 6)) as item_quantity,
    cast(paid_amount as decimal(18, 2)) as paid_amount,
    cast(refunded_amount as decimal(18, 2)) as refunded_amount,
    cast(paid_amount - refunded_amount as decimal(18, 2)) as net_amount,
    cast(paid_amount - coalesce(lines_paid_amount, 0) as decimal(18, 2)) as unallocated_amount,

    -- booleans
    is_paid,
    is_paid and not is_fully_refunded as is_deal,
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

from judged
