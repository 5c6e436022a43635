{#- Grain: shop x as-of date x customer.
    Where a customer stands: AIPL as the shop sees it, lifecycle by the shop's own gaps between deals, risk of churn.
    Definition: docs/definitions/stages.md -#}

with behaviour as (
    select
        customer_key,
        max(last_aware_date) as last_event_date,
        max(last_interest_date) as last_interest_date
    from {{ ref("int_customer_item_events") }}
    group by customer_key
),

viewed as (
    select
        coalesce(days.customer_key, visitors.customer_key) as customer_key,
        count(distinct days.event_date) as view_day_count
    from {{ ref("int_visitor_days") }} as days
    left join {{ ref("dim_visitors") }} as visitors on days.visitor_id = visitors.visitor_id
    where
        days.view_count > 0
        and days.event_date > {{ add_days(as_of_date(), -var("aipl_interest_days")) }}
        and days.event_date <= {{ as_of_date() }}
    group by coalesce(days.customer_key, visitors.customer_key)
),

measured as (
    select
        customers.customer_key,
        coalesce(deals.deal_day_count, 0) as deal_day_count,
        coalesce(deals.deal_count_purchase, 0) as purchase_deal_count,
        coalesce(deals.deal_count_new_customer, 0) as new_customer_deal_count,
        coalesce(deals.deal_day_count_loyalty, 0) as loyalty_deal_day_count,
        deals.days_since_last_deal,
        deals.own_gap_median_days,
        coalesce(viewed.view_day_count, 0) as view_day_count,
        behaviour.last_event_date,
        behaviour.last_interest_date,
        shop_gaps.shop_gap_count,
        shop_gaps.shop_gap_median_days,
        shop_gaps.shop_gap_p90_days
    from {{ ref("dim_customers") }} as customers
    cross join {{ ref("int_shop_gaps") }} as shop_gaps
    left join {{ ref("int_customer_deals") }} as deals on customers.customer_key = deals.customer_key
    left join behaviour on customers.customer_key = behaviour.customer_key
    left join viewed on customers.customer_key = viewed.customer_key
),

staged as (
    select
        *,
        case
            when loyalty_deal_day_count >= {{ var("aipl_loyalty_deal_days") }} then 'loyalty'
            when purchase_deal_count > 0 then 'purchase'
            when last_interest_date is not null or view_day_count >= {{ var("aipl_interest_view_days") }} then 'interest'
            when last_event_date is not null then 'awareness'
        end as aipl_stage,
        case
            when deal_day_count = 0 then 'prospect'
            when
                new_customer_deal_count = 1 and days_since_last_deal < {{ var("new_customer_recent_days") }}
                then 'new'
            when days_since_last_deal <= shop_gap_median_days then 'active'
            when days_since_last_deal <= shop_gap_p90_days then 'cooling'
            when days_since_last_deal <= {{ var("lifecycle_lost_factor") }} * shop_gap_p90_days then 'at_risk'
            else 'lost'
        end as lifecycle_stage
    from measured
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    customer_key,
    cast(aipl_stage as varchar) as aipl_stage,
    cast(lifecycle_stage as varchar) as lifecycle_stage,
    deal_day_count,
    purchase_deal_count,
    loyalty_deal_day_count,
    new_customer_deal_count,
    cast(view_day_count as integer) as view_day_count,
    days_since_last_deal,
    own_gap_median_days,
    shop_gap_count,
    shop_gap_median_days,
    shop_gap_p90_days,
    coalesce(
        lifecycle_stage = 'at_risk'
        or (
            deal_day_count >= {{ var("churn_min_deal_days") }}
            and lifecycle_stage <> 'lost'
            and days_since_last_deal > {{ var("churn_gap_factor") }} * own_gap_median_days
        ),
        false
    ) as is_churn_risk,
    last_event_date,
    last_interest_date
from staged
