{#- Grain: shop x as-of date x customer x category that the customer did something in within the last category_days.
    What a customer looks at, wants and buys, each act weighed by what it means and by how long ago it was.
    Definition: docs/definitions/stages.md -#}
{%- set weights = var("behaviour_weights") %}

-- Halved every category_half_life_days, in whole millionths: sums of integers do not depend on the order of rows.
with decays as (
    select {{ add_days(as_of_date(), "-age_days") }} as act_date, decay_millionths
    from (
        values
        {%- for age in range(var("category_days")) %}
        ({{ age }}, {{ (1000000 * 0.5 ** (age / var("category_half_life_days"))) | round | int }}){{ "," if not loop.last }}
        {%- endfor %}
    ) as ages (age_days, decay_millionths)
),

{{ visitor_number_owners_ctes() }},

-- What names no category is of its item's.
event_categories as (
    select numbers.category_number, coalesce(numbers.category_id, items.category_id) as category_id
    from {{ ref("int_category_numbers") }} as numbers
    left join {{ ref("dim_items") }} as items
        on case when numbers.category_id is null then numbers.item_id end = items.item_id
),

deal_lines as (
    select
        customers.customer_number,
        coalesce(lines.category_id, items.category_id) as category_id,
        decays.decay_millionths
    from {{ ref("fct_order_lines") }} as lines
    inner join decays on lines.paid_date = decays.act_date
    inner join customers on lines.customer_key = customers.customer_key
    left join {{ ref("dim_items") }} as items on lines.item_id = items.item_id
    where lines.is_deal
),

-- As of D, unlike the numbers of what events name: two of those may be one category.
categories as (
    select category_id, cast(row_number() over (order by category_id) as integer) as category_rank
    from (
        select category_id
        from event_categories
        union
        select category_id
        from deal_lines
    ) as named
    where category_id is not null
),

ranked as (
    select event_categories.category_number, categories.category_rank
    from event_categories
    inner join categories on event_categories.category_id = categories.category_id
),

acts as (
    select
        owners.customer_number,
        ranked.category_rank,
        days.view_count,
        days.favourite_count,
        days.cart_count,
        0 as deal_line_count,
        decays.decay_millionths * (
            {{ weights["view"] }} * days.view_count
            + {{ weights["favourite"] }} * days.favourite_count
            + {{ weights["cart"] }} * days.cart_count
        ) as weight_millionths
    from {{ ref("int_visitor_category_days") }} as days
    inner join decays on days.event_date = decays.act_date
    inner join owners on days.visitor_number = owners.visitor_number
    inner join ranked on days.category_number = ranked.category_number
    where owners.customer_number is not null
    union all
    select
        deal_lines.customer_number,
        categories.category_rank,
        0 as view_count, 0 as favourite_count, 0 as cart_count, 1 as deal_line_count,
        cast({{ weights["buy"] }} * deal_lines.decay_millionths as bigint) as weight_millionths
    from deal_lines
    inner join categories on deal_lines.category_id = categories.category_id
),

weighed as (
    select
        customer_number,
        category_rank,
        {%- for sum in ["view_count", "favourite_count", "cart_count", "deal_line_count", "weight_millionths"] %}
        cast(sum({{ sum }}) as bigint) as {{ sum }}{{ "," if not loop.last }}
        {%- endfor %}
    from acts
    group by customer_number, category_rank
),

totals as (
    select customer_number, sum(weight_millionths) as total_millionths
    from weighed
    group by customer_number
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    customers.customer_key,
    categories.category_id,
    weighed.view_count,
    weighed.favourite_count,
    weighed.cart_count,
    weighed.deal_line_count,
    cast(cast(weighed.weight_millionths as decimal(18, 0)) * 0.000001 as decimal(18, 6)) as weight,
    cast({{ ratio("weighed.weight_millionths", "totals.total_millionths") }} as decimal(9, 6)) as share
from weighed
inner join totals on weighed.customer_number = totals.customer_number
inner join customers on weighed.customer_number = customers.customer_number
inner join categories on weighed.category_rank = categories.category_rank
where weighed.weight_millionths > 0
-- Depends on {{ ref('int_identifier_customers') }}.
