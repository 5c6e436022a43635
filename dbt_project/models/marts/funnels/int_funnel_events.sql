{#- Grain: grain (person, person_item) x event type x event of a person.
    Everything that serves a step of a funnel at one of the two grains: traffic events, and moments of orders as events of the
    person. Event types that no funnel of a grain asks for are left out.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="view") }}

with served as (
    select distinct grain, event_type, serves_as, only_where
    from {{ ref("int_funnel_step_types") }}
    where grain in ('person', 'person_item')
),

traffic as (
    select
        coalesce(events.customer_key, visitors.customer_key, events.visitor_id) as person_id,
        events.item_id,
        events.event_type,
        events.event_id,
        events.event_key,
        events.source,
        events.device,
        events.category_id,
        events.event_date,
        events.event_at
    from {{ ref("fct_events") }} as events
    left join {{ ref("dim_visitors") }} as visitors on events.visitor_id = visitors.visitor_id
),

-- Orders of which more is told than when they were placed and paid.
special_orders as (
    select order_id, coupon_codes, deposit_paid_date, deposit_paid_at
    from {{ ref("fct_orders") }}
    where coupon_codes is not null or deposit_paid_at is not null
),

lines as (
    select
        lines.order_id, lines.line_key, lines.customer_key, lines.item_id, lines.category_id, special.coupon_codes,
        lines.ordered_date, lines.paid_date, special.deposit_paid_date, lines.ordered_at, lines.paid_at,
        special.deposit_paid_at
    from {{ ref("fct_order_lines") }} as lines
    left join special_orders as special on lines.order_id = special.order_id
    where lines.item_id is not null
),

order_moments as (
    {{ funnel_order_moments(ref("fct_orders"), "person") }}
    union all
    {{ funnel_order_moments("lines", "person_item") }}
),

-- Grain `person` has no scope; the empty text stands for it, so that keys compare. Each event is read once for both grains.
person_events as (
    select
        served.grain, traffic.person_id, case when served.grain = 'person' then '' else traffic.item_id end as scope_key,
        served.event_type, traffic.event_id, traffic.event_key, traffic.source, traffic.device, traffic.category_id,
        traffic.event_date, traffic.event_at
    from traffic
    inner join served on traffic.event_type = served.serves_as
    where
        (served.only_where is null or {{ is_content_source("traffic.source") }})
        and (served.grain = 'person' or traffic.item_id is not null)
    union all
    select
        moments.grain, moments.person_id, moments.item_key, served.event_type, moments.event_id, moments.event_key, null, null,
        moments.category_id, moments.event_date, moments.event_at
    from order_moments as moments
    inner join served on moments.grain = served.grain and moments.serves_as = served.serves_as
    where {{ order_serves("served", "moments") }}
)

select
    cast(grain as varchar) as grain,
    person_id,
    scope_key,
    event_type,
    event_id,
    event_key,
    cast(source as varchar) as source,
    cast(device as varchar) as device,
    cast(category_id as varchar) as category_id,
    event_date,
    event_at
from person_events
where event_date <= {{ as_of_date() }}
