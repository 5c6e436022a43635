{#- Grain: date with a paid order of a known customer.
    Buyers of a day by what they did before and after: first ever, first in 365 days, paid again within 30 days.
    Definition: docs/definitions/kpis.md -#}
{{ config(schema="intermediate", materialized="table") }}

with pay_days as (
    select distinct customer_key, paid_date
    from {{ ref("fct_orders") }}
    where is_paid and customer_key is not null and paid_date <= {{ as_of_date() }}
),

neighbours as (
    select
        paid_date,
        {{ days_between("lag(paid_date) over (partition by customer_key order by paid_date)", "paid_date") }} as days_since,
        {{ days_between("paid_date", "lead(paid_date) over (partition by customer_key order by paid_date)") }} as days_until
    from pay_days
)

select
    paid_date,
    count(*) as buyers_paid,
    count(case when days_since is null then 1 end) as new_buyers_lifetime,
    count(case when days_since is null or days_since > {{ var("kpi_new_buyer_days") }} then 1 end) as new_buyers_365d,
    count(case when days_until <= {{ var("kpi_repurchase_days") }} then 1 end) as repurchased_buyers_30d
from neighbours
group by paid_date
