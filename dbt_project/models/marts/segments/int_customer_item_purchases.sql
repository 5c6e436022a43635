{#- Grain: customer x item with a deal line in the last repurchase_lookback_days.
    The first and the last day on which a customer bought an item; item repurchase counts on it.
    Definition: docs/definitions/segments.md -#}
{{ config(schema="intermediate", materialized="table") }}

select
    customer_key,
    item_id,
    min(paid_date) as first_paid_date,
    max(paid_date) as last_paid_date
from {{ ref("fct_order_lines") }}
where
    is_deal
    and customer_key is not null
    and paid_date <= {{ as_of_date() }}
    and {{ days_between("paid_date", as_of_date()) }} < {{ var("repurchase_lookback_days") }}
group by customer_key, item_id
