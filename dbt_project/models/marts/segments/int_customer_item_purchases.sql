{#- Grain: customer x item with a deal line in the last repurchase_lookback_days.
    The first and the last day on which a customer bought an item, by their numbers; item repurchase counts on it.
    Definition: docs/definitions/segments.md -#}
{{ config(schema="intermediate", materialized="table") }}

select
    customers.customer_number,
    items.item_number,
    min(lines.paid_date) as first_paid_date,
    max(lines.paid_date) as last_paid_date
from {{ ref("fct_order_lines") }} as lines
inner join {{ ref("int_customer_numbers") }} as customers on lines.customer_key = customers.customer_key
inner join {{ ref("int_item_numbers") }} as items on lines.item_id = items.item_id
where
    lines.is_deal
    and lines.paid_date <= {{ as_of_date() }}
    and {{ days_between("lines.paid_date", as_of_date()) }} < {{ var("repurchase_lookback_days") }}
group by customers.customer_number, items.item_number
