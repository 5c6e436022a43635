{#- Grain: shop x cohort week x period (ISO weeks since the cohort week).
    How many customers of a week of first deals came back, and what they have brought so far; dense up to D.
    Definition: docs/definitions/cohorts.md -#}

with customer_periods as (
    {{ customer_periods("week") }}
),

amounts as (
    select
        *,
        {{ period_start("week", "first_deal_date") }} as cohort_start
    from customer_periods
),

-- Everybody is there in the first period.
cohorts as (
    select cohort_start, count(*) as cohort_size
    from amounts
    where period_start = cohort_start
    group by cohort_start
),

{{ cohort_cells("week") }}

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cohort_start as cohort_week,
    {{ cohort_measures() }}
from cells
