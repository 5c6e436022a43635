{#- Grain: member.
    The tier that the rules of seed member_tiers give, what is missing to the next, and how the exported tier compares.
    Definition: docs/definitions/stages.md -#}
{{ config(schema="intermediate", materialized="table") }}

with members as (
    select
        customers.customer_key,
        customers.tier as member_tier,
        coalesce(deals.net_amount_tier, 0) as tier_amount,
        coalesce(deals.deal_count_tier, 0) as tier_deal_count
    from {{ ref("dim_customers") }} as customers
    left join {{ ref("int_customer_deals") }} as deals on customers.customer_key = deals.customer_key
    where customers.is_member
),

-- One of the two conditions is enough, as on the platforms.
levels_reached as (
    select members.customer_key, members.member_tier, members.tier_amount, max(tiers.tier_level) as tier_level
    from members
    inner join {{ ref("member_tiers") }} as tiers
        on members.tier_amount >= tiers.min_amount or members.tier_deal_count >= tiers.min_deal_count
    group by members.customer_key, members.member_tier, members.tier_amount
),

exported_names as (
    select tier_level, {{ explode_list("exported_as") }} as exported_name
    from {{ ref("member_tiers") }}
)

select
    reached.customer_key,
    own.tier_id as tier_by_rule,
    -- A tier that the seed does not know is neither above nor below.
    cast(case
        when reached.tier_level > exported.tier_level then 'up'
        when reached.tier_level < exported.tier_level then 'down'
    end as varchar) as tier_move,
    cast(following.min_amount - reached.tier_amount as decimal(18, 2)) as amount_to_next_tier
from levels_reached as reached
inner join {{ ref("member_tiers") }} as own on reached.tier_level = own.tier_level
left join {{ ref("member_tiers") }} as following on reached.tier_level + 1 = following.tier_level
left join exported_names as exported on lower(trim(reached.member_tier)) = lower(exported.exported_name)
