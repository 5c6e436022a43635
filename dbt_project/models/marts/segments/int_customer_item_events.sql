{#- Grain: customer x item (null: the event names none) with an event in the last days that any rule looks at.
    Recent behaviour, read once: what AIPL, open wishes, abandoned carts and affine items need.
    Definition: docs/definitions/stages.md -#}
{{ config(schema="intermediate", materialized="table") }}
{%- set reach = [
    var("aipl_awareness_days"), var("aipl_interest_days"), var("item_affinity_days"), var("cart_abandoned_days"),
    var("interest_max_days") + 1,
] | max -%}
{%- set interest_types = "'" ~ var("aipl_interest_event_types") | join("', '") ~ "'" -%}
{%- set wish_types = "'" ~ var("interest_event_types") | join("', '") ~ "'" -%}

with events as (
    select
        coalesce(events.customer_key, visitors.customer_key) as customer_key,
        events.item_id,
        events.event_type,
        events.event_date,
        events.event_at,
        {{ days_between("events.event_date", as_of_date()) }} as age_days
    from {{ ref("fct_events") }} as events
    left join {{ ref("dim_visitors") }} as visitors on events.visitor_id = visitors.visitor_id
    where events.event_date > {{ add_days(as_of_date(), -reach) }} and events.event_date <= {{ as_of_date() }}
),

behaviour as (
    select
        customer_key,
        item_id,
        {% for event_type in ("view", "favourite", "cart") -%}
        count(case
            when event_type = '{{ event_type }}' and age_days < {{ var("item_affinity_days") }} then 1
        end) as {{ event_type }}_count,
        {% endfor -%}
        max(case when age_days < {{ var("aipl_awareness_days") }} then event_date end) as last_aware_date,
        max(case
            when event_type in ({{ interest_types }}) and age_days < {{ var("aipl_interest_days") }} then event_date
        end) as last_interest_date,
        max(case
            when
                event_type in ({{ wish_types }})
                and age_days between {{ var("interest_min_days") }} and {{ var("interest_max_days") }}
                then event_at
        end) as last_wish_at,
        max(case
            when event_type = 'cart' and age_days < {{ var("cart_abandoned_days") }} then event_at
        end) as last_cart_at
    from events
    where customer_key is not null
    group by customer_key, item_id
),

-- What is not before an event is not dated before it either: older lines answer nothing.
answers as (
    select customer_key, item_id, max(ordered_at) as last_ordered_at, max(paid_at) as last_paid_at
    from {{ ref("fct_order_lines") }}
    where
        customer_key is not null
        and (
            ordered_date > {{ add_days(as_of_date(), -reach) }}
            or (is_paid and paid_date > {{ add_days(as_of_date(), -reach) }})
        )
    group by customer_key, item_id
)

-- The last event of an item is the hardest to answer: if it is answered, all are.
select
    behaviour.customer_key,
    behaviour.item_id,
    behaviour.view_count,
    behaviour.favourite_count,
    behaviour.cart_count,
    coalesce(
        behaviour.item_id is not null
        and behaviour.last_wish_at is not null
        and (answers.last_paid_at is null or answers.last_paid_at < behaviour.last_wish_at),
        false
    ) as is_open_wish,
    coalesce(
        behaviour.item_id is not null
        and behaviour.last_cart_at is not null
        and (answers.last_paid_at is null or answers.last_paid_at < behaviour.last_cart_at)
        and (answers.last_ordered_at is null or answers.last_ordered_at < behaviour.last_cart_at),
        false
    ) as is_abandoned_cart,
    behaviour.last_aware_date,
    behaviour.last_interest_date
from behaviour
left join answers on behaviour.customer_key = answers.customer_key and behaviour.item_id = answers.item_id
