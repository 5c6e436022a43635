{#- Grain: paid order x source, with what the Markov model gives it; all orders, by the removal effects as of D.
    The sources of an order's touches share its amount in proportion to their removal effects, equally where all are 0.
    Definition: docs/definitions/attribution.md -#}
{{ config(schema="intermediate", materialized="table") }}

-- Any model that counts every touch tells the touches; the orders of all days, for the effects are new every day.
with order_sources as (
    select
        order_id,
        source,
        sum(touch_count) as touch_count,
        min(first_touch_number) as first_touch_number,
        count(*) over (partition by order_id) as sources,
        sum(sum(credit_amount)) over (partition by order_id) as paid_amount,
        sum(sum(credit_net_amount)) over (partition by order_id) as net_amount,
        min(paid_date) as paid_date
    from {{ ref("int_attribution_credits") }}
    where attribution_model = 'linear'
    group by order_id, source
),

effects as (
    select source, cast(round(removal_effect * 1000000) as bigint) as effect_millionths
    from {{ ref("int_markov_effects") }}
),

other_effects as (
    select max(effect_millionths) as effect_millionths
    from effects
    where source = '{{ var("markov_other_source") }}'
),

orders as (
    select distinct order_id, paid_amount, net_amount from order_sources where sources > 1
),

known as (
    select
        order_sources.order_id,
        order_sources.source,
        order_sources.first_touch_number,
        coalesce(effects.effect_millionths, other_effects.effect_millionths, 0) as effect_millionths
    from order_sources
    cross join other_effects
    left join effects on order_sources.source = effects.source
    where order_sources.sources > 1
),

weighed as (
    select
        order_id,
        'markov' as attribution_model,
        source as line_key,
        first_touch_number as line_number,
        case when sum(effect_millionths) over (partition by order_id) = 0 then 1 else effect_millionths end as weight
    from known
),

{{ credit_share_ctes("weighed", "orders") }}

select
    order_sources.order_id,
    order_sources.source,
    cast(order_sources.touch_count as integer) as touch_count,
    {{ from_cents("coalesce(shares.gross_cents, " ~ to_cents("order_sources.paid_amount") ~ ")") }} as credit_amount,
    {{ from_cents("coalesce(shares.net_cents, " ~ to_cents("order_sources.net_amount") ~ ")") }} as credit_net_amount,
    {{ from_millionths("coalesce(shares.order_millionths, 1000000)") }} as credit_orders,
    order_sources.paid_date
from order_sources
left join shares on order_sources.order_id = shares.order_id and order_sources.source = shares.line_key
