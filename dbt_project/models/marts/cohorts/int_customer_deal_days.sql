{#- Grain: customer x date with a deal.
    A customer's distinct deal pay dates, with what they brought, the first of them and the gap before; cohorts count on it.
    Definition: docs/definitions/cohorts.md -#}
{{ config(schema="intermediate", materialized="table") }}

with deal_days as (
    select
        customer_key,
        paid_date,
        count(*) as deal_orders,
        cast(sum(net_amount) as decimal(18, 2)) as net_amount
    from {{ ref("fct_orders") }}
    where is_deal and customer_key is not null and paid_date <= {{ as_of_date() }}
    group by customer_key, paid_date
)

select
    customer_key,
    deal_orders,
    net_amount,
    paid_date,
    -- By the same order as the gap, so that one sort serves both; the first day of all is the first so far.
    min(paid_date) over (partition by customer_key order by paid_date) as first_deal_date,
    cast({{ days_between("lag(paid_date) over (partition by customer_key order by paid_date)", "paid_date") }} as integer)
        as gap_days
from deal_days
