{#- Grain: shop x as-of date x comparison.
    Two periods beside each other: who came, who paid and how much; people are counted over each period.
    Definition: docs/definitions/what-moved.md -#}

with period_figures as (
    select
        period_id,
        sum(case when dimension = 'visitor_source' then people end) as visitors,
        sum(case when dimension = 'customer_kind' then buyers_paid end) as buyers_paid,
        sum(case when dimension = 'customer_kind' then paid_amount end) as paid_amount,
        sum(case when dimension_value = '(no customer)' and dimension = 'customer_kind' then paid_amount end)
            as unidentified_amount
    from {{ ref("int_kpi_people_parts") }}
    group by period_id
),

figures as (
    select
        {%- for name in ["current", "previous"] %}
        {%- for measure, needs in [
            ("visitors", "traffic"), ("buyers_paid", "orders"), ("paid_amount", "orders"),
            ("unidentified_amount", "orders"),
        ] %}
        case when periods.knows_{{ needs }}_{{ name }} then coalesce({{ name }}_figures.{{ measure }}, 0) end
            as {{ measure }}_{{ name }},
        {%- endfor %}
        {%- endfor %}
        periods.*
    from {{ kpi_comparison_periods() }} as periods
    left join period_figures as current_figures on periods.current_period_id = current_figures.period_id
    left join period_figures as previous_figures on periods.previous_period_id = previous_figures.period_id
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cast(comparison as varchar) as comparison,
    {%- for name in ["current", "previous"] %}
    cast(visitors_{{ name }} as bigint) as visitors_{{ name }},
    cast(buyers_paid_{{ name }} as bigint) as buyers_paid_{{ name }},
    cast(paid_amount_{{ name }} as decimal(18, 2)) as paid_amount_{{ name }},
    cast(unidentified_amount_{{ name }} as decimal(18, 2)) as unidentified_amount_{{ name }},
    {%- endfor %}
    cast(paid_amount_current - paid_amount_previous as decimal(18, 2)) as change_amount,
    {{ ratio("paid_amount_current - paid_amount_previous", "paid_amount_previous") }} as change_rate,
    {%- for name in ["current", "previous"] %}
    {{ ratio("buyers_paid_" ~ name, "visitors_" ~ name) }} as conversion_rate_{{ name }},
    {{ ratio("paid_amount_" ~ name, "buyers_paid_" ~ name) }} as amount_per_buyer_{{ name }},
    {%- endfor %}
    is_complete,
    {{ as_of_date() }} as as_of_date,
    current_start_date,
    current_end_date,
    previous_start_date,
    previous_end_date
from figures
