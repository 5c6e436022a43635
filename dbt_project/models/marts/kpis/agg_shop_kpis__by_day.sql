{#- Grain: shop x calendar day from the first event or order to D.
    Traffic, orders, buyers and money of the shop by day; dense, zeros included, NULL for what the shop does not export.
    Definition: docs/definitions/kpis.md -#}

with accepted_sources as (
    select
        count(case when {{ generic_source('source') }} = 'orders' then 1 end) > 0 as has_orders,
        count(case when {{ generic_source('source') }} = 'traffic_events' then 1 end) > 0 as has_traffic
    from {{ source("ops", "batches") }}
    where ds <= {{ as_of_date() }}
),

orders_by_order_date as (
    select ordered_date, count(*) as orders_placed
    from {{ ref("fct_orders") }}
    where ordered_date <= {{ as_of_date() }}
    group by ordered_date
),

orders_by_pay_date as (
    select
        paid_date,
        count(*) as orders_paid,
        sum(item_quantity) as item_quantity,
        sum(paid_amount) as paid_amount,
        sum(net_amount) as net_amount
    from {{ ref("fct_orders") }}
    where is_paid and paid_date <= {{ as_of_date() }}
    group by paid_date
),

refunds_by_date as (
    select refunded_date, sum(refunded_amount) as refunded_amount
    from {{ ref("fct_refunds") }}
    where refunded_date <= {{ as_of_date() }}
    group by refunded_date
),

days as (
    select
        calendar.calendar_date as business_date,
        {{ add_days("calendar.calendar_date", -var("kpi_repurchase_days")) }} as cohort_date,
        case when sources.has_traffic then coalesce(traffic.visitors, 0) end as visitors,
        case when sources.has_traffic then coalesce(traffic.views, 0) end as views,
        case when sources.has_traffic then coalesce(traffic.cart_visitors, 0) end as cart_visitors,
        case when sources.has_traffic then coalesce(traffic.favourite_visitors, 0) end as favourite_visitors,
        case when sources.has_orders then coalesce(placed.orders_placed, 0) end as orders_placed,
        case when sources.has_orders then coalesce(paid.orders_paid, 0) end as orders_paid,
        case when sources.has_orders then coalesce(buyers.buyers_paid, 0) end as buyers_paid,
        case when sources.has_orders then coalesce(buyers.new_buyers_lifetime, 0) end as new_buyers_lifetime,
        case when sources.has_orders then coalesce(buyers.new_buyers_365d, 0) end as new_buyers_365d,
        case when sources.has_orders then coalesce(paid.item_quantity, 0) end as item_quantity,
        case when sources.has_orders then coalesce(paid.paid_amount, 0) end as paid_amount,
        case when sources.has_orders then coalesce(paid.net_amount, 0) end as net_amount,
        case when sources.has_orders then coalesce(refunds.refunded_amount, 0) end as refunded_amount
    from {{ ref("int_calendar_days") }} as calendar
    cross join accepted_sources as sources
    left join {{ ref("int_traffic_days") }} as traffic on calendar.calendar_date = traffic.event_date
    left join orders_by_order_date as placed on calendar.calendar_date = placed.ordered_date
    left join orders_by_pay_date as paid on calendar.calendar_date = paid.paid_date
    left join {{ ref("int_buyers_by_day") }} as buyers on calendar.calendar_date = buyers.paid_date
    left join refunds_by_date as refunds on calendar.calendar_date = refunds.refunded_date
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    days.business_date,
    days.visitors,
    days.views,
    days.cart_visitors,
    days.favourite_visitors,
    days.orders_placed,
    days.orders_paid,
    days.buyers_paid,
    days.new_buyers_lifetime,
    days.buyers_paid - days.new_buyers_lifetime as returning_buyers_lifetime,
    days.new_buyers_365d,
    days.buyers_paid - days.new_buyers_365d as returning_buyers_365d,
    cast(days.item_quantity as decimal(18, 3)) as item_quantity,
    cast(days.paid_amount as decimal(18, 2)) as paid_amount,
    cast(days.net_amount as decimal(18, 2)) as net_amount,
    cast(days.refunded_amount as decimal(18, 2)) as refunded_amount,
    {{ ratio("days.buyers_paid", "days.visitors") }} as conversion_rate,
    {{ ratio("days.paid_amount", "days.buyers_paid") }} as amount_per_buyer,
    {{ ratio("days.paid_amount", "days.visitors") }} as amount_per_visitor,
    {{ ratio("days.item_quantity", "days.orders_paid") }} as items_per_order,
    {{ ratio("cohorts.repurchased_buyers_30d", "cohorts.buyers_paid") }} as repurchase_rate_30d
from days
left join {{ ref("int_buyers_by_day") }} as cohorts on days.cohort_date = cohorts.paid_date
