{#- Grain: shop x dimension x its value x cohort month x period (calendar months since the cohort month).
    Retention by what customers began with: the source of the first visit, the category of the first deal; and of those
    who became fan or member in a month, whether they had bought or not. Dense up to D.
    Definition: docs/definitions/cohorts.md -#}
{%- set unknown = "'" ~ var("profile_unknown_value") ~ "'" %}

with customer_periods as (
    {{ customer_periods("month") }}
),

buyers as (
    select customer_key, first_deal_date, period_start as cohort_start
    from customer_periods
    where period_start = {{ month_of("first_deal_date") }}
),

-- The first deal is the one paid first; its dearest line says what the customer came for. No file may have told its lines.
first_deals as (
    select
        orders.customer_key,
        {{ value_at_minimum("orders.order_id", record([("at", "orders.paid_at"), ("id", "orders.order_id")])) }} as order_id
    from {{ ref("fct_orders") }} as orders
    inner join buyers on orders.customer_key = buyers.customer_key and orders.paid_date = buyers.first_deal_date
    where orders.is_deal
    group by orders.customer_key
),

first_lines as (
    select
        first_deals.customer_key,
        {{ value_at_minimum(
            "coalesce(lines.category_id, items.category_id, " ~ unknown ~ ")",
            record([
                ("amount", "-coalesce(lines.paid_amount, 0)"), ("line_number", "lines.line_number"),
                ("line_key", "lines.line_key"),
            ]),
        ) }} as category_id
    from first_deals
    inner join {{ ref("fct_order_lines") }} as lines on first_deals.order_id = lines.order_id
    left join {{ ref("dim_items") }} as items on lines.item_id = items.item_id
    group by first_deals.customer_key
),

people as (
    select customer_key, first_touch_source, joined_date, fan_since_date
    from {{ ref("dim_customers") }}
),

members as (
    select
        'first_source' as dimension,
        coalesce(people.first_touch_source, {{ unknown }}) as dimension_value,
        buyers.cohort_start,
        buyers.customer_key
    from buyers
    left join people on buyers.customer_key = people.customer_key
    union all
    select 'first_category', coalesce(first_lines.category_id, {{ unknown }}), buyers.cohort_start, buyers.customer_key
    from buyers
    left join first_lines on buyers.customer_key = first_lines.customer_key
    {%- for value, started in [("member", "joined_date"), ("fan", "fan_since_date")] %}
    union all
    select 'relationship_start', '{{ value }}', {{ month_of(started) }}, customer_key
    from people
    where {{ started }} <= {{ as_of_date() }}
    {%- endfor %}
),

cohorts as (
    select dimension, dimension_value, cohort_start, count(*) as cohort_size
    from members
    group by dimension, dimension_value, cohort_start
),

amounts as (
    select members.dimension, members.dimension_value, members.cohort_start, customer_periods.*
    from members
    inner join customer_periods
        on members.customer_key = customer_periods.customer_key and members.cohort_start <= customer_periods.period_start
),

{{ cohort_cells("month", ["dimension", "dimension_value"]) }}

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cast(dimension as varchar) as dimension,
    cast(dimension_value as varchar) as dimension_value,
    cohort_start as cohort_month,
    {{ cohort_measures() }}
from cells
