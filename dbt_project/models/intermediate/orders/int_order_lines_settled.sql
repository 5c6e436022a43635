{#-
    Grain: one line of a touched order as of D, with what was paid and refunded for it.
-#}
with

orders as (

    select order_id from {{ ref('int_orders_current') }}

),

lines as (

    select * from {{ ref('int_touched_line_versions') }}
    where version_rank = 1

),

allocated as (

    select * from {{ ref('int_order_lines_allocated') }}

),

refunds as (

    select
        order_id,
        line_key,
        count(*) as refund_count,
        sum(refunded_amount) as refunded_amount
    from {{ ref('int_refund_increments') }}
    where line_key is not null
    group by order_id, line_key

)

select
    -- ids
    lines.order_id,
    lines.line_key,
    lines.item_id,
    lines.category_id,

    -- strings
    lines.item_name,

    -- numerics
    lines.line_number,
    lines.quantity,
    lines.unit_price,
    lines.discount_amount,
    allocated.paid_amount,
    cast(coalesce(refunds.refunded_amount, 0) as decimal(18, 2)) as refunded_amount,
    coalesce(refunds.refund_count, 0) as refund_count

from lines
inner join orders on lines.order_id = orders.order_id
left join allocated
    on lines.order_id = allocated.order_id and lines.line_key = allocated.line_key
left join refunds
    on lines.order_id = refunds.order_id and lines.line_key = refunds.line_key
