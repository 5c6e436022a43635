{#- Grain: KPI x day of the report.
    Whether a figure is within what is usual: the median of comparable days, give or take their spread.
    Values are whole millionths. Definition: docs/definitions/anomalies.md -#}
{{ config(schema="intermediate", materialized="table") }}
{#- Thresholds in ten-thousandths: integers have the same digits on every engine. -#}
{%- set scale = 10000 %}
{%- set threshold = (var("anomaly_threshold") * scale) | round | int * (var("anomaly_mad_factor") * scale) | round | int %}
{%- set min_rate = (var("anomaly_min_spread_rate") * scale) | round | int %}
{%- set promotion_rate = (var("anomaly_promotion_rate") * scale) | round | int %}

with baselines as (
    select
        kpi,
        promotion_id,
        cast(kpi_value as {{ big_integer() }}) as kpi_value,
        cast(baseline_value as {{ big_integer() }}) as baseline_value,
        business_date,
        baseline_date
    from {{ ref("int_kpi_baselines") }}
),

days as (
    select business_date, kpi, promotion_id, kpi_value, count(baseline_date) as baseline_days
    from baselines
    group by business_date, kpi, promotion_id, kpi_value
),

positions as (
    select
        *,
        row_number() over (partition by business_date, kpi order by baseline_value, baseline_date) as position,
        count(*) over (partition by business_date, kpi) as baseline_days
    from baselines
    where baseline_date is not null
),

medians as (
    select business_date, kpi, min(baseline_value) as median_value
    from positions
    where {{ has_reached_quantile("position", "baseline_days", 0.5) }}
    group by business_date, kpi
),

deviations as (
    select
        positions.business_date,
        positions.kpi,
        positions.baseline_days,
        abs(positions.baseline_value - medians.median_value) as deviation,
        row_number() over (
            partition by positions.business_date, positions.kpi
            order by abs(positions.baseline_value - medians.median_value), positions.baseline_date
        ) as position
    from positions
    inner join medians on positions.business_date = medians.business_date and positions.kpi = medians.kpi
),

spreads as (
    select business_date, kpi, min(deviation) as median_deviation
    from deviations
    where {{ has_reached_quantile("position", "baseline_days", 0.5) }}
    group by business_date, kpi
),

based as (
    select
        days.*,
        medians.median_value,
        spreads.median_deviation,
        cast(
            case days.kpi
                {%- for kpi, spread in var("anomaly_min_spreads").items() %}
                when '{{ kpi }}' then {{ (spread * 1000000) | round | int }}
                {%- endfor %}
                else 0
            end as {{ big_integer() }}
        ) as min_spread,
        case
            when days.kpi_value is null then 'no_value'
            when days.promotion_id is not null and days.baseline_days > 0 then 'promotion'
            when days.promotion_id is not null then 'no_baseline'
            when days.baseline_days < {{ var("anomaly_min_weeks") }} then 'too_few_days'
            else 'weekday'
        end as basis
    from days
    left join medians on days.business_date = medians.business_date and days.kpi = medians.kpi
    left join spreads on days.business_date = spreads.business_date and days.kpi = spreads.kpi
),

-- Rounding the bound down changes no verdict: a whole number above the one is above the other.
bounded as (
    select
        *,
        case when basis in ('promotion', 'weekday') then median_value end as expected_value,
        case
            when basis = 'promotion' then {{ floor_div(promotion_rate ~ " * median_value", scale) }}
            when basis = 'weekday'
                then {{ floor_div(
                    threshold ~ " * greatest(" ~ scale ~ " * median_deviation, " ~ min_rate ~ " * median_value, "
                    ~ scale ~ " * min_spread)", scale ** 3
                ) }}
        end as allowed_deviation
    from based
)

select
    kpi,
    basis,
    promotion_id,
    cast(kpi_value as decimal(38, 0)) as kpi_value,
    cast(expected_value as decimal(38, 0)) as expected_value,
    cast(allowed_deviation as decimal(38, 0)) as allowed_deviation,
    baseline_days,
    coalesce(abs(kpi_value - expected_value) > allowed_deviation, false) as is_anomaly,
    business_date
from bounded
