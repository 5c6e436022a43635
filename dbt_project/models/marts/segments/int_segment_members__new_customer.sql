{#- Grain: customer in segment `new_customer` as of D.
    Exactly one deal order in the last new_customer_lookback_days, paid within the last new_customer_recent_days.
    Definition: docs/definitions/segments.md -#}
{{ config(schema="intermediate", materialized="view") }}

with deals as (
    select customer_key, order_id, paid_date, {{ days_between("paid_date", as_of_date()) }} as age_days
    from {{ ref("fct_orders") }}
    where is_deal and customer_key is not null and paid_date <= {{ as_of_date() }}
),

-- A group of one: minimum is its only value.
only_deals as (
    select
        customer_key,
        min(order_id) as order_id,
        min(paid_date) as paid_date,
        min(age_days) as age_days
    from deals
    where age_days < {{ var("new_customer_lookback_days") }}
    group by customer_key
    having count(*) = 1
)

select
    cast('new_customer' as varchar) as segment_id,
    customer_key,
    {{ json_object_text([("order_id", "order_id"), ("paid_date", "cast(paid_date as varchar)")]) }} as reason
from only_deals
where age_days < {{ var("new_customer_recent_days") }}
