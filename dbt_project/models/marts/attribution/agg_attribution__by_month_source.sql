{#- Grain: shop x attribution model x month of the pay date x source.
    What each source brought by each model, beside what it cost; sources of an advertising channel are told as the channel.
    From the first visit on by touches; before, and where no visits are known, only what platforms claim (`basis`).
    Definition: docs/definitions/attribution.md -#}

with first_visit as (
    select coalesce(min(session_date), {{ add_days(as_of_date(), 1) }}) as first_date from {{ ref("fct_sessions") }}
),

-- Days of which no visits are known: the claims of the platforms stand alone. They overlap, and are no parts of a whole.
claims as (
    select
        'platform_ads' as attribution_model,
        ads.channel as source,
        sum(ads.attributed_order_count) as orders,
        sum(ads.attributed_amount) as paid_amount,
        sum(ads.cost_amount) as cost_amount,
        {{ month_of("ads.business_date") }} as paid_month
    from {{ ref("fct_ad_spend__by_day") }} as ads
    inner join first_visit on ads.business_date < first_visit.first_date
    where ads.is_in_total
    group by ads.channel, {{ month_of("ads.business_date") }}
    union all
    select
        'platform_traffic' as attribution_model,
        concat_ws(
            ' / ', traffic.platform, traffic.carrier, traffic.source_level_1, traffic.source_level_2, traffic.source_level_3,
            traffic.source_level_4
        ) as source,
        -- Buyers of several days are not added up, and orders are not told.
        null as orders,
        sum(traffic.paid_amount) as paid_amount,
        null as cost_amount,
        {{ month_of("traffic.business_date") }} as paid_month
    from {{ ref("fct_traffic_sources__by_day") }} as traffic
    inner join first_visit on traffic.business_date < first_visit.first_date
    group by 2, {{ month_of("traffic.business_date") }}
),

rows_by_month as (
    select
        attribution_model, source, 'touches' as basis, orders, paid_amount, net_amount, new_customers, cost_amount,
        payback_months, paid_month
    from {{ ref("int_attribution_months") }}
    union all
    select
        attribution_model, source, 'platform_aggregate' as basis, cast(orders as decimal(18, 6)) as orders,
        cast(paid_amount as decimal(18, 2)) as paid_amount, null as net_amount, null as new_customers,
        cast(cost_amount as decimal(18, 2)) as cost_amount, null as payback_months, paid_month
    from claims
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    attribution_model,
    source,
    basis,
    orders,
    paid_amount,
    net_amount,
    new_customers,
    cost_amount,
    {{ ratio("paid_amount", "cost_amount") }} as roas,
    {{ ratio("cost_amount", "new_customers") }} as cac,
    payback_months,
    paid_month
from rows_by_month
