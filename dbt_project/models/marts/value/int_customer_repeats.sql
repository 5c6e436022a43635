{#- Grain: base (days before D) x customer with a deal by then.
    What is known of a customer on D, and what was known value_horizon_days before, with what came after; value counts on it.
    Definition: docs/definitions/value.md -#}
{{ config(schema="intermediate", materialized="table") }}

{%- for base_age in [0, var("value_horizon_days")] %}
{%- set base_date = add_days(as_of_date(), -base_age) %}

select
    customer_key,
    cast({{ base_age }} as bigint) as base_age_days,
    cast(count(case when paid_date <= {{ base_date }} then 1 end) - 1 as bigint) as repeat_deal_days,
    cast({{ days_between("first_deal_date", "max(case when paid_date <= " ~ base_date ~ " then paid_date end)") }} as bigint)
        as recency_days_from_first,
    cast({{ days_between("first_deal_date", base_date) }} as bigint) as customer_age_days,
    count(case when paid_date > {{ base_date }} then 1 end) as later_deal_days,
    cast(sum(case when paid_date <= {{ base_date }} then net_amount else 0 end) as decimal(18, 2)) as net_amount,
    cast(sum(case when paid_date > first_deal_date and paid_date <= {{ base_date }} then net_amount else 0 end) as decimal(18, 2))
        as repeat_amount,
    cast(sum(case when paid_date > {{ base_date }} then net_amount else 0 end) as decimal(18, 2)) as later_amount
from {{ ref("int_customer_deal_days") }}
where first_deal_date <= {{ base_date }}
group by customer_key, first_deal_date
{{ "union all" if not loop.last }}
{%- endfor %}
