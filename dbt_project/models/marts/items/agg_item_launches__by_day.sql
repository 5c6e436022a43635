{#- Grain: shop x item that was first seen when the shop was known already x day since then, 0 to launch_days - 1.
    How a new item takes off; dense, NULL for days to come and for what the shop does not export.
    Definition: docs/definitions/affinity.md -#}

with accepted_sources as (
    select
        count(case when {{ generic_source('source') }} = 'orders' then 1 end) > 0 as has_orders,
        count(case when {{ generic_source('source') }} = 'traffic_events' then 1 end) > 0 as has_traffic
    from {{ source("ops", "batches") }}
    where ds <= {{ as_of_date() }}
),

starts as (
    select min(ordered_date) as start_date from {{ ref("fct_orders") }}
    union all
    select min(first_event_date) as start_date from {{ ref("dim_visitors") }}
),

first_days as (
    select
        item_id,
        least(coalesce(first_event_date, first_ordered_date), coalesce(first_ordered_date, first_event_date)) as launch_date
    from {{ ref("dim_items") }}
    where first_event_date is not null or first_ordered_date is not null
),

-- What was there in the first days of orders, or of traffic, may have been there for years.
launches as (
    select item_id, launch_date
    from first_days
    where not exists (
        select 1 from starts
        where
            first_days.launch_date >= starts.start_date
            and first_days.launch_date < {{ add_days("starts.start_date", var("launch_min_history_days")) }}
    )
),

days as (
    select
        launches.item_id,
        launches.launch_date,
        numbers.day_number,
        {{ add_days("launches.launch_date", "numbers.day_number") }} as business_date
    from launches
    cross join (
        {%- for number in range(var("launch_days")) %}
        select {{ number }} as day_number {{ "union all" if not loop.last }}
        {%- endfor %}
    ) as numbers
),

sales as (
    select
        item_id,
        paid_date,
        count(distinct customer_key) as buyers,
        sum(quantity) as quantity,
        sum(paid_amount) as paid_amount
    from {{ ref("fct_order_lines") }}
    where is_paid and item_id in (select item_id from launches)
    group by item_id, paid_date
),

measured as (
    select
        days.item_id,
        days.launch_date,
        days.day_number,
        days.business_date,
        days.business_date <= {{ as_of_date() }} as is_complete,
        case when sources.has_traffic then coalesce(visits.view_count, 0) end as views,
        case when sources.has_traffic then coalesce(visits.visitor_count, 0) end as visitors,
        case when sources.has_traffic then coalesce(visits.cart_visitor_count, 0) end as cart_visitors,
        case when sources.has_orders then coalesce(sales.buyers, 0) end as buyers,
        case when sources.has_orders then coalesce(sales.quantity, 0) end as quantity,
        case when sources.has_orders then coalesce(sales.paid_amount, 0) end as paid_amount,
        case
            when sources.has_orders then sum(coalesce(sales.paid_amount, 0)) over (
                partition by days.item_id order by days.day_number
            )
        end as cumulative_paid_amount
    from days
    cross join accepted_sources as sources
    left join {{ ref("int_item_visitor_days") }} as visits
        on days.item_id = visits.item_id and days.business_date = visits.event_date
    left join sales on days.item_id = sales.item_id and days.business_date = sales.paid_date
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    item_id,
    cast(day_number as integer) as day_number,
    case when is_complete then views end as views,
    case when is_complete then visitors end as visitors,
    case when is_complete then cart_visitors end as cart_visitors,
    case when is_complete then buyers end as buyers,
    cast(case when is_complete then quantity end as decimal(18, 3)) as quantity,
    cast(case when is_complete then paid_amount end as decimal(18, 2)) as paid_amount,
    cast(case when is_complete then cumulative_paid_amount end as decimal(18, 2)) as cumulative_paid_amount,
    is_complete,
    launch_date,
    business_date
from measured
