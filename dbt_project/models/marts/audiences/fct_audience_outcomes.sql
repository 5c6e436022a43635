{#- Grain: shop x audience x customer x date of first exposure.
    What a customer bought in the days after coming into a published audience or into its holdout.
    Definition: docs/definitions/audience-outcomes.md -#}
{%- set window_days = var("audience_outcome_days") %}

with shops as (
    select count(case when {{ generic_source('source') }} = 'orders' then 1 end) > 0 as has_orders
    from {{ source("ops", "batches") }}
    where ds <= {{ as_of_date() }}
),

exposures as (
    select exposures.*, {{ add_days("exposures.exposed_on", window_days) }} as window_ends_on
    from {{ ref("int_audience_exposures") }} as exposures
    inner join shops on shops.has_orders
),

deals as (
    select customer_key, deal_orders, net_amount, paid_date
    from {{ ref("int_customer_deal_days") }}
),

-- A list as of a date is used on the day after it at the earliest: that day is the first that counts.
outcomes as (
    select
        exposures.audience_id,
        exposures.customer_key,
        exposures.exposed_on,
        sum(deals.deal_orders) as deals,
        sum(deals.net_amount) as net_amount
    from exposures
    inner join deals
        on
            exposures.customer_key = deals.customer_key
            and deals.paid_date > exposures.exposed_on and deals.paid_date <= exposures.window_ends_on
    group by exposures.audience_id, exposures.customer_key, exposures.exposed_on
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    exposures.audience_id,
    exposures.customer_key,
    cast(coalesce(outcomes.deals, 0) as bigint) as deals,
    cast(coalesce(outcomes.net_amount, 0) as decimal(18, 2)) as net_amount,
    cast(exposures.holdout_share as decimal(9, 6)) as holdout_share,
    exposures.is_holdout,
    outcomes.deals is not null as has_converted,
    exposures.window_ends_on <= {{ as_of_date() }} as is_complete,
    exposures.entered_on,
    exposures.exposed_on,
    exposures.window_ends_on
from exposures
left join outcomes
    on
        exposures.audience_id = outcomes.audience_id
        and exposures.customer_key = outcomes.customer_key
        and exposures.exposed_on = outcomes.exposed_on
