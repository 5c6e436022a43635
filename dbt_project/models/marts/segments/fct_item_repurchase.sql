{#- Grain: shop x as-of date x item with a buyer in the last repurchase_lookback_days.
    How many of its buyers bought it again, after how long, and whether that is often for this shop.
    Definition: docs/definitions/segments.md -#}

with purchases as (
    select customer_number, item_number, first_paid_date, last_paid_date
    from {{ ref("int_customer_item_purchases") }}
),

rated as (
    select
        items.item_id,
        items.item_number,
        count(*) as buyers,
        count(case when first_paid_date < last_paid_date then 1 end) as repeat_buyers,
        {{ ratio("count(case when first_paid_date < last_paid_date then 1 end)", "count(*)") }} as repurchase_rate,
        count(*) >= {{ var("repurchase_item_min_buyers") }} as is_eligible
    from purchases
    inner join {{ ref("int_item_numbers") }} as items on purchases.item_number = items.item_number
    group by items.item_id, items.item_number
),

eligible_ranked as (
    select
        repurchase_rate,
        row_number() over (order by repurchase_rate, item_id) as position,
        count(*) over () as eligible_items
    from rated
    where is_eligible
),

high_rate as (
    select min(repurchase_rate) as threshold_rate
    from eligible_ranked
    where {{ has_reached_quantile("position", "eligible_items", var("repurchase_item_rate_quantile")) }}
),

-- Only who bought on two days has a gap: most pairs of customer and item never enter the window function.
repeat_days as (
    select distinct purchases.customer_number, purchases.item_number, lines.paid_date
    from {{ ref("fct_order_lines") }} as lines
    inner join {{ ref("int_customer_numbers") }} as customers on lines.customer_key = customers.customer_key
    inner join {{ ref("int_item_numbers") }} as items on lines.item_id = items.item_id
    inner join purchases
        on customers.customer_number = purchases.customer_number and items.item_number = purchases.item_number
    where
        lines.is_deal
        and lines.paid_date between purchases.first_paid_date and purchases.last_paid_date
        and purchases.first_paid_date < purchases.last_paid_date
),

gaps as (
    select
        item_number,
        {{ days_between(
            "lag(paid_date) over (partition by customer_number, item_number order by paid_date)", "paid_date"
        ) }} as gap_days
    from repeat_days
),

gap_lengths as (
    select item_number, gap_days, count(*) as gap_count
    from gaps
    where gap_days is not null
    group by item_number, gap_days
),

gaps_reached as (
    select
        item_number,
        gap_days,
        sum(gap_count) over (partition by item_number order by gap_days) as reached_count,
        sum(gap_count) over (partition by item_number) as gap_count
    from gap_lengths
),

cycles as (
    select
        item_number,
        cast(max(gap_count) as bigint) as gap_count,
        {% for name, q in [
            ("gap_p25_days", 0.25), ("gap_p50_days", 0.5), ("gap_p75_days", 0.75),
            ("from_days", var("repurchase_cycle_quantiles")[0]), ("to_days", var("repurchase_cycle_quantiles")[1]),
        ] -%}
        min(case when {{ has_reached_quantile("reached_count", "gap_count", q) }} then gap_days end) as {{ name }}
        {{- "," if not loop.last }}
        {% endfor -%}
    from gaps_reached
    group by item_number
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    rated.item_id,
    rated.buyers,
    rated.repeat_buyers,
    coalesce(cycles.gap_count, 0) as gap_count,
    rated.repurchase_rate,
    cast(cycles.gap_p25_days as integer) as gap_p25_days,
    cast(cycles.gap_p50_days as integer) as gap_p50_days,
    cast(cycles.gap_p75_days as integer) as gap_p75_days,
    cast(case when cycles.gap_count >= {{ var("repurchase_cycle_min_gaps") }} then cycles.from_days end as integer) as cycle_from_days,
    cast(case when cycles.gap_count >= {{ var("repurchase_cycle_min_gaps") }} then cycles.to_days end as integer) as cycle_to_days,
    rated.is_eligible,
    coalesce(
        rated.is_eligible and rated.repeat_buyers > 0 and rated.repurchase_rate >= high_rate.threshold_rate, false
    ) as is_rate_high
from rated
cross join high_rate
left join cycles on rated.item_number = cycles.item_number
