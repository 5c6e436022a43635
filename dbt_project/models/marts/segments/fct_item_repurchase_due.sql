{#- Grain: shop x as-of date x customer x item with a high repurchase rate and a known cycle, bought by the customer.
    When the customer is expected to buy the item again, and whether that is now.
    Definition: docs/definitions/segments.md -#}

with due as (
    select
        purchases.customer_number,
        repurchase.item_id,
        {{ days_between("purchases.last_paid_date", as_of_date()) }} as age_days,
        repurchase.cycle_from_days,
        repurchase.cycle_to_days,
        repurchase.buyers as item_buyers,
        repurchase.repeat_buyers as item_repeat_buyers,
        purchases.last_paid_date
    from {{ ref("int_customer_item_purchases") }} as purchases
    inner join {{ ref("int_item_numbers") }} as items on purchases.item_number = items.item_number
    inner join {{ ref("fct_item_repurchase") }} as repurchase on items.item_id = repurchase.item_id
    where repurchase.is_rate_high and repurchase.cycle_from_days is not null
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    customers.customer_key,
    due.item_id,
    cast(due.age_days as integer) as age_days,
    due.cycle_from_days,
    due.cycle_to_days,
    due.item_buyers,
    due.item_repeat_buyers,
    due.age_days between due.cycle_from_days and due.cycle_to_days as is_due,
    due.last_paid_date,
    {{ add_days("due.last_paid_date", "due.cycle_from_days") }} as due_from_date,
    {{ add_days("due.last_paid_date", "due.cycle_to_days") }} as due_to_date
from due
inner join {{ ref("int_customer_numbers") }} as customers on due.customer_number = customers.customer_number
