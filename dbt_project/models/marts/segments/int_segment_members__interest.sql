{#- Grain: customer in segment `interest` as of D.
    A cart or favourite event of age 3 to 10 on an item that the customer has not paid for since.
    Definition: docs/definitions/segments.md -#}
{{ config(schema="intermediate", materialized="view") }}

with wishes as (
    select
        coalesce(events.customer_key, visitors.customer_key) as customer_key,
        events.item_id,
        events.event_date,
        events.event_at
    from {{ ref("fct_events") }} as events
    left join {{ ref("dim_visitors") }} as visitors on events.visitor_id = visitors.visitor_id
    where
        events.event_type in ('{{ var("interest_event_types") | join("', '") }}')
        and events.item_id is not null
        and events.event_date between {{ add_days(as_of_date(), -var("interest_max_days")) }}
        and {{ add_days(as_of_date(), -var("interest_min_days")) }}
),

-- Only the last payment matters: an event is answered as soon as any payment is not before it. Paid, not deal: a refund
-- does not bring the wish back. What was paid before the oldest wish answers none.
last_payments as (
    select customer_key, item_id, max(paid_at) as last_paid_at
    from {{ ref("fct_order_lines") }}
    where
        is_paid
        and paid_date between {{ add_days(as_of_date(), -var("interest_max_days")) }} and {{ as_of_date() }}
        and customer_key is not null
    group by customer_key, item_id
),

unanswered as (
    select wishes.customer_key, wishes.item_id, cast(wishes.event_date as varchar) as event_date
    from wishes
    left join last_payments
        on wishes.customer_key = last_payments.customer_key and wishes.item_id = last_payments.item_id
    where
        wishes.customer_key is not null
        and (last_payments.last_paid_at is null or last_payments.last_paid_at < wishes.event_at)
),

items as (
    select customer_key, item_id, {{ sorted_list("event_date") }} as event_dates
    from unanswered
    group by customer_key, item_id
),

reasons as (
    select
        customer_key,
        {{ json_array_agg_text([("item_id", "item_id"), ("event_dates", "event_dates")], "item_id") }} as reason
    from items
    group by customer_key
)

select
    cast('interest' as varchar) as segment_id,
    customer_key,
    reason
from reasons
