{#-
    Grain: one customer: anyone with an unmasked customer id in orders, traffic or members dated on or before D.
    No personal data: contact details stay in the vault.
    Definition: docs/definitions/people.md
-#}
with

orders as (

    select customer_key, customer_id from {{ ref('fct_orders') }}
    where customer_key is not null

),

identities as (

    select customer_id, customer_key, first_event_date, last_event_date from {{ ref('int_visitor_identities') }}
    where customer_id is not null

),

-- A member who joins after D waits.
members as (

    select
        *,
        {{ customer_key('customer_id') }} as customer_key
    from {{ ref('int_members') }}
    where joined_date is null or joined_date <= {{ as_of_date() }}

),

customer_identifiers as (

    select customer_key, customer_id from orders
    union
    select customer_key, customer_id from identities
    union
    select customer_key, customer_id from members

),

customers as (

    select
        customer_key,
        {{ sorted_list('customer_id') }} as customer_ids
    from customer_identifiers
    group by customer_key

),

ordered as (

    select * from {{ ref('int_customer_orders') }}

),

visited as (

    select
        customer_key,
        min(first_event_date) as first_event_date,
        max(last_event_date) as last_event_date
    from identities
    group by customer_key

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    customers.customer_key,
    customers.customer_ids,

    -- strings
    members.tier,
    members.gender,
    members.age_band,
    case when ordered.has_place then ordered.province else members.province end as province,
    case when ordered.has_place then ordered.city else members.city end as city,
    '{{ var("currency") }}' as currency_code,

    -- numerics
    coalesce(ordered.order_count, 0) as order_count,
    coalesce(ordered.paid_order_count, 0) as paid_order_count,
    coalesce(ordered.deal_count, 0) as deal_count,
    coalesce(ordered.paid_amount, 0) as paid_amount,
    coalesce(ordered.refunded_amount, 0) as refunded_amount,
    coalesce(ordered.net_amount, 0) as net_amount,

    -- booleans
    coalesce(members.is_member, false) as is_member,
    coalesce(members.is_fan, false) and coalesce(members.fan_since_date <= {{ as_of_date() }}, true) as is_fan,

    -- dates
    members.joined_date,
    ordered.first_ordered_date,
    ordered.last_ordered_date,
    ordered.first_paid_date,
    ordered.last_paid_date,
    visited.first_event_date,
    visited.last_event_date

from customers
left join members on customers.customer_key = members.customer_key
left join ordered on customers.customer_key = ordered.customer_key
left join visited on customers.customer_key = visited.customer_key
