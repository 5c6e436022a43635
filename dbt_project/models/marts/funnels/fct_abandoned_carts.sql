{#- Grain: shop x as-of date x person x item.
    Items put into the cart in the last cart_abandoned_days and neither ordered nor paid since, and when a reminder is due.
    Definition: docs/definitions/funnels.md -#}

with carts as (
    select
        coalesce(events.customer_key, visitors.customer_key, events.visitor_id) as person_id,
        coalesce(events.customer_key, visitors.customer_key) as customer_key,
        events.item_id,
        events.event_at
    from {{ ref("fct_events") }} as events
    left join {{ ref("dim_visitors") }} as visitors on events.visitor_id = visitors.visitor_id
    where
        events.event_type = 'cart'
        and events.item_id is not null
        and events.event_date > {{ add_days(as_of_date(), -var("cart_abandoned_days")) }}
        and events.event_date <= {{ as_of_date() }}
),

persons as (
    select
        person_id,
        item_id,
        min(customer_key) as customer_key,
        count(*) as cart_count,
        min(event_at) as first_carted_at,
        max(event_at) as carted_at
    from carts
    group by person_id, item_id
),

-- What was ordered or paid before those days answers none of their carts.
answers as (
    select customer_key, item_id, max(ordered_at) as last_ordered_at, max(paid_at) as last_paid_at
    from {{ ref("fct_order_lines") }}
    where
        customer_key is not null
        and (
            ordered_date > {{ add_days(as_of_date(), -var("cart_abandoned_days")) }}
            or paid_date > {{ add_days(as_of_date(), -var("cart_abandoned_days")) }}
        )
    group by customer_key, item_id
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    persons.person_id,
    persons.customer_key,
    persons.item_id,
    persons.cart_count,
    {{ as_of_date() }} as as_of_date,
    persons.first_carted_at,
    persons.carted_at,
    {{ add_seconds("persons.carted_at", var("cart_due_hours") * 60 * 60) }} as due_at
from persons
left join answers on persons.customer_key = answers.customer_key and persons.item_id = answers.item_id
where
    (answers.last_ordered_at is null or answers.last_ordered_at < persons.carted_at)
    and (answers.last_paid_at is null or answers.last_paid_at < persons.carted_at)
