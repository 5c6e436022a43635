{#- Grain: shop x as-of date x comparison.
    Two periods beside each other: who came, who paid and how much; people are counted over each period.
    Definition: docs/definitions/what-moved.md -#}

with figures as (
    select
        comparison,
        {%- for name, period in [("current", 1), ("previous", 0)] %}
        max(case when period = {{ period }} and not is_direct then total_quantity end) as visitors_{{ name }},
        max(case when period = {{ period }} and not is_direct and paid_amount is not null then quantity end)
            as buyers_{{ name }},
        sum(case when period = {{ period }} then paid_amount end) as paid_amount_{{ name }},
        sum(case when period = {{ period }} and is_direct then paid_amount end) as unidentified_amount_{{ name }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from {{ ref("int_kpi_period_parts") }}
    where dimension = 'shop'
    group by comparison
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cast(periods.comparison as varchar) as comparison,
    {%- for name in ["current", "previous"] %}
    cast(figures.visitors_{{ name }} as bigint) as visitors_{{ name }},
    cast(figures.buyers_{{ name }} as bigint) as buyers_paid_{{ name }},
    cast(figures.paid_amount_{{ name }} as decimal(18, 2)) as paid_amount_{{ name }},
    cast(figures.unidentified_amount_{{ name }} as decimal(18, 2)) as unidentified_amount_{{ name }},
    {%- endfor %}
    cast(figures.paid_amount_current - figures.paid_amount_previous as decimal(18, 2)) as change_amount,
    {{ ratio("figures.paid_amount_current - figures.paid_amount_previous", "figures.paid_amount_previous") }}
        as change_rate,
    {%- for name in ["current", "previous"] %}
    {{ ratio("figures.buyers_" ~ name, "figures.visitors_" ~ name) }} as conversion_rate_{{ name }},
    {{ ratio("figures.paid_amount_" ~ name, "figures.buyers_" ~ name) }} as amount_per_buyer_{{ name }},
    {%- endfor %}
    periods.is_complete,
    {{ as_of_date() }} as as_of_date,
    periods.current_start_date,
    periods.current_end_date,
    periods.previous_start_date,
    periods.previous_end_date
from {{ kpi_comparison_periods() }} as periods
left join figures on periods.comparison = figures.comparison
