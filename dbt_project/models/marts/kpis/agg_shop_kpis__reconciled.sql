{#- Grain: shop x day that 生意参谋 tells, up to D, x measure.
    The platform's own figure beside ours, with the difference; NULL where a side does not have it.
    Definition: docs/definitions/kpis.md -#}
{%- set measures = [
    "visitors", "views", "cart_visitors", "favourite_visitors", "orders_paid", "buyers_paid", "item_quantity",
    "paid_amount", "refunded_amount"
] %}

with ranked as (
    select
        *,
        row_number() over (
            partition by business_date
            order by {{ newest_file() }}, _source_row desc
        ) as version_rank
    from {{ ref("int_shop_traffic_versions") }}
    where business_date <= {{ as_of_date() }}
),

platform_days as (
    select * from ranked
    where version_rank = 1
),

compared as (
    {% for measure in measures -%}
    select
        platform_days.business_date,
        '{{ measure }}' as measure,
        cast(ours.{{ measure }} as decimal(18, 2)) as our_value,
        cast(platform_days.{{ measure }} as decimal(18, 2)) as platform_value
    from platform_days
    left join {{ ref("agg_shop_kpis__by_day") }} as ours on platform_days.business_date = ours.business_date
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cast(measure as varchar) as measure,
    cast('sycm' as varchar) as platform,
    our_value,
    platform_value,
    cast(our_value - platform_value as decimal(18, 2)) as difference,
    {{ ratio("our_value - platform_value", "platform_value") }} as difference_rate,
    business_date
from compared
