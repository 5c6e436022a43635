{#- Grain: shop x day of the last anomaly_report_days x KPI.
    Whether a figure is as usual, and if it is not, the part of the shop that contributed most.
    Definition: docs/definitions/anomalies.md -#}

with judged as (
    select * from {{ ref("int_kpi_days_judged") }}
),

-- Of ratios nothing is broken down: they have no parts that add up.
anomalies as (
    select business_date, kpi, case when kpi_value > expected_value then 1 else -1 end as direction
    from judged
    where is_anomaly
),

compared_dates as (
    select business_date, kpi, cast(business_date as varchar) as period_id, 0 as is_baseline
    from anomalies
    union all
    select baselines.business_date, baselines.kpi, cast(baselines.baseline_date as varchar) as period_id, 1 as is_baseline
    from {{ ref("int_kpi_baselines") }} as baselines
    inner join anomalies on baselines.business_date = anomalies.business_date and baselines.kpi = anomalies.kpi
    where baselines.baseline_date is not null
),

parts as (
    select period_id, 'visitors' as kpi, 'source' as dimension, dimension_value, cast(people as decimal(18, 2)) as amount
    from {{ ref("int_kpi_people_parts") }}
    where dimension = 'visitor_source'
    {% for kpi in ["buyers_paid", "orders_paid", "paid_amount"] -%}
    union all
    select period_id, '{{ kpi }}' as kpi, dimension, dimension_value, cast({{ kpi }} as decimal(18, 2)) as amount
    from {{ ref("int_kpi_people_parts") }}
    where dimension in ('customer_kind', 'source')
    {% endfor -%}
    {% for kpi in ["paid_amount", "refunded_amount"] -%}
    union all
    select period_id, '{{ kpi }}' as kpi, 'category' as dimension, category_id as dimension_value, {{ kpi }} as amount
    from {{ ref("int_kpi_category_parts") }}
    {% endfor %}
),

-- Every value that the day or a day that it is compared with has, on all of these days: 0 where it is not there.
part_values as (
    select distinct compared.business_date, compared.kpi, parts.dimension, parts.dimension_value
    from compared_dates as compared
    inner join parts on compared.period_id = parts.period_id and compared.kpi = parts.kpi
),

dense_parts as (
    select part_values.*, compared.period_id, compared.is_baseline, coalesce(parts.amount, 0) as amount
    from part_values
    inner join compared_dates as compared
        on part_values.business_date = compared.business_date and part_values.kpi = compared.kpi
    left join parts
        on
            compared.period_id = parts.period_id and part_values.kpi = parts.kpi
            and part_values.dimension = parts.dimension and part_values.dimension_value = parts.dimension_value
),

positions as (
    select
        *,
        row_number() over (
            partition by business_date, kpi, dimension, dimension_value, is_baseline order by amount, period_id
        ) as position,
        count(*) over (partition by business_date, kpi, dimension, dimension_value, is_baseline) as day_count
    from dense_parts
),

contributions as (
    select
        business_date,
        kpi,
        dimension,
        dimension_value,
        max(case when is_baseline = 0 then amount end) - min(case when is_baseline = 1 then amount end) as contribution
    from positions
    where is_baseline = 0 or {{ has_reached_quantile("position", "day_count", 0.5) }}
    group by business_date, kpi, dimension, dimension_value
),

ranked as (
    select
        contributions.*,
        row_number() over (
            partition by contributions.business_date, contributions.kpi
            order by anomalies.direction * contribution desc, dimension, dimension_value
        ) as contribution_rank
    from contributions
    inner join anomalies
        on contributions.business_date = anomalies.business_date and contributions.kpi = anomalies.kpi
    where anomalies.direction * contribution > 0
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    judged.kpi,
    judged.basis,
    case
        when judged.is_anomaly then case when judged.kpi_value > judged.expected_value then 'above' else 'below' end
    end as direction,
    judged.promotion_id,
    ranked.dimension as top_dimension,
    ranked.dimension_value as top_dimension_value,
    {{ from_millionths("judged.kpi_value") }} as value,
    {{ from_millionths("judged.expected_value") }} as expected_value,
    {{ from_millionths("judged.kpi_value - judged.expected_value") }} as deviation,
    {{ from_millionths("judged.allowed_deviation") }} as allowed_deviation,
    cast(ranked.contribution as decimal(18, 2)) as top_contribution,
    judged.baseline_days,
    judged.is_anomaly,
    judged.promotion_id is not null as is_promotion,
    judged.business_date
from judged
left join ranked
    on judged.business_date = ranked.business_date and judged.kpi = ranked.kpi and ranked.contribution_rank = 1
