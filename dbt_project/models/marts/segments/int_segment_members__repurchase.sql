{#- Grain: customer in segment `repurchase` as of D.
    Bought an item with a high repurchase rate, and the age of the last purchase lies within that item's cycle.
    Definition: docs/definitions/segments.md -#}
{{ config(schema="intermediate", materialized="view") }}

select
    cast('repurchase' as varchar) as segment_id,
    customer_key,
    {{ json_array_agg_text([
        ("item_id", "item_id"),
        ("last_paid_date", "cast(last_paid_date as varchar)"),
        ("age_days", "age_days"),
        ("cycle_from_days", "cycle_from_days"),
        ("cycle_to_days", "cycle_to_days"),
        ("item_buyers", "item_buyers"),
        ("item_repeat_buyers", "item_repeat_buyers"),
    ], "item_id") }} as reason
from {{ ref("fct_item_repurchase_due") }}
where is_due
group by customer_key
