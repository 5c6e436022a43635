{#-
    Grain: one touched order for which a file tells of refunds: what each kind of file says was given back, and which one
    rules. The refund export rules every order that it names; else the lines, where one tells a refund; else the head.
-#}
with

of_refund_export as (

    select
        order_id,
        coalesce(sum(case when is_succeeded then refund_amount end), 0) as refunded_amount
    from {{ ref('int_touched_refunds') }}
    group by order_id

),

of_lines as (

    select
        order_id,
        max(greatest(coalesce(refunded_amount, 0), 0)) as largest_amount,
        sum(case when version_rank = 1 then greatest(coalesce(refunded_amount, 0), 0) end) as refunded_amount
    from {{ ref('int_touched_line_versions') }}
    group by order_id

),

of_head as (

    select
        order_id,
        max(greatest(order_refunded_amount, 0)) as refunded_amount
    from {{ ref('int_touched_order_versions') }}
    where is_head and order_refunded_amount is not null
    group by order_id

),

orders as (

    select order_id from of_refund_export
    union
    select order_id from of_lines
    where largest_amount > 0
    union
    select order_id from of_head
    where refunded_amount > 0

)

select
    -- ids
    orders.order_id,

    -- strings
    case
        when of_refund_export.order_id is not null then 'refund_export'
        when of_lines.largest_amount > 0 then 'lines'
        else 'head'
    end as ruled_by,

    -- numerics
    cast(of_refund_export.refunded_amount as decimal(18, 2)) as export_refunded_amount,
    cast(of_lines.refunded_amount as decimal(18, 2)) as lines_refunded_amount,
    cast(of_head.refunded_amount as decimal(18, 2)) as head_refunded_amount

from orders
left join of_refund_export on orders.order_id = of_refund_export.order_id
left join of_lines on orders.order_id = of_lines.order_id
left join of_head on orders.order_id = of_head.order_id
