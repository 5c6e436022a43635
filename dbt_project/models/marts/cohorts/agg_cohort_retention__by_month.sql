{#- Grain: shop x cohort month x period (calendar months since the cohort month).
    How many customers of a first-deal month came back, and what they have brought so far; dense up to D.
    Definition: docs/definitions/cohorts.md -#}

with deal_days as (
    select
        customer_key,
        net_amount,
        {{ month_of("first_deal_date") }} as cohort_month,
        {{ month_of("paid_date") }} as paid_month
    from {{ ref("int_customer_deal_days") }}
),

cohorts as (
    select cohort_month, count(distinct customer_key) as cohort_size
    from deal_days
    group by cohort_month
),

months as (
    select distinct {{ month_of("calendar_date") }} as paid_month
    from {{ ref("int_calendar_days") }}
),

activity as (
    select
        cohort_month,
        paid_month,
        count(distinct customer_key) as retained_customers,
        sum(net_amount) as net_amount
    from deal_days
    group by cohort_month, paid_month
),

dense as (
    select
        cohorts.cohort_month,
        months.paid_month,
        {{ months_between_months("cohorts.cohort_month", "months.paid_month") }} as period,
        cohorts.cohort_size,
        coalesce(activity.retained_customers, 0) as retained_customers,
        cast(coalesce(activity.net_amount, 0) as decimal(18, 2)) as net_amount,
        last_day(months.paid_month) <= {{ as_of_date() }} as is_complete
    from cohorts
    inner join months on cohorts.cohort_month <= months.paid_month
    left join activity
        on cohorts.cohort_month = activity.cohort_month and months.paid_month = activity.paid_month
),

accumulated as (
    select
        cohort_month,
        period,
        cohort_size,
        retained_customers,
        net_amount,
        cast(sum(net_amount) over (
            partition by cohort_month order by period rows between unbounded preceding and current row
        ) as decimal(18, 2)) as cumulative_net_amount,
        is_complete
    from dense
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cohort_month,
    period,
    cohort_size,
    retained_customers,
    {{ ratio("retained_customers", "cohort_size") }} as retention_rate,
    net_amount,
    cumulative_net_amount,
    {{ ratio("cumulative_net_amount", "cohort_size") }} as ltv,
    is_complete
from accumulated
