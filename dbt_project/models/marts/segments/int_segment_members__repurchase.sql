{#- Grain: customer in segment `repurchase` as of D.
    Bought an item with a high repurchase rate, and the age of the last purchase lies within that item's cycle.
    Definition: docs/definitions/segments.md -#}
{{ config(schema="intermediate", materialized="view") }}

with last_purchases as (
    select customer_key, item_id, max(paid_date) as last_paid_date
    from {{ ref("int_item_purchase_days") }}
    group by customer_key, item_id
),

items_due as (
    select
        last_purchases.customer_key,
        last_purchases.item_id,
        last_purchases.last_paid_date,
        {{ days_between("last_purchases.last_paid_date", as_of_date()) }} as age_days,
        stats.cycle_from_days,
        stats.cycle_to_days,
        stats.buyers,
        stats.repeat_buyers
    from last_purchases
    inner join {{ ref("int_item_repurchase_stats") }} as stats on last_purchases.item_id = stats.item_id
    where stats.is_rate_high
)

select
    cast('repurchase' as varchar) as segment_id,
    customer_key,
    {{ json_array_agg_text([
        ("item_id", "item_id"),
        ("last_paid_date", "cast(last_paid_date as varchar)"),
        ("age_days", "age_days"),
        ("cycle_from_days", "cycle_from_days"),
        ("cycle_to_days", "cycle_to_days"),
        ("item_buyers", "buyers"),
        ("item_repeat_buyers", "repeat_buyers"),
    ], "item_id") }} as reason
from items_due
where age_days between cycle_from_days and cycle_to_days
group by customer_key
