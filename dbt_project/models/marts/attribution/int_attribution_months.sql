{#- Grain: attribution model x month of the pay date x source, from the shop's first visit on.
    What the sources got, what they cost, and after how many months their new customers had brought that.
    Definition: docs/definitions/attribution.md -#}
{{ config(schema="intermediate", materialized="table") }}

-- Of orders before the first visit nobody can know what their buyers visited.
with first_visit as (
    select min(session_date) as first_date from {{ ref("fct_sessions") }}
),

credits as (
    select attribution_model, order_id, source, credit_amount, credit_net_amount, credit_orders, paid_date
    from {{ ref("int_attribution_credits") }}
    union all
    select 'markov' as attribution_model, order_id, source, credit_amount, credit_net_amount, credit_orders, paid_date
    from {{ ref("int_attribution_markov") }}
),

-- The first deal of a customer acquires it: what a source gets of that order it gets of the customer.
first_deals as (
    select
        customer_key,
        {{ value_at_minimum("order_id", record([("at", "paid_at"), ("id", "order_id")])) }} as order_id
    from {{ ref("fct_orders") }}
    where is_deal and customer_key is not null
    group by customer_key
),

told as (
    select
        credits.attribution_model,
        coalesce(channels.channel, credits.source) as source,
        {{ month_of("credits.paid_date") }} as paid_month,
        credits.credit_orders, credits.credit_amount, credits.credit_net_amount,
        first_deals.customer_key as new_customer_key
    from credits
    inner join first_visit on credits.paid_date >= first_visit.first_date
    left join {{ ref("attribution_channels") }} as channels on credits.source = channels.traffic_source
    left join first_deals on credits.order_id = first_deals.order_id
),

-- A channel that cost something in a month has a row by every model, also where it brought nothing or nobody bought anything.
entries as (
    select
        attribution_model, source, paid_month, credit_orders, credit_amount, credit_net_amount,
        case when new_customer_key is not null then credit_orders else 0 end as new_customers, null as cost_amount
    from told
    union all
    select
        models.attribution_model, ads.channel as source, {{ month_of("ads.business_date") }} as paid_month,
        0 as credit_orders, 0 as credit_amount, 0 as credit_net_amount, 0 as new_customers, ads.cost_amount
    from {{ ref("fct_ad_spend__by_day") }} as ads
    inner join first_visit on ads.business_date >= first_visit.first_date
    cross join {{ attribution_models() }} as models
    where ads.is_in_total and ads.business_date <= {{ as_of_date() }}
),

summed as (
    select
        attribution_model, source, paid_month,
        sum(credit_orders) as orders,
        sum(credit_amount) as paid_amount,
        sum(credit_net_amount) as net_amount,
        sum(new_customers) as new_customers,
        sum(cost_amount) as cost_amount
    from entries
    group by attribution_model, source, paid_month
),

deal_months as (
    select
        customer_key,
        {{ month_of("paid_date") }} as deal_month,
        {{ to_cents("sum(net_amount)") }} as net_cents
    from {{ ref("fct_orders") }}
    where is_deal and customer_key is not null
    group by 1, 2
),

-- In cents x millionths of a customer, which are whole numbers.
returned as (
    select
        told.attribution_model, told.source, told.paid_month, summed.cost_amount, deal_months.deal_month,
        sum(sum({{ to_millionths("told.credit_orders") }} * deal_months.net_cents)) over (
            partition by told.attribution_model, told.source, told.paid_month order by deal_months.deal_month
        ) as returned_so_far
    from told
    inner join summed
        on
            told.attribution_model = summed.attribution_model and told.source = summed.source
            and told.paid_month = summed.paid_month and summed.cost_amount > 0
    inner join deal_months on told.new_customer_key = deal_months.customer_key
    group by told.attribution_model, told.source, told.paid_month, summed.cost_amount, deal_months.deal_month
),

paid_back as (
    select attribution_model, source, paid_month, min(deal_month) as payback_month
    from returned
    where returned_so_far >= {{ to_cents("cost_amount") }} * 1000000
    group by attribution_model, source, paid_month
)

select
    summed.attribution_model,
    summed.source,
    cast(summed.orders as decimal(18, 6)) as orders,
    cast(summed.paid_amount as decimal(18, 2)) as paid_amount,
    cast(summed.net_amount as decimal(18, 2)) as net_amount,
    cast(summed.new_customers as decimal(18, 6)) as new_customers,
    cast(summed.cost_amount as decimal(18, 2)) as cost_amount,
    {{ months_between_months("summed.paid_month", "paid_back.payback_month") }} as payback_months,
    summed.paid_month
from summed
left join paid_back
    on
        summed.attribution_model = paid_back.attribution_model and summed.source = paid_back.source
        and summed.paid_month = paid_back.paid_month
