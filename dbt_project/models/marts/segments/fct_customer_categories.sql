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

-- A number for every key: a year of acts is grouped by it, which takes half of what the keys' texts take.
customers as (
    select customer_key, cast(row_number() over (order by customer_key) as integer) as customer_number
    from {{ ref("dim_customers") }}
),

-- An event that names a customer is that customer's; the others are the one's whom the visitor belongs to. Resolved
-- anew at every build: whoever was merged takes along what the visitors did.
{% for kind in ("open_uid", "member_id") -%}
{{ kind }}s as (
    select identifiers.identifier_value, customers.customer_number
    from {{ customers_by(kind) }} as identifiers
    inner join customers on identifiers.customer_key = customers.customer_key
),

{% endfor -%}
visitors as (
    select visitors.visitor_id, customers.customer_number
    from {{ ref("dim_visitors") }} as visitors
    inner join customers on visitors.customer_key = customers.customer_key
),

event_days as (
    select
        coalesce(open_uids.customer_number, member_ids.customer_number, visitors.customer_number) as customer_number,
        days.category_id,
        days.item_id,
        days.view_count, days.favourite_count, days.cart_count,
        days.event_date
    from {{ ref("int_visitor_category_days") }} as days
    left join visitors on days.visitor_id = visitors.visitor_id
    left join member_ids on days.customer_id = member_ids.identifier_value
    left join open_uids on days.open_uid = open_uids.identifier_value
),

acts as (
    select
        days.customer_number,
        days.category_id,
        days.item_id,
        days.view_count,
        days.favourite_count,
        days.cart_count,
        0 as deal_line_count,
        decays.decay_millionths * (
            {{ weights["view"] }} * days.view_count
            + {{ weights["favourite"] }} * days.favourite_count
            + {{ weights["cart"] }} * days.cart_count
        ) as weight_millionths
    from event_days as days
    inner join decays on days.event_date = decays.act_date
    where days.customer_number is not null
    union all
    select
        customers.customer_number,
        lines.category_id,
        lines.item_id,
        0 as view_count, 0 as favourite_count, 0 as cart_count, 1 as deal_line_count,
        cast({{ weights["buy"] }} * decays.decay_millionths as bigint) as weight_millionths
    from {{ ref("fct_order_lines") }} as lines
    inner join decays on lines.paid_date = decays.act_date
    inner join customers on lines.customer_key = customers.customer_key
    where lines.is_deal
),

-- What names no category is of its item's.
weighed as (
    select
        acts.customer_number,
        coalesce(acts.category_id, items.category_id) as category_id,
        cast(sum(acts.view_count) as bigint) as view_count,
        cast(sum(acts.favourite_count) as bigint) as favourite_count,
        cast(sum(acts.cart_count) as bigint) as cart_count,
        cast(sum(acts.deal_line_count) as bigint) as deal_line_count,
        cast(sum(acts.weight_millionths) as bigint) as weight_millionths
    from acts
    left join {{ ref("dim_items") }} as items
        on case when acts.category_id is null then acts.item_id end = items.item_id
    where acts.category_id is not null or items.category_id is not null
    group by acts.customer_number, coalesce(acts.category_id, items.category_id)
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
    weighed.category_id,
    weighed.view_count,
    weighed.favourite_count,
    weighed.cart_count,
    weighed.deal_line_count,
    cast(cast(weighed.weight_millionths as decimal(18, 0)) * 0.000001 as decimal(18, 6)) as weight,
    cast({{ ratio("weighed.weight_millionths", "totals.total_millionths") }} as decimal(9, 6)) as share
from weighed
inner join totals on weighed.customer_number = totals.customer_number
inner join customers on weighed.customer_number = customers.customer_number
where weighed.weight_millionths > 0
-- Depends on {{ ref('int_identifier_customers') }}.
