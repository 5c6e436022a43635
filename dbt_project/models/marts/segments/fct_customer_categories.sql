{#- Grain: shop x as-of date x customer x category that the customer did something in within the last category_days.
    What a customer looks at, wants and buys, each act weighed by what it means and by how long ago it was.
    Definition: docs/definitions/stages.md -#}
{%- set weights = var("behaviour_weights") %}

-- Halved every category_half_life_days, in whole millionths: sums of integers do not depend on the order of rows.
with decays as (
    select age_days, decay_millionths
    from (
        values
        {%- for age in range(var("category_days")) %}
        ({{ age }}, {{ (1000000 * 0.5 ** (age / var("category_half_life_days"))) | round | int }}){{ "," if not loop.last }}
        {%- endfor %}
    ) as decays (age_days, decay_millionths)
),

-- An event that names a customer is that customer's; the others are the one's whom the visitor belongs to. Resolved
-- anew at every build: whoever was merged takes along what the visitors did.
persons as (
    select
        identities.visitor_id,
        identities.customer_id,
        identities.open_uid,
        coalesce(open_uids.customer_key, member_ids.customer_key, visitors.customer_key) as customer_key
    from {{ ref("int_visitor_identities") }} as identities
    inner join {{ ref("dim_visitors") }} as visitors on identities.visitor_id = visitors.visitor_id
    left join {{ customers_by("open_uid") }} as open_uids on identities.open_uid = open_uids.identifier_value
    left join {{ customers_by("member_id") }} as member_ids on identities.customer_id = member_ids.identifier_value
    where coalesce(open_uids.customer_key, member_ids.customer_key, visitors.customer_key) is not null
),

events as (
    select
        persons.customer_key,
        days.category_id,
        days.item_id,
        sum(days.view_count) as view_count,
        sum(days.favourite_count) as favourite_count,
        sum(days.cart_count) as cart_count,
        sum(decays.decay_millionths * (
            {{ weights["view"] }} * days.view_count
            + {{ weights["favourite"] }} * days.favourite_count
            + {{ weights["cart"] }} * days.cart_count
        )) as weight_millionths
    from {{ ref("int_visitor_category_days") }} as days
    inner join persons
        on
            days.visitor_id = persons.visitor_id
            and days.customer_id is not distinct from persons.customer_id
            and days.open_uid is not distinct from persons.open_uid
    inner join decays on {{ days_between("days.event_date", as_of_date()) }} = decays.age_days
    group by persons.customer_key, days.category_id, days.item_id
),

deal_lines as (
    select
        lines.customer_key,
        lines.category_id,
        lines.item_id,
        count(*) as deal_line_count,
        sum({{ weights["buy"] }} * decays.decay_millionths) as weight_millionths
    from {{ ref("fct_order_lines") }} as lines
    inner join decays on {{ days_between("lines.paid_date", as_of_date()) }} = decays.age_days
    where lines.is_deal and lines.customer_key is not null
    group by lines.customer_key, lines.category_id, lines.item_id
),

acts as (
    select customer_key, category_id, item_id, view_count, favourite_count, cart_count, 0 as deal_line_count, weight_millionths
    from events
    union all
    select customer_key, category_id, item_id, 0, 0, 0, deal_line_count, weight_millionths
    from deal_lines
),

-- What names no category is of its item's.
weighed as (
    select
        acts.customer_key,
        coalesce(acts.category_id, items.category_id) as category_id,
        cast(sum(acts.view_count) as bigint) as view_count,
        cast(sum(acts.favourite_count) as bigint) as favourite_count,
        cast(sum(acts.cart_count) as bigint) as cart_count,
        cast(sum(acts.deal_line_count) as bigint) as deal_line_count,
        cast(sum(acts.weight_millionths) as bigint) as weight_millionths
    from acts
    left join {{ ref("dim_items") }} as items on acts.item_id = items.item_id
    where acts.category_id is not null or items.category_id is not null
    group by acts.customer_key, coalesce(acts.category_id, items.category_id)
),

totals as (
    select customer_key, sum(weight_millionths) as total_millionths
    from weighed
    group by customer_key
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    weighed.customer_key,
    weighed.category_id,
    weighed.view_count,
    weighed.favourite_count,
    weighed.cart_count,
    weighed.deal_line_count,
    cast(cast(weighed.weight_millionths as decimal(18, 0)) * 0.000001 as decimal(18, 6)) as weight,
    cast({{ ratio("weighed.weight_millionths", "totals.total_millionths") }} as decimal(9, 6)) as share
from weighed
inner join totals on weighed.customer_key = totals.customer_key
where weighed.weight_millionths > 0
-- Depends on {{ ref('int_identifier_customers') }}.
