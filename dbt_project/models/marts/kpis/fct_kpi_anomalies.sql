{#- Grain: shop x day of the last anomaly_report_days x KPI.
    Whether a figure is as usual, and if it is not, the part of the shop that contributed most.
    Definition: docs/definitions/anomalies.md -#}

with judged as (
    select * from {{ ref("int_kpi_days_judged") }}
),

-- Ratios have no parts that add up.
anomalies as (
    select business_date, kpi, baseline_days, case when kpi_value > expected_value then 1 else -1 end as direction
    from judged
    where is_anomaly and kpi not in ('conversion_rate', 'amount_per_buyer')
),

baseline_dates as (
    select baselines.business_date, baselines.kpi, baselines.baseline_date
    from {{ ref("int_kpi_baselines") }} as baselines
    inner join anomalies on baselines.business_date = anomalies.business_date and baselines.kpi = anomalies.kpi
    where baselines.baseline_date is not null
),

-- Only of these days parts are counted: usual days cost nothing.
wanted_dates as (
    select business_date as wanted_date from anomalies
    union
    select baseline_date as wanted_date from baseline_dates
),

visits as (
    select
        events.event_date,
        events.visitor_id,
        coalesce(events.customer_key, visitors.customer_key) as customer_key,
        nullif(events.first_source, '') as first_source,
        {{ record([
            ("at", "events.first_event_at"), ("has_no_id", "events.first_event_id is null"),
            ("id", "coalesce(events.first_event_id, '')"), ("type", "events.first_event_type"),
            ("visitor", "events.visitor_id"), ("customer", "coalesce(events.customer_id, '')"),
            ("open_uid", "coalesce(events.open_uid, '')"),
        ]) }} as visit_order
    from {{ ref("int_visitor_days") }} as events
    inner join wanted_dates on events.event_date = wanted_dates.wanted_date
    left join {{ ref("dim_visitors") }} as visitors on events.visitor_id = visitors.visitor_id
),

visitor_sources as (
    select event_date, visitor_id, {{ value_at_minimum("coalesce(first_source, '')", "visit_order") }} as source
    from visits
    group by event_date, visitor_id
),

customer_sources as (
    select event_date, customer_key, {{ value_at_minimum("coalesce(first_source, '')", "visit_order") }} as source
    from visits
    where customer_key is not null
    group by event_date, customer_key
),

buyers as (
    select orders.paid_date, orders.customer_key, count(*) as orders_paid, sum(orders.paid_amount) as paid_amount
    from {{ ref("fct_orders") }} as orders
    inner join wanted_dates on orders.paid_date = wanted_dates.wanted_date
    where orders.is_paid
    group by orders.paid_date, orders.customer_key
),

buyers_before as (
    select buyers.paid_date, buyers.customer_key, max(earlier.paid_date) as paid_before_date
    from buyers
    inner join {{ ref("fct_orders") }} as earlier
        on buyers.customer_key = earlier.customer_key and earlier.paid_date < buyers.paid_date
    group by buyers.paid_date, buyers.customer_key
),

buyer_values as (
    select
        buyers.paid_date,
        case when buyers.customer_key is not null then 1 else 0 end as buyers_paid,
        buyers.orders_paid,
        buyers.paid_amount,
        case
            when buyers.customer_key is null then '(no customer)'
            when before.paid_before_date is null then 'new'
            when {{ days_between("before.paid_before_date", "buyers.paid_date") }} <= {{ var("kpi_new_buyer_days") }}
                then 'returning'
            else 'reactivated'
        end as customer_kind,
        case
            when buyers.customer_key is null then '(no customer)'
            when sources.customer_key is null then '(no visit)'
            else coalesce(nullif(sources.source, ''), '{{ var("funnel_unknown_source") }}')
        end as source
    from buyers
    left join buyers_before as before
        on buyers.paid_date = before.paid_date and buyers.customer_key = before.customer_key
    left join customer_sources as sources
        on buyers.paid_date = sources.event_date and buyers.customer_key = sources.customer_key
),

lines as (
    select
        lines.paid_date, coalesce(lines.category_id, items.category_id, '(unknown)') as category_id, lines.paid_amount
    from {{ ref("fct_order_lines") }} as lines
    inner join wanted_dates on lines.paid_date = wanted_dates.wanted_date
    left join {{ ref("dim_items") }} as items on lines.item_id = items.item_id
),

-- What no line has: the orders' amount less their lines'.
paid_categories as (
    select paid_date, category_id, paid_amount from lines
    union all
    select paid_date, '(postage and rounding)' as category_id, paid_amount from buyers
    union all
    select paid_date, '(postage and rounding)' as category_id, -paid_amount as paid_amount from lines
),

refunds as (
    select
        refunds.refunded_date,
        case
            when lines.order_id is null then '(postage and rounding)'
            else coalesce(lines.category_id, items.category_id, '(unknown)')
        end as category_id,
        refunds.refunded_amount
    from {{ ref("fct_refunds") }} as refunds
    inner join wanted_dates on refunds.refunded_date = wanted_dates.wanted_date
    left join {{ ref("fct_order_lines") }} as lines
        on refunds.order_id = lines.order_id and refunds.line_key = lines.line_key
    left join {{ ref("dim_items") }} as items on lines.item_id = items.item_id
),

parts as (
    select
        event_date as part_date,
        'visitors' as kpi,
        'source' as dimension,
        coalesce(nullif(source, ''), '{{ var("funnel_unknown_source") }}') as dimension_value,
        cast(count(*) as decimal(18, 2)) as amount
    from visitor_sources
    group by event_date, source
    {% for kpi in ["buyers_paid", "orders_paid", "paid_amount"] -%}
    {% for dimension in ["customer_kind", "source"] -%}
    union all
    select paid_date, '{{ kpi }}', '{{ dimension }}', {{ dimension }}, cast(sum({{ kpi }}) as decimal(18, 2))
    from buyer_values
    group by paid_date, {{ dimension }}
    {% endfor -%}
    {% endfor -%}
    union all
    select paid_date, 'paid_amount', 'category', category_id, cast(sum(paid_amount) as decimal(18, 2))
    from paid_categories
    group by paid_date, category_id
    union all
    select refunded_date, 'refunded_amount', 'category', category_id, cast(sum(refunded_amount) as decimal(18, 2))
    from refunds
    group by refunded_date, category_id
),

-- Every value that the day or a day that it is compared with has, on all of these days: 0 where it is not there.
compared_dates as (
    select business_date, kpi, business_date as compared_date, 0 as is_baseline
    from anomalies
    union all
    select business_date, kpi, baseline_date as compared_date, 1 as is_baseline
    from baseline_dates
),

part_values as (
    select distinct compared.business_date, compared.kpi, parts.dimension, parts.dimension_value
    from compared_dates as compared
    inner join parts on compared.compared_date = parts.part_date and compared.kpi = parts.kpi
),

dense_parts as (
    select
        part_values.business_date,
        part_values.kpi,
        part_values.dimension,
        part_values.dimension_value,
        compared.compared_date,
        compared.is_baseline,
        coalesce(parts.amount, 0) as amount
    from part_values
    inner join compared_dates as compared
        on part_values.business_date = compared.business_date and part_values.kpi = compared.kpi
    left join parts
        on
            compared.compared_date = parts.part_date and part_values.kpi = parts.kpi
            and part_values.dimension = parts.dimension and part_values.dimension_value = parts.dimension_value
),

part_positions as (
    select
        *,
        row_number() over (
            partition by business_date, kpi, dimension, dimension_value, is_baseline
            order by amount, compared_date
        ) as position,
        count(*) over (partition by business_date, kpi, dimension, dimension_value, is_baseline) as compared_days
    from dense_parts
),

contributions as (
    select
        business_date,
        kpi,
        dimension,
        dimension_value,
        max(case when is_baseline = 0 then amount end)
        - min(case when is_baseline = 1 then amount end) as contribution
    from part_positions
    where is_baseline = 0 or {{ has_reached_quantile("position", "compared_days", 0.5) }}
    group by business_date, kpi, dimension, dimension_value
),

ranked as (
    select
        contributions.*,
        row_number() over (
            partition by contributions.business_date, contributions.kpi
            order by
                anomalies.direction * contributions.contribution desc, contributions.dimension,
                contributions.dimension_value
        ) as contribution_rank
    from contributions
    inner join anomalies
        on contributions.business_date = anomalies.business_date and contributions.kpi = anomalies.kpi
    where anomalies.direction * contributions.contribution > 0
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cast(judged.kpi as varchar) as kpi,
    cast(judged.basis as varchar) as basis,
    cast(
        case
            when judged.is_anomaly and judged.kpi_value > judged.expected_value then 'above'
            when judged.is_anomaly then 'below'
        end as varchar
    ) as direction,
    cast(judged.promotion_id as varchar) as promotion_id,
    cast(ranked.dimension as varchar) as top_dimension,
    cast(ranked.dimension_value as varchar) as top_dimension_value,
    {{ from_millionths("judged.kpi_value") }} as value,
    {{ from_millionths("judged.expected_value") }} as expected_value,
    {{ from_millionths("judged.kpi_value - judged.expected_value") }} as deviation,
    {{ from_millionths("judged.allowed_deviation") }} as allowed_deviation,
    cast(ranked.contribution as decimal(18, 2)) as top_contribution,
    cast(judged.baseline_days as bigint) as baseline_days,
    judged.is_anomaly,
    judged.promotion_id is not null as is_promotion,
    judged.business_date
from judged
left join ranked
    on judged.business_date = ranked.business_date and judged.kpi = ranked.kpi and ranked.contribution_rank = 1
