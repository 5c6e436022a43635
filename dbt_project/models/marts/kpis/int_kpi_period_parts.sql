{#- Grain: comparison x period (0 previous, 1 current) x dimension x value.
    What a period's paid amount is made of: how many visitors, buyers or pieces, and what they paid. People are counted over the
    period, never summed over its days. Definition: docs/definitions/what-moved.md -#}
{{ config(schema="intermediate", materialized="table") }}

with accepted_sources as (
    select
        count(case when {{ generic_source("source") }} = 'orders' then 1 end) > 0 as has_orders,
        count(case when {{ generic_source("source") }} = 'traffic_events' then 1 end) > 0 as has_traffic
    from {{ source("ops", "batches") }}
    where ds <= {{ as_of_date() }}
),

periods as (
    select comparison, 1 as period, current_start_date as start_date, current_end_date as end_date
    from {{ kpi_comparison_periods() }} as current_periods
    union all
    select comparison, 0 as period, previous_start_date as start_date, previous_end_date as end_date
    from {{ kpi_comparison_periods() }} as previous_periods
    where is_complete
),

period_days as (
    select comparison, period, start_date, {{ explode_days("start_date", "end_date") }} as day_at
    from periods
),

days as (
    select comparison, period, start_date, cast(day_at as date) as calendar_date
    from period_days
),

-- People: whoever came, by the first source of the period.
visits as (
    select
        days.comparison,
        days.period,
        coalesce(events.customer_key, visitors.customer_key, events.visitor_id) as person_id,
        events.visitor_id,
        events.customer_id,
        events.open_uid,
        events.first_source,
        events.first_event_at,
        events.first_event_id,
        events.first_event_type
    from {{ ref("int_visitor_days") }} as events
    inner join days on events.event_date = days.calendar_date
    left join {{ ref("dim_visitors") }} as visitors on events.visitor_id = visitors.visitor_id
),

visitors as (
    select comparison, period, count(distinct visitor_id) as visitors
    from visits
    group by comparison, period
),

persons as (
    select
        comparison,
        period,
        person_id,
        {{ value_at_minimum("coalesce(first_source, '')", record([
            ("at", "first_event_at"), ("has_no_id", "first_event_id is null"),
            ("id", "coalesce(first_event_id, '')"), ("type", "first_event_type"), ("visitor", "visitor_id"),
            ("customer", "coalesce(customer_id, '')"), ("open_uid", "coalesce(open_uid, '')"),
        ])) }} as first_source
    from visits
    group by comparison, period, person_id
),

-- Buyers, and what they had paid before the period began.
buyers as (
    select days.comparison, days.period, days.start_date, orders.customer_key, sum(orders.paid_amount) as paid_amount
    from {{ ref("fct_orders") }} as orders
    inner join days on orders.paid_date = days.calendar_date
    where orders.is_paid
    group by days.comparison, days.period, days.start_date, orders.customer_key
),

buyer_kinds as (
    select
        buyers.comparison,
        buyers.period,
        buyers.customer_key,
        buyers.paid_amount,
        case
            when max(earlier.paid_date) is null then 'new'
            when {{ days_between("max(earlier.paid_date)", "buyers.start_date") }} <= {{ var("kpi_new_buyer_days") }}
                then 'returning'
            else 'reactivated'
        end as customer_kind
    from buyers
    left join {{ ref("fct_orders") }} as earlier
        on buyers.customer_key = earlier.customer_key and earlier.paid_date < buyers.start_date
    where buyers.customer_key is not null
    group by buyers.comparison, buyers.period, buyers.start_date, buyers.customer_key, buyers.paid_amount
),

people as (
    select
        coalesce(persons.comparison, buyers.comparison) as comparison,
        coalesce(persons.period, buyers.period) as period,
        case
            when persons.person_id is null then '(no visit)'
            else coalesce(nullif(persons.first_source, ''), '{{ var("funnel_unknown_source") }}')
        end as source,
        coalesce(buyers.paid_amount, 0) as paid_amount
    from persons
    full outer join buyer_kinds as buyers
        on
            persons.comparison = buyers.comparison and persons.period = buyers.period
            and persons.person_id = buyers.customer_key
),

-- Pieces, by the category of the line, else of the item.
lines as (
    select
        days.comparison,
        days.period,
        coalesce(lines.category_id, items.category_id, '(unknown)') as category_id,
        lines.quantity,
        lines.paid_amount
    from {{ ref("fct_order_lines") }} as lines
    inner join days on lines.paid_date = days.calendar_date
    left join {{ ref("dim_items") }} as items on lines.item_id = items.item_id
    where lines.is_paid
),

-- Money of the period: of buyers, of nobody known, of lines.
identified as (
    select comparison, period, count(*) as buyers_paid, sum(paid_amount) as paid_amount
    from buyer_kinds
    group by comparison, period
),

paid as (
    select comparison, period, sum(paid_amount) as paid_amount
    from buyers
    group by comparison, period
),

lines_paid as (
    select comparison, period, sum(paid_amount) as paid_amount
    from lines
    group by comparison, period
),

totals as (
    select
        periods.comparison,
        periods.period,
        sources.has_traffic,
        case when sources.has_traffic then coalesce(visitors.visitors, 0) end as visitors,
        coalesce(identified.buyers_paid, 0) as buyers_paid,
        coalesce(identified.paid_amount, 0) as identified_amount,
        coalesce(paid.paid_amount, 0) - coalesce(identified.paid_amount, 0) as unidentified_amount,
        coalesce(paid.paid_amount, 0) - coalesce(lines_paid.paid_amount, 0) as unallocated_amount
    from periods
    cross join accepted_sources as sources
    left join visitors on periods.comparison = visitors.comparison and periods.period = visitors.period
    left join identified on periods.comparison = identified.comparison and periods.period = identified.period
    left join paid on periods.comparison = paid.comparison and periods.period = paid.period
    left join lines_paid on periods.comparison = lines_paid.comparison and periods.period = lines_paid.period
    where sources.has_orders or sources.has_traffic
),

parts as (
    select
        comparison, period, 'shop' as dimension, '(all)' as dimension_value, visitors as total_quantity,
        buyers_paid as quantity, identified_amount as paid_amount, false as is_direct
    from totals
    union all
    select comparison, period, 'shop', '(no customer)', null, null, unidentified_amount, true
    from totals
    union all
    select comparison, period, 'source', source, null, count(*), sum(paid_amount), false
    from people
    group by comparison, period, source
    union all
    select comparison, period, 'source', '(no customer)', null, null, unidentified_amount, true
    from totals
    union all
    select comparison, period, 'customer_kind', customer_kind, null, count(*), sum(paid_amount), false
    from buyer_kinds
    group by comparison, period, customer_kind
    union all
    select comparison, period, 'customer_kind', '(no customer)', null, null, unidentified_amount, true
    from totals
    union all
    select comparison, period, 'category', category_id, null, sum(quantity), sum(paid_amount), false
    from lines
    group by comparison, period, category_id
    union all
    select comparison, period, 'category', '(postage and rounding)', null, null, unallocated_amount, true
    from totals
)

select
    parts.comparison,
    parts.dimension,
    parts.dimension_value,
    parts.period,
    cast(
        case
            when parts.dimension = 'shop' then parts.total_quantity
            when not parts.is_direct
                then sum(parts.quantity) over (partition by parts.comparison, parts.period, parts.dimension)
        end as decimal(38, 6)
    ) as total_quantity,
    cast(parts.quantity as decimal(38, 6)) as quantity,
    cast(case when sources.has_orders then parts.paid_amount end as decimal(18, 2)) as paid_amount,
    parts.is_direct
from parts
cross join accepted_sources as sources
where sources.has_traffic or parts.dimension <> 'source'
