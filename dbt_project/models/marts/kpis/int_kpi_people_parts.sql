{#- Grain: period x dimension x value.
    The people of a period and what they paid, by where they came from and by what they had bought before. People are counted
    over the period, never summed over its days. Definition: docs/definitions/what-moved.md -#}
{{ config(schema="intermediate", materialized="table") }}
{%- set visit_order = record([
    ("at", "events.first_event_at"), ("has_no_id", "events.first_event_id is null"),
    ("id", "coalesce(events.first_event_id, '')"), ("type", "events.first_event_type"),
    ("visitor", "events.visitor_id"), ("customer", "coalesce(events.customer_id, '')"),
    ("open_uid", "coalesce(events.open_uid, '')"),
]) %}

with days as (
    select * from {{ ref("int_kpi_periods") }}
),

visits as (
    select
        days.period_id,
        events.visitor_id,
        coalesce(events.customer_key, visitors.customer_key, events.visitor_id) as person_id,
        coalesce(events.first_source, '{{ var("funnel_unknown_source") }}') as source,
        {{ visit_order }} as visit_order
    from {{ ref("int_visitor_days") }} as events
    inner join days on events.event_date = days.calendar_date
    left join {{ ref("dim_visitors") }} as visitors on events.visitor_id = visitors.visitor_id
),

visitors as (
    select period_id, visitor_id, {{ value_at_minimum("source", "visit_order") }} as source
    from visits
    group by period_id, visitor_id
),

persons as (
    select period_id, person_id, {{ value_at_minimum("source", "visit_order") }} as source
    from visits
    group by period_id, person_id
),

buyers as (
    select
        days.period_id,
        days.start_date,
        orders.customer_key,
        count(*) as orders_paid,
        sum(orders.paid_amount) as paid_amount
    from {{ ref("fct_orders") }} as orders
    inner join days on orders.paid_date = days.calendar_date
    where orders.is_paid
    group by days.period_id, days.start_date, orders.customer_key
),

paid_before as (
    select buyers.period_id, buyers.customer_key, max(earlier.paid_date) as paid_before_date
    from buyers
    inner join {{ ref("fct_orders") }} as earlier
        on buyers.customer_key = earlier.customer_key and earlier.paid_date < buyers.start_date
    group by buyers.period_id, buyers.customer_key
),

people as (
    select
        coalesce(persons.period_id, buyers.period_id) as period_id,
        coalesce(persons.source, case when buyers.customer_key is null then '(no customer)' else '(no visit)' end)
            as source,
        case
            when buyers.period_id is null then null
            when buyers.customer_key is null then '(no customer)'
            when paid_before.paid_before_date is null then 'new'
            when {{ days_between("paid_before.paid_before_date", "buyers.start_date") }} <= {{ var("kpi_new_buyer_days") }}
                then 'returning'
            else 'reactivated'
        end as customer_kind,
        case when persons.period_id is not null or buyers.customer_key is not null then 1 end as people,
        case when buyers.customer_key is not null then 1 else 0 end as buyers_paid,
        coalesce(buyers.orders_paid, 0) as orders_paid,
        coalesce(buyers.paid_amount, 0) as paid_amount
    from persons
    full outer join buyers on persons.period_id = buyers.period_id and persons.person_id = buyers.customer_key
    left join paid_before
        on buyers.period_id = paid_before.period_id and buyers.customer_key = paid_before.customer_key
),

parts as (
    select
        period_id, 'visitor_source' as dimension, source as dimension_value, 1 as people, 0 as buyers_paid,
        0 as orders_paid, 0 as paid_amount
    from visitors
    union all
    select period_id, 'source', source, people, buyers_paid, orders_paid, paid_amount
    from people
    union all
    select period_id, 'customer_kind', customer_kind, people, buyers_paid, orders_paid, paid_amount
    from people
    where customer_kind is not null
)

select
    period_id,
    dimension,
    dimension_value,
    cast(sum(people) as bigint) as people,
    cast(sum(buyers_paid) as bigint) as buyers_paid,
    cast(sum(orders_paid) as bigint) as orders_paid,
    cast(sum(paid_amount) as decimal(18, 2)) as paid_amount
from parts
group by period_id, dimension, dimension_value
