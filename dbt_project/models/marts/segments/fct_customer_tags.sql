{#- Grain: shop x as-of date x customer x tag, for customers with tag_min_lines deal lines that the tag can judge.
    The share of a customer's deal lines that were bought cheap, dear or new.
    Definition: docs/definitions/stages.md -#}
{%- set tags = [
    ("price_sensitive", "is_discounted"), ("quality_seeker", "is_top_priced"), ("trend_follower", "is_new")
] %}

with deal_lines as (
    select
        lines.customer_key,
        lines.item_id,
        coalesce(lines.category_id, items.category_id) as category_id,
        case when lines.unit_price > 0 then lines.unit_price end as unit_price,
        -- In units of 10^-12: a product of decimals may be wider than what the engine multiplies them in.
        {{ to_millionths("lines.unit_price") }} * {{ to_millionths("lines.quantity") }} as list_trillionths,
        {{ to_millionths("lines.discount_amount") }} * 1000000 as discount_trillionths,
        {{ to_millionths("lines.paid_amount") }} * 1000000 as paid_trillionths,
        lines.paid_date
    from {{ ref("fct_order_lines") }} as lines
    left join {{ ref("dim_items") }} as items on lines.item_id = items.item_id
    where
        lines.is_deal
        and lines.paid_date <= {{ as_of_date() }}
        and {{ days_between("lines.paid_date", as_of_date()) }} < {{ var("tag_days") }}
),

first_sales as (
    select item_id, min(paid_date) as first_sold_date
    from {{ ref("fct_order_lines") }}
    where is_deal and paid_date <= {{ as_of_date() }}
    group by item_id
),

prices as (
    select category_id, unit_price, count(*) as line_count
    from deal_lines
    where category_id is not null and unit_price is not null
    group by category_id, unit_price
),

prices_reached as (
    select
        category_id,
        unit_price,
        sum(line_count) over (partition by category_id order by unit_price) as reached_count,
        sum(line_count) over (partition by category_id) as line_count
    from prices
),

-- The smallest price that all but the top part of the lines do not exceed; above it is the top.
top_prices as (
    select category_id, min(unit_price) as below_top_price
    from prices_reached
    where
        reached_count * {{ var("tag_quality_price_parts") }}
        >= line_count * ({{ var("tag_quality_price_parts") }} - 1)
    group by category_id
),

-- NULL: the line lacks the facts, and does not count. What was told as a discount and what was paid less than the list
-- price are two sights of one thing, each blind at times (coupons of the platform; postage inside the amount): the larger.
judged as (
    select
        deal_lines.customer_key,
        case
            when
                deal_lines.list_trillionths > 0
                and (deal_lines.discount_trillionths is not null or deal_lines.paid_trillionths is not null)
                then greatest(
                    coalesce(deal_lines.discount_trillionths, 0),
                    coalesce(deal_lines.list_trillionths - deal_lines.paid_trillionths, 0)
                ) * 1000000 >= deal_lines.list_trillionths * {{ to_millionths(var("tag_price_min_discount")) }}
        end as is_discounted,
        deal_lines.unit_price > top_prices.below_top_price as is_top_priced,
        {{ days_between("first_sales.first_sold_date", "deal_lines.paid_date") }} <= {{ var("tag_trend_days") }} as is_new
    from deal_lines
    left join top_prices on deal_lines.category_id = top_prices.category_id
    left join first_sales on deal_lines.item_id = first_sales.item_id
    where deal_lines.customer_key is not null
),

counted as (
    select
        customer_key,
        {%- for tag, column in tags %}
        count(case when {{ column }} then 1 end) as {{ tag }}_count,
        count({{ column }}) as {{ tag }}_line_count{{ "," if not loop.last }}
        {%- endfor %}
    from judged
    group by customer_key
),

tags as (
    {%- for tag, _ in tags %}
    select
        customer_key,
        '{{ tag }}' as tag_id,
        {{ tag }}_count as matching_line_count,
        {{ tag }}_line_count as judged_line_count
    from counted
    where {{ tag }}_line_count >= {{ var("tag_min_lines") }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    customer_key,
    cast(tag_id as varchar) as tag_id,
    matching_line_count,
    judged_line_count,
    cast({{ ratio("matching_line_count", "judged_line_count") }} as decimal(9, 6)) as score
from tags
