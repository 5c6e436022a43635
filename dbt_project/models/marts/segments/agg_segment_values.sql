{#- Grain: shop x as-of date x segment.
    What the customers inside brought, and how many of them bought again; dense over the catalogue.
    Definition: docs/definitions/segments.md -#}

with first_deals as (
    select
        customer_key,
        first_deal_date,
        min(case when paid_date > first_deal_date then paid_date end) as second_deal_date
    from {{ ref("int_customer_deal_days") }}
    group by customer_key, first_deal_date
),

customers as (
    select
        {{ explode_array("members.segment_numbers") }} as segment_number,
        measures.deal_count,
        measures.deal_count_365d,
        measures.net_amount,
        measures.net_amount_365d,
        {{ days_between("first_deals.first_deal_date", as_of_date()) }} as first_deal_age_days,
        {{ days_between("first_deals.first_deal_date", "first_deals.second_deal_date") }} as second_deal_days
    from {{ ref("int_customer_segments") }} as members
    left join {{ ref("int_customer_measures") }} as measures on members.customer_key = measures.customer_key
    left join first_deals on members.customer_key = first_deals.customer_key
),

segment_values as (
    select
        segment_number,
        count(*) as customers,
        count(case when deal_count > 0 then 1 end) as deal_customers,
        cast(sum(deal_count) as bigint) as deal_count,
        cast(sum(deal_count_365d) as bigint) as deal_count_365d,
        {%- for days in [30, 90] %}
        count(case when first_deal_age_days >= {{ days }} then 1 end) as observable_customers_{{ days }}d,
        count(case when first_deal_age_days >= {{ days }} and second_deal_days <= {{ days }} then 1 end)
            as repurchased_customers_{{ days }}d,
        {%- endfor %}
        cast(sum(net_amount) as decimal(18, 2)) as net_amount,
        cast(sum(net_amount_365d) as decimal(18, 2)) as net_amount_365d
    from customers
    group by segment_number
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    segments.segment_id,
    '{{ var("currency") }}' as currency_code,
    coalesce(segment_values.customers, 0) as customers,
    coalesce(segment_values.deal_customers, 0) as deal_customers,
    coalesce(segment_values.deal_count, 0) as deal_count,
    coalesce(segment_values.deal_count_365d, 0) as deal_count_365d,
    coalesce(segment_values.net_amount, 0) as net_amount,
    coalesce(segment_values.net_amount_365d, 0) as net_amount_365d,
    {{ ratio("segment_values.net_amount_365d", "segment_values.customers") }} as net_amount_365d_per_customer,
    {%- for days in [30, 90] %}
    coalesce(segment_values.observable_customers_{{ days }}d, 0) as observable_customers_{{ days }}d,
    coalesce(segment_values.repurchased_customers_{{ days }}d, 0) as repurchased_customers_{{ days }}d,
    {{ ratio(
        "segment_values.repurchased_customers_" ~ days ~ "d", "segment_values.observable_customers_" ~ days ~ "d"
    ) }} as repurchase_rate_{{ days }}d{{ "," if not loop.last }}
    {%- endfor %}
from {{ ref("dim_segments") }} as segments
left join segment_values on segments.segment_number = segment_values.segment_number
