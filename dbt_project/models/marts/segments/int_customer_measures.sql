{#- Grain: customer as of D.
    Every measure that a rule of the segment catalogue may ask for, in one wide row.
    Definition: docs/definitions/stages.md -#}
{{ config(schema="intermediate", materialized="table") }}

with troubled_orders as (
    select
        customer_key,
        count(case when is_paid and refunded_amount > 0 then 1 end) as refunded_order_count,
        count(case when {{ is_unpaid_order() }} then 1 end) as unpaid_order_count
    from {{ ref("fct_orders") }}
    where customer_key is not null and (not is_paid or refunded_amount > 0)
    group by customer_key
),

due_items as (
    select customer_key, count(*) as repurchase_due_item_count
    from {{ ref("fct_item_repurchase_due") }}
    where is_due
    group by customer_key
),

tags as (
    select
        customer_key,
        {%- for tag in ("price_sensitive", "quality_seeker", "trend_follower") %}
        max(case when tag_id = '{{ tag }}' then score end) as {{ tag }}_score{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref("fct_customer_tags") }}
    group by customer_key
),

persons as (
    select
        customers.*,
        customers.is_fan or customers.is_member or customers.is_buyer as is_relationship,
        {{ days_between(
            "least(customers.first_event_date, customers.first_ordered_date, customers.joined_date)", as_of_date()
        ) }} as days_since_first_seen,
        {{ days_between("greatest(deals.last_deal_date, customers.last_event_date)", as_of_date()) }} as days_since_last_activity
    from {{ ref("dim_customers") }} as customers
    left join {{ ref("int_customer_deals") }} as deals on customers.customer_key = deals.customer_key
)

select
    persons.customer_key,
    interests.top_category_id,
    interests.crowd_ids,
    persons.preferred_category_id,
    rfm.rfm_class,
    stages.aipl_stage,
    stages.lifecycle_stage,
    persons.tier as member_tier,
    tiers.tier_by_rule,
    tiers.tier_move,
    persons.province,
    persons.price_tier,
    persons.first_touch_source,
    {%- for count in [
        "deals.deal_count", "deals.deal_day_count", "deals.deal_count_365d", "deals.deal_day_count_365d",
        "deals.deal_count_720d", "troubled_orders.refunded_order_count", "troubled_orders.unpaid_order_count",
        "interests.abandoned_cart_item_count", "interests.interest_item_count", "interests.affine_item_count",
        "interests.affine_category_count", "due_items.repurchase_due_item_count",
    ] %}
    cast(coalesce({{ count }}, 0) as integer) as {{ count.split(".")[1] }},
    {%- endfor %}
    deals.days_since_first_deal,
    deals.days_since_last_deal,
    cast(persons.days_since_last_activity as integer) as days_since_last_activity,
    cast(persons.days_since_first_seen as integer) as days_since_first_seen,
    rfm.r_score,
    rfm.f_score,
    rfm.m_score,
    cast(coalesce(deals.net_amount, 0) as decimal(18, 2)) as net_amount,
    cast(coalesce(deals.net_amount_365d, 0) as decimal(18, 2)) as net_amount_365d,
    tiers.amount_to_next_tier,
    tags.price_sensitive_score,
    tags.quality_seeker_score,
    tags.trend_follower_score,
    interests.top_category_share,
    stages.is_churn_risk,
    persons.is_fan,
    persons.is_member,
    persons.is_buyer,
    persons.is_relationship,
    persons.is_relationship
    and coalesce(persons.days_since_last_activity < {{ var("relationship_effective_days") }}, false) as is_effective,
    persons.is_relationship
    and coalesce(persons.days_since_last_activity >= {{ var("relationship_effective_days") }}, true) as is_silent,
    deals.first_deal_date,
    deals.last_deal_date
from persons
inner join {{ ref("fct_customer_stages") }} as stages on persons.customer_key = stages.customer_key
left join {{ ref("int_customer_deals") }} as deals on persons.customer_key = deals.customer_key
left join {{ ref("fct_customer_rfm") }} as rfm on persons.customer_key = rfm.customer_key
left join {{ ref("int_customer_interests") }} as interests on persons.customer_key = interests.customer_key
left join {{ ref("int_member_tiers") }} as tiers on persons.customer_key = tiers.customer_key
left join troubled_orders on persons.customer_key = troubled_orders.customer_key
left join due_items on persons.customer_key = due_items.customer_key
left join tags on persons.customer_key = tags.customer_key
