{#- Grain: shop x calendar day from the first event or order to D.
    Of how many of a day's paid orders the buyer is known: what customer figures can be trusted for.
    Definition: docs/definitions/people.md -#}

with accepted_sources as (
    select count(case when {{ generic_source("source") }} = 'orders' then 1 end) > 0 as has_orders
    from {{ source("ops", "batches") }}
    where ds <= {{ as_of_date() }}
),

orders_by_pay_date as (
    select
        paid_date,
        count(*) as orders_paid,
        count(customer_key) as orders_with_customer
    from {{ ref("fct_orders") }}
    where is_paid and paid_date <= {{ as_of_date() }}
    group by paid_date
),

-- A status that says paid where no pay time is told belongs to no pay date: it counts on the day of the order.
contrary_by_order_date as (
    select ordered_date, count(*) as status_contrary_count
    from {{ ref("fct_orders") }}
    where is_status_contrary
    group by ordered_date
),

days as (
    select
        calendar.calendar_date as business_date,
        case when sources.has_orders then coalesce(paid.orders_paid, 0) end as orders_paid,
        case when sources.has_orders then coalesce(paid.orders_with_customer, 0) end as orders_with_customer,
        case when sources.has_orders then coalesce(excluded.excluded_order_count, 0) end as excluded_order_count,
        case when sources.has_orders then coalesce(contrary.status_contrary_count, 0) end as status_contrary_count
    from {{ ref("int_calendar_days") }} as calendar
    cross join accepted_sources as sources
    left join orders_by_pay_date as paid on calendar.calendar_date = paid.paid_date
    left join contrary_by_order_date as contrary on calendar.calendar_date = contrary.ordered_date
    left join {{ ref("int_excluded_orders_by_day") }} as excluded on calendar.calendar_date = excluded.paid_date
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    business_date,
    orders_paid,
    orders_with_customer,
    excluded_order_count,
    status_contrary_count,
    {{ ratio("orders_with_customer", "orders_paid") }} as customer_coverage_rate
from days
