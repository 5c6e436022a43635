{#- Grain: shop x as-of date x customer with a deal.
    What a customer has brought, whether the customer still is one, and what to expect of the next value_horizon_days.
    Definition: docs/definitions/value.md -#}

with repeats as (
    select * from {{ ref("int_customer_repeats") }}
    where base_age_days = 0
),

expectations as (
    select * from {{ ref("int_value_expectations") }}
    where base_age_days = 0
),

parameters as (
    {{ gamma_gamma_parameters() }}
),

expected as (
    select
        repeats.*,
        expectations.p_alive,
        expectations.expected_purchases,
        {{ expected_average("repeats", "parameters") }} as expected_average
    from repeats
    left join parameters on repeats.base_age_days = parameters.base_age_days
    left join expectations
        on
            repeats.repeat_deal_days = expectations.repeat_deal_days
            and repeats.recency_days_from_first = expectations.recency_days_from_first
            and repeats.customer_age_days = expectations.customer_age_days
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    customer_key,
    cast(case
        when expected_purchases is null then null
        when expected_average is null then 'bg_nbd'
        else 'bg_nbd+gamma_gamma'
    end as varchar) as model_id,
    cast('{{ var("currency") }}' as varchar) as currency_code,
    repeat_deal_days,
    recency_days_from_first,
    customer_age_days,
    {{ from_cents(floor_div("2 * " ~ to_cents("repeat_amount") ~ " + repeat_deal_days", "nullif(2 * repeat_deal_days, 0)")) }}
        as average_deal_amount,
    net_amount,
    round(p_alive, 6) as p_alive,
    round(expected_purchases, 6) as expected_purchases_90d,
    cast(case when expected_purchases is not null then expected_average end as decimal(18, 2)) as expected_average_amount,
    cast(expected_purchases * expected_average as decimal(18, 2)) as expected_value_90d
from expected
