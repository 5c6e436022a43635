{#- Grain: shop x cohort month x period (calendar months since the cohort month).
    How many customers of a first-deal month came back, and what they have brought so far; dense up to D.
    Definition: docs/definitions/cohorts.md -#}

with customer_periods as (
    {{ customer_periods("month") }}
),

amounts as (
    select
        *,
        {{ period_start("month", "first_deal_date") }} as cohort_start
    from customer_periods
),

-- Everybody is there in the first period.
cohorts as (
    select cohort_start, count(*) as cohort_size
    from amounts
    where period_start = cohort_start
    group by cohort_start
),

{{ cohort_cells("month") }}

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cohort_start as cohort_month,
    {{ cohort_measures() }}
from cells
