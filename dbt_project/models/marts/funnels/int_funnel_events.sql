{#- Grain: grain x event of a person.
    Everything that can serve a funnel step: traffic events, and orders placed and paid as events of the person.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="view") }}

with traffic as (
    select
        coalesce(events.customer_key, visitors.customer_key, events.visitor_id) as person_id,
        events.item_id,
        events.event_type,
        events.event_id,
        events.event_key,
        events.source,
        events.event_date,
        events.event_at
    from {{ ref("fct_events") }} as events
    left join {{ ref("dim_visitors") }} as visitors on events.visitor_id = visitors.visitor_id
),

-- Placing and paying are two events, even at the same moment.
orders as (
    {% for event_type, moment in [("order_placed", "ordered"), ("order_paid", "paid")] -%}
    select
        customer_key as person_id,
        '{{ event_type }}' as event_type,
        order_id as event_id,
        concat('{{ event_type }}:', order_id) as event_key,
        {{ moment }}_date as event_date,
        {{ moment }}_at as event_at
    from {{ ref("fct_orders") }}
    where customer_key is not null and {{ moment }}_at is not null
    {{ "union all" if not loop.last }}
    {% endfor %}
),

order_lines as (
    {% for event_type, moment in [("order_placed", "ordered"), ("order_paid", "paid")] -%}
    select
        customer_key as person_id,
        item_id,
        '{{ event_type }}' as event_type,
        order_id as event_id,
        concat('{{ event_type }}:', order_id, ':', line_key) as event_key,
        {{ moment }}_date as event_date,
        {{ moment }}_at as event_at
    from {{ ref("fct_order_lines") }}
    where customer_key is not null and item_id is not null and {{ moment }}_at is not null
    {{ "union all" if not loop.last }}
    {% endfor %}
),

grains as (
    select 'person' as grain
    union all
    select 'person_item' as grain
),

-- Grain `person` has no item; the empty text stands for it, so that keys compare. Each event is read once for both grains.
person_events as (
    select
        grains.grain, traffic.person_id, case when grains.grain = 'person' then '' else traffic.item_id end as item_key,
        traffic.event_type, traffic.event_id, traffic.event_key, traffic.source, traffic.event_date, traffic.event_at
    from traffic
    cross join grains
    where grains.grain = 'person' or traffic.item_id is not null
    union all
    select 'person', person_id, '', event_type, event_id, event_key, null, event_date, event_at
    from orders
    union all
    select 'person_item', person_id, item_id, event_type, event_id, event_key, null, event_date, event_at
    from order_lines
)

select
    cast(grain as varchar) as grain,
    person_id,
    item_key,
    event_type,
    event_id,
    event_key,
    cast(source as varchar) as source,
    event_date,
    event_at
from person_events
where event_date <= {{ as_of_date() }}
