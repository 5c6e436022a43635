{#- Grain: the shop, one row whatever it has.
    The median and the p90 of the gaps between deal days, or the fall-back where the shop has too few of them.
    Definition: docs/definitions/stages.md -#}
{{ config(schema="intermediate", materialized="table") }}
{%- set quantiles = var("lifecycle_gap_quantiles") %}

with gap_lengths as (
    select gap_days, count(*) as gap_count
    from {{ ref("int_customer_gaps") }}
    group by gap_days
),

gaps_reached as (
    select gap_days, sum(gap_count) over (order by gap_days) as reached_count, sum(gap_count) over () as gap_count
    from gap_lengths
),

measured as (
    select
        coalesce(max(gap_count), 0) as gap_count,
        min(case when {{ has_reached_quantile("reached_count", "gap_count", quantiles[0]) }} then gap_days end) as median_days,
        min(case when {{ has_reached_quantile("reached_count", "gap_count", quantiles[1]) }} then gap_days end) as p90_days
    from gaps_reached
)

select
    cast(gap_count as bigint) as shop_gap_count,
    {%- for name, fallback in [("median", var("lifecycle_fallback_days")[0]), ("p90", var("lifecycle_fallback_days")[1])] %}
    cast(case
        when gap_count >= {{ var("lifecycle_min_gaps") }} then {{ name }}_days else {{ fallback }}
    end as integer) as shop_gap_{{ name }}_days{{ "," if not loop.last }}
    {%- endfor %}
from measured
