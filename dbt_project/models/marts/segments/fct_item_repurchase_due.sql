{#- Grain: shop x as-of date x customer x item with a high repurchase rate and a known cycle, bought by the customer.
    When the customer is expected to buy the item again, and whether that is now.
    Definition: docs/definitions/segments.md -#}

with due as (
    select
        purchases.customer_key,
        purchases.item_id,
        {{ days_between("purchases.last_paid_date", as_of_date()) }} as age_days,
        repurchase.cycle_from_days,
        repurchase.cycle_to_days,
        repurchase.buyers as item_buyers,
        repurchase.repeat_buyers as item_repeat_buyers,
        purchases.last_paid_date
    from {{ ref("int_customer_item_purchases") }} as purchases
    inner join {{ ref("fct_item_repurchase") }} as repurchase on purchases.item_id = repurchase.item_id
    where repurchase.is_rate_high and repurchase.cycle_from_days is not null
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    customer_key,
    item_id,
    cast(age_days as integer) as age_days,
    cycle_from_days,
    cycle_to_days,
    item_buyers,
    item_repeat_buyers,
    age_days between cycle_from_days and cycle_to_days as is_due,
    last_paid_date,
    {{ add_days("last_paid_date", "cycle_from_days") }} as due_from_date,
    {{ add_days("last_paid_date", "cycle_to_days") }} as due_to_date
from due
