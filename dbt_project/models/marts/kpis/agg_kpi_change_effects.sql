{#- Grain: shop x as-of date x comparison x dimension x value x effect.
    Why the paid amount of two periods differs. The effects of a dimension are the whole change, to the cent.
    Definition: docs/definitions/what-moved.md -#}
{%- set keys = ["comparison", "dimension", "dimension_value"] %}
{%- set sides = [(0, "previous"), (1, "current")] %}

with changes as (
    select * from {{ ref("agg_kpi_changes__by_period") }}
    where change_amount is not null
),

periods as (
    {% for period, name in sides -%}
    select
        comparison,
        {{ period }} as period,
        concat(comparison, ':{{ name }}') as period_id,
        visitors_current is not null and visitors_previous is not null as has_traffic
    from changes
    {{ "union all" if not loop.last }}
    {% endfor %}
),

parts as (
    select
        periods.comparison, periods.period, people.dimension, people.dimension_value, people.people as part,
        people.paid_amount
    from {{ ref("int_kpi_people_parts") }} as people
    inner join periods on people.period_id = periods.period_id
    where people.dimension = 'customer_kind' or (people.dimension = 'source' and periods.has_traffic)
    union all
    select
        periods.comparison, periods.period, 'category' as dimension, categories.category_id as dimension_value,
        categories.item_quantity as part, categories.paid_amount
    from {{ ref("int_kpi_category_parts") }} as categories
    inner join periods on categories.period_id = periods.period_id
),

compared as (
    select
        comparison,
        dimension,
        dimension_value,
        count(part) = 0 as is_direct,
        {%- for period, _ in sides %}
        coalesce({{ to_millionths("sum(case when period = " ~ period ~ " then part end)") }}, 0) as part_{{ period }},
        coalesce({{ to_millionths("sum(case when period = " ~ period ~ " then paid_amount end)") }}, 0)
            as paid_{{ period }}{{ "," if not loop.last }}
        {%- endfor %}
    from parts
    group by comparison, dimension, dimension_value
),

wholes as (
    select
        *,
        sum(part_0) over (partition by comparison, dimension) as total_0,
        sum(part_1) over (partition by comparison, dimension) as total_1
    from compared
    union all
    {% for value, is_direct in [("(all)", false), ("(no customer)", true)] -%}
    select
        comparison, 'shop' as dimension, '{{ value }}' as dimension_value, {{ is_direct }} as is_direct,
        {%- for _, name in sides %}
        coalesce({{ to_millionths("buyers_paid_" ~ name) }}, 0),
        {{ to_millionths(
            "unidentified_amount_" ~ name if is_direct else "paid_amount_" ~ name ~ " - unidentified_amount_" ~ name
        ) }},
        {%- endfor %}
        coalesce({{ to_millionths("visitors_previous") }}, 0),
        coalesce({{ to_millionths("visitors_current") }}, 0)
    from changes
    {{ "union all" if not loop.last }}
    {% endfor %}
),

-- A value that only one of the periods has: the rate that it has there stands in for the other one's.
factored as (
    select
        *,
        case when part_0 > 0 then part_0 else part_1 end as rate_part_0,
        case when part_0 > 0 then paid_0 else paid_1 end as rate_amount_0,
        case when part_1 > 0 then part_1 else part_0 end as rate_part_1,
        case when part_1 > 0 then paid_1 else paid_0 end as rate_amount_1,
        case
            when is_direct or total_0 <= 0 or total_1 <= 0 then false
            when part_0 > 0 and part_1 > 0 then true
            when dimension = 'shop' then false
            else (part_0 > 0 and part_1 = 0 and paid_1 = 0) or (part_1 > 0 and part_0 = 0 and paid_0 = 0)
        end as has_factors
    from wholes
),

with_factors as (
    select * from factored
    where has_factors
),

{{ factor_effect_ctes("with_factors", keys) }}

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id, comparison, dimension, dimension_value,
    case
        {%- for of_shop, of_value in [("visitors", "volume"), ("conversion", "mix"), ("amount_per_buyer", "rate")] %}
        when factor = {{ loop.index0 }} then case when dimension = 'shop' then '{{ of_shop }}' else '{{ of_value }}' end
        {%- endfor %}
    end as effect,
    {{ from_cents("effect_cents") }} as amount,
    {{ as_of_date() }} as as_of_date
from factor_effects
union all
select
    cast('{{ var("shop_id") }}' as varchar), comparison, dimension, dimension_value,
    case when not is_direct then 'undefined_factors' when dimension = 'category' then 'unallocated'
        else 'unidentified_orders' end,
    {{ from_cents(floor_div("paid_1 - paid_0", "10000")) }},
    {{ as_of_date() }}
from factored
where not has_factors
