{#- Grain: item with a buyer in the last repurchase_lookback_days.
    Repurchase rate, whether it is high, and the repurchase cycle, as segment `repurchase` needs them.
    Definition: docs/definitions/segments.md -#}
{{ config(schema="intermediate", materialized="table") }}

with purchase_days as (
    select customer_key, item_id, paid_date, gap_days
    from {{ ref("int_item_purchase_days") }}
),

buyers_by_item as (
    select item_id, count(distinct customer_key) as buyers, count(distinct case when gap_days > 0 then customer_key end) as repeat_buyers
    from purchase_days
    group by item_id
),

rated as (
    select
        item_id,
        buyers,
        repeat_buyers,
        {{ ratio("repeat_buyers", "buyers") }} as repurchase_rate,
        buyers >= {{ var("repurchase_item_min_buyers") }} as is_eligible
    from buyers_by_item
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

gaps_ranked as (
    select
        item_id,
        gap_days,
        row_number() over (partition by item_id order by gap_days, customer_key, paid_date) as position,
        count(*) over (partition by item_id) as gap_count
    from purchase_days
    where gap_days is not null
),

cycles as (
    select
        item_id,
        max(gap_count) as gap_count,
        min(case
            when {{ has_reached_quantile("position", "gap_count", var("repurchase_cycle_quantiles")[0]) }} then gap_days
        end) as from_days,
        min(case
            when {{ has_reached_quantile("position", "gap_count", var("repurchase_cycle_quantiles")[1]) }} then gap_days
        end) as to_days
    from gaps_ranked
    group by item_id
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    rated.item_id,
    rated.buyers,
    rated.repeat_buyers,
    coalesce(cycles.gap_count, 0) as gap_count,
    rated.repurchase_rate,
    case when cycles.gap_count >= {{ var("repurchase_cycle_min_gaps") }} then cycles.from_days end as cycle_from_days,
    case when cycles.gap_count >= {{ var("repurchase_cycle_min_gaps") }} then cycles.to_days end as cycle_to_days,
    rated.is_eligible,
    coalesce(
        rated.is_eligible and rated.repeat_buyers > 0 and rated.repurchase_rate >= high_rate.threshold_rate, false
    ) as is_rate_high
from rated
cross join high_rate
left join cycles on rated.item_id = cycles.item_id
