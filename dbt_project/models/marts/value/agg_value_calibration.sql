{#- Grain: shop x as-of date x repeat deal days (0 to 7, 7 and more together).
    What the models, fitted on what was known value_horizon_days ago, would have said of the days since, beside what happened.
    Definition: docs/definitions/value.md -#}

with repeats as (
    select * from {{ ref("int_customer_repeats") }}
    where base_age_days > 0
),

expectations as (
    select * from {{ ref("int_value_expectations") }}
    where base_age_days > 0
),

parameters as (
    {{ gamma_gamma_parameters() }}
),

compared as (
    select
        case
            when repeats.repeat_deal_days < 7 then cast(repeats.repeat_deal_days as varchar)
            else '7+'
        end as repeat_deal_days_bucket,
        repeats.later_deal_days,
        repeats.later_amount,
        expectations.expected_purchases,
        expectations.expected_purchases * ({{ expected_average("repeats", "parameters") }}) as expected_value
    from repeats
    left join parameters on repeats.base_age_days = parameters.base_age_days
    left join expectations
        on
            repeats.repeat_deal_days = expectations.repeat_deal_days
            and repeats.recency_days_from_first = expectations.recency_days_from_first
            and repeats.customer_age_days = expectations.customer_age_days
)

-- Whole millionths and cents add up to the same in any order.
select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    cast(repeat_deal_days_bucket as varchar) as repeat_deal_days_bucket,
    {{ add_days(as_of_date(), -var("value_horizon_days")) }} as base_date,
    count(*) as customers,
    cast(sum(cast(expected_purchases as decimal(18, 6))) as decimal(18, 2)) as predicted_purchases,
    cast(sum(later_deal_days) as bigint) as actual_purchases,
    cast(sum(cast(expected_value as decimal(18, 6))) as decimal(18, 2)) as predicted_value,
    cast(sum(later_amount) as decimal(18, 2)) as actual_value
from compared
group by repeat_deal_days_bucket
