{#- Grain: shop x attribution model x paid order of the last attribution_keep_days x source x campaign.
    What a model gives to where the buyer came from; of every order exactly what was paid. From the first visit on.
    Definition: docs/definitions/attribution.md. A view: the credits are in int_attribution_credits and int_attribution_markov. -#}
{{ config(materialized="view") }}

with credits as (
    select
        attribution_model, order_id, source, campaign, touch_count, credit_amount, credit_net_amount, credit_orders, paid_date
    from {{ ref("int_attribution_credits") }}
    union all
    select
        'markov' as attribution_model, order_id, source,
        case
            when touch_count = 0 then '{{ var("attribution_no_touch") }}' else '{{ var("attribution_all_campaigns") }}'
        end as campaign,
        touch_count, credit_amount, credit_net_amount, credit_orders, paid_date
    from {{ ref("int_attribution_markov") }}
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    attribution_model,
    order_id,
    source,
    campaign,
    touch_count,
    credit_amount,
    credit_net_amount,
    credit_orders,
    paid_date
from credits
where
    paid_date between {{ add_days(as_of_date(), 1 - var("attribution_keep_days")) }} and {{ as_of_date() }}
    -- Of orders before the first visit nobody can know what their buyers visited.
    and paid_date >= (select min(session_date) from {{ ref("fct_sessions") }})
