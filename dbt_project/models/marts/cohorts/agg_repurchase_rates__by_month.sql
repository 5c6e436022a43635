{#- Grain: shop x cohort month x horizon in days.
    Share of customers with a further deal date within N days of the first, among those old enough to tell.
    Definition: docs/definitions/cohorts.md -#}

with customers as (
    select
        customer_key,
        first_deal_date,
        {{ month_of("first_deal_date") }} as cohort_month,
        {{ days_between("first_deal_date", as_of_date()) }} as first_deal_age_days,
        min(case when paid_date > first_deal_date then paid_date end) as second_deal_date
    from {{ ref("int_customer_deal_days") }}
    group by customer_key, first_deal_date
),

observed as (
    select
        customers.cohort_month,
        horizons.within_days,
        customers.first_deal_age_days >= horizons.within_days as is_observable,
        coalesce(
            {{ days_between("customers.first_deal_date", "customers.second_deal_date") }} <= horizons.within_days, false
        ) as has_repurchased
    from customers
    cross join {{ ref("cohort_horizons") }} as horizons
),

counted as (
    select
        cohort_month,
        within_days,
        count(*) as cohort_size,
        count(case when is_observable then 1 end) as observable_customers,
        count(case when is_observable and has_repurchased then 1 end) as repurchased_customers
    from observed
    group by cohort_month, within_days
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cohort_month,
    within_days,
    cohort_size,
    observable_customers,
    repurchased_customers,
    {{ ratio("repurchased_customers", "observable_customers") }} as repurchase_rate
from counted
