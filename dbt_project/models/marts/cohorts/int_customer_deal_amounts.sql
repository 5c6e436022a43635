{#- Grain: customer x date on which a deal was paid or a deal's refund is dated.
    What deals brought, by their pay date, and what was given back, by both dates; retention counts on it.
    Definition: docs/definitions/cohorts.md -#}
{{ config(schema="intermediate", materialized="table") }}

with deals as (
    select
        order_id,
        customer_key,
        paid_amount,
        refunded_amount,
        net_amount,
        paid_date
    from {{ ref("fct_orders") }}
    where is_deal and customer_key is not null and paid_date <= {{ as_of_date() }}
),

dated as (
    select
        customer_key,
        1 as deal_orders,
        paid_amount,
        refunded_amount as refunded_amount_by_order_date,
        cast(0 as decimal(18, 2)) as refunded_amount_by_refund_date,
        net_amount,
        paid_date as amount_date
    from deals
    union all
    -- Nothing is given back before it was paid: a refund with an earlier date counts on the pay date.
    select
        deals.customer_key,
        0 as deal_orders,
        cast(0 as decimal(18, 2)) as paid_amount,
        cast(0 as decimal(18, 2)) as refunded_amount_by_order_date,
        refunds.refunded_amount as refunded_amount_by_refund_date,
        cast(0 as decimal(18, 2)) as net_amount,
        greatest(refunds.refunded_date, deals.paid_date) as amount_date
    from {{ ref("fct_refunds") }} as refunds
    inner join deals on refunds.order_id = deals.order_id
    where refunds.refunded_date <= {{ as_of_date() }}
),

by_date as (
    select
        customer_key,
        cast(sum(deal_orders) as bigint) as deal_orders,
        cast(sum(paid_amount) as decimal(18, 2)) as paid_amount,
        cast(sum(refunded_amount_by_order_date) as decimal(18, 2)) as refunded_amount_by_order_date,
        cast(sum(refunded_amount_by_refund_date) as decimal(18, 2)) as refunded_amount_by_refund_date,
        cast(sum(net_amount) as decimal(18, 2)) as net_amount,
        amount_date
    from dated
    group by customer_key, amount_date
)

select
    customer_key,
    deal_orders,
    paid_amount,
    refunded_amount_by_order_date,
    refunded_amount_by_refund_date,
    net_amount,
    amount_date,
    -- The first date of all is a deal's: nothing is given back before.
    min(amount_date) over (partition by customer_key) as first_deal_date
from by_date
