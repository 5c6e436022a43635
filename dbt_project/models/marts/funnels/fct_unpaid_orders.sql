{#- Grain: shop x as-of date x order x item.
    Items of orders that customers placed in the last unpaid_order_days and can still pay, and when a reminder is due.
    Definition: docs/definitions/funnels.md -#}

with orders as (
    select order_id, customer_key, status_code, ordered_date, ordered_at, deposit_paid_at
    from {{ ref("fct_orders") }}
    where {{ is_unpaid_order() }}
),

lines as (
    select order_id, item_id, quantity, {{ line_list_amount() }} as line_amount
    from {{ ref("fct_order_lines") }}
    where not is_paid and ordered_date > {{ add_days(as_of_date(), -var("unpaid_order_days")) }}
),

items as (
    select order_id, item_id, sum(quantity) as quantity, sum(line_amount) as ordered_amount
    from lines
    group by order_id, item_id
)

-- An order of which no file tells the lines is there all the same, without an item.
select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    orders.order_id,
    orders.customer_key,
    items.item_id,
    orders.status_code,
    '{{ var("currency") }}' as currency_code,
    cast(items.quantity as decimal(38, 6)) as quantity,
    cast(items.ordered_amount as decimal(18, 2)) as ordered_amount,
    orders.deposit_paid_at is not null as has_deposit,
    {{ as_of_date() }} as as_of_date,
    orders.ordered_date,
    orders.ordered_at,
    {{ add_seconds("orders.ordered_at", var("unpaid_due_hours") * 60 * 60) }} as due_at
from orders
left join items on orders.order_id = items.order_id
