{#-
    Grain: one customer with an order placed on or before D: counts, amounts and the newest place of delivery.
-#}
{{ config(schema='intermediate', contract={'enforced': false}) }}

with

orders as (

    select * from {{ ref('fct_orders') }}
    where customer_key is not null

),

ordered as (

    select
        customer_key,
        count(*) as order_count,
        count(case when is_paid then 1 end) as paid_order_count,
        count(case when is_deal then 1 end) as deal_count,
        cast(coalesce(sum(paid_amount), 0) as decimal(18, 2)) as paid_amount,
        cast(sum(refunded_amount) as decimal(18, 2)) as refunded_amount,
        cast(coalesce(sum(net_amount), 0) as decimal(18, 2)) as net_amount,
        min(ordered_date) as first_ordered_date,
        max(ordered_date) as last_ordered_date,
        min(paid_date) as first_paid_date,
        max(paid_date) as last_paid_date,
        max(case when is_deal then signed_date end) as last_signed_date
    from orders
    group by customer_key

),

placed as (

    select
        customer_key,
        province,
        city,
        row_number() over (partition by customer_key order by ordered_at desc, order_id desc) as place_rank
    from orders
    where province is not null or city is not null

)

select
    -- ids
    ordered.customer_key,

    -- strings
    placed.province,
    placed.city,

    -- numerics
    ordered.order_count,
    ordered.paid_order_count,
    ordered.deal_count,
    ordered.paid_amount,
    ordered.refunded_amount,
    ordered.net_amount,

    -- booleans
    placed.customer_key is not null as has_place,

    -- dates
    ordered.first_ordered_date,
    ordered.last_ordered_date,
    ordered.first_paid_date,
    ordered.last_paid_date,
    ordered.last_signed_date

from ordered
left join placed on ordered.customer_key = placed.customer_key and placed.place_rank = 1
