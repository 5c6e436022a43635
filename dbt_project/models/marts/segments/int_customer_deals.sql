{#- Grain: customer with a deal.
    Deals of each customer in the windows that stages, tiers and measures look at, and the customer's own median gap.
    Definition: docs/definitions/stages.md -#}
{{ config(schema="intermediate", materialized="table") }}
{#- The days of 365d and 720d are part of their names: a var could only make the names lie. -#}
{%- set windows = [
    ("365d", 365), ("720d", 720), ("purchase", var("aipl_purchase_days")), ("loyalty", var("aipl_loyalty_days")),
    ("new_customer", var("new_customer_lookback_days")), ("tier", var("member_tier_days")),
] %}

with deal_days as (
    select
        customer_key, deal_orders, net_amount, paid_date, {{ days_between("paid_date", as_of_date()) }} as age_days
    from {{ ref("int_customer_deal_days") }}
    where paid_date <= {{ as_of_date() }}
),

deals as (
    select
        customer_key,
        sum(deal_orders) as deal_count,
        count(*) as deal_day_count,
        sum(net_amount) as net_amount,
        {%- for name, days in windows %}
        coalesce(sum(case when age_days < {{ days }} then deal_orders end), 0) as deal_count_{{ name }},
        count(case when age_days < {{ days }} then 1 end) as deal_day_count_{{ name }},
        coalesce(sum(case when age_days < {{ days }} then net_amount end), 0) as net_amount_{{ name }},
        {%- endfor %}
        max(age_days) as days_since_first_deal,
        min(age_days) as days_since_last_deal,
        min(paid_date) as first_deal_date,
        max(paid_date) as last_deal_date
    from deal_days
    group by customer_key
),

-- Of fewer gaps a median says nothing about the customer. Discrete: a gap that the customer had.
own_medians as (
    select customer_key, percentile_disc(0.5) within group (order by gap_days) as own_gap_median_days
    from {{ ref("int_customer_gaps") }}
    group by customer_key
    having count(*) >= {{ var("churn_min_deal_days") }} - 1
)

select
    deals.customer_key,
    cast(deals.deal_count as integer) as deal_count,
    cast(deals.deal_day_count as integer) as deal_day_count,
    cast(deals.net_amount as decimal(18, 2)) as net_amount,
    {%- for name, _ in windows %}
    cast(deals.deal_count_{{ name }} as integer) as deal_count_{{ name }},
    cast(deals.deal_day_count_{{ name }} as integer) as deal_day_count_{{ name }},
    cast(deals.net_amount_{{ name }} as decimal(18, 2)) as net_amount_{{ name }},
    {%- endfor %}
    cast(deals.days_since_first_deal as integer) as days_since_first_deal,
    cast(deals.days_since_last_deal as integer) as days_since_last_deal,
    own_medians.own_gap_median_days,
    deals.first_deal_date,
    deals.last_deal_date
from deals
left join own_medians on deals.customer_key = own_medians.customer_key
