{#- Grain: customer x item x date with a deal line, within the last repurchase_lookback_days.
    The distinct purchase days that repurchase rates and cycles count, with the gap to the purchase day before.
    Definition: docs/definitions/segments.md -#}
{{ config(schema="intermediate", materialized="view") }}

with purchase_days as (
    select distinct customer_key, item_id, paid_date
    from {{ ref("fct_order_lines") }}
    where
        is_deal
        and customer_key is not null
        and paid_date <= {{ as_of_date() }}
        and {{ days_between("paid_date", as_of_date()) }} < {{ var("repurchase_lookback_days") }}
)

select
    customer_key,
    item_id,
    paid_date,
    cast({{ days_between(
        "lag(paid_date) over (partition by customer_key, item_id order by paid_date)", "paid_date"
    ) }} as integer) as gap_days
from purchase_days
