{#- Grain: shop x as-of date x comparison x dimension x value x effect.
    Why the paid amount of two periods differs. The effects of a dimension are the whole change, to the cent.
    Definition: docs/definitions/what-moved.md -#}
{%- set mixes = ["000", "001", "010", "011", "100", "101", "110", "111"] %}

with parts as (
    select parts.*
    from {{ ref("int_kpi_period_parts") }} as parts
    inner join {{ kpi_comparison_periods() }} as periods on parts.comparison = periods.comparison and periods.is_complete
    where parts.paid_amount is not null
),

totals as (
    select
        comparison,
        dimension,
        {%- for period in [0, 1] %}
        coalesce({{ to_millionths("max(case when period = " ~ period ~ " then total_quantity end)") }}, 0)
            as total_{{ period }}{{ "," if not loop.last }}
        {%- endfor %}
    from parts
    group by comparison, dimension
),

compared as (
    select
        comparison,
        dimension,
        dimension_value,
        is_direct,
        {%- for period in [0, 1] %}
        coalesce({{ to_millionths("sum(case when period = " ~ period ~ " then quantity end)") }}, 0) as part_{{ period }},
        coalesce({{ to_millionths("sum(case when period = " ~ period ~ " then paid_amount end)") }}, 0)
            as paid_{{ period }}{{ "," if not loop.last }}
        {%- endfor %}
    from parts
    group by comparison, dimension, dimension_value, is_direct
),

-- A value that only one of the periods has is bought there at a price that stands in for the other one's.
factored as (
    select
        compared.*,
        totals.total_0,
        totals.total_1,
        case when part_0 > 0 then part_0 else part_1 end as rate_part_0,
        case when part_0 > 0 then paid_0 else paid_1 end as rate_amount_0,
        case when part_1 > 0 then part_1 else part_0 end as rate_part_1,
        case when part_1 > 0 then paid_1 else paid_0 end as rate_amount_1,
        case
            when is_direct or total_0 <= 0 or total_1 <= 0 then false
            when part_0 > 0 and part_1 > 0 then true
            when compared.dimension = 'shop' then false
            else (part_0 > 0 and part_1 = 0 and paid_1 = 0) or (part_1 > 0 and part_0 = 0 and paid_0 = 0)
        end as has_factors
    from compared
    inner join totals on compared.comparison = totals.comparison and compared.dimension = totals.dimension
),

mixed as (
    select
        comparison,
        dimension,
        dimension_value,
        {% for mix in mixes -%}
        {{ amount_with_factors(mix) }} as amount_{{ mix }}{{ "," if not loop.last }}
        {% endfor %}
    from factored
    where has_factors
),

-- Six times millionths: sixty thousand are a cent.
shares as (
    {% for factor in [0, 1, 2] -%}
    select comparison, dimension, dimension_value, {{ factor }} as factor, {{ six_times_effect(factor) }} as share
    from mixed
    {{ "union all" if not loop.last }}
    {% endfor %}
),

floored as (
    select
        *,
        {{ floor_div("share", "60000") }} as floor_cents,
        {{ floor_mod("share", "60000") }} as remainder
    from shares
),

-- The cents that rounding down leaves go to the largest remainders, ties in the order of the factors.
ranked as (
    select
        *,
        {{ floor_div("sum(remainder) over (partition by comparison, dimension, dimension_value)", "60000") }} as cents_left,
        row_number() over (
            partition by comparison, dimension, dimension_value
            order by remainder desc, factor
        ) as remainder_rank
    from floored
),

effects as (
    select
        comparison,
        dimension,
        dimension_value,
        case
            when dimension = 'shop' and factor = 0 then 'visitors'
            when dimension = 'shop' and factor = 1 then 'conversion'
            when dimension = 'shop' then 'amount_per_buyer'
            when factor = 0 then 'volume'
            when factor = 1 then 'mix'
            else 'rate'
        end as effect,
        {{ from_cents("floor_cents + case when remainder_rank <= cents_left then 1 else 0 end") }} as amount
    from ranked
    union all
    select
        comparison,
        dimension,
        dimension_value,
        case
            when not is_direct then 'undefined_factors'
            when dimension = 'category' then 'unallocated'
            else 'unidentified_orders'
        end as effect,
        {{ from_cents(floor_div("paid_1 - paid_0", "10000")) }} as amount
    from factored
    where not has_factors
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cast(comparison as varchar) as comparison,
    cast(dimension as varchar) as dimension,
    cast(dimension_value as varchar) as dimension_value,
    cast(effect as varchar) as effect,
    cast(amount as decimal(18, 2)) as amount,
    {{ as_of_date() }} as as_of_date
from effects
