{#-
    Grain: one customer with a deal line of a known category: the category it prefers, and whether it buys low, middle or
    high there. Prices are compared as whole millionths; nothing depends on the order of rows.
-#}
{{ config(schema='intermediate', contract={'enforced': false}) }}
{%- set tiers = var('price_tier_names') %}

with

lines as (

    select
        customer_key,
        category_id,
        paid_at,
        {{ to_millionths('unit_price') }} as price_millionths
    from {{ ref('fct_order_lines') }}
    where is_deal and customer_key is not null and category_id is not null

),

categories as (

    select
        customer_key,
        category_id,
        count(*) as line_count,
        {{ floor_div('sum(price_millionths)', 'count(*)') }} as average_price,
        max(paid_at) as last_paid_at
    from lines
    group by customer_key, category_id

),

ranked as (

    select
        *,
        row_number() over (
            partition by customer_key order by line_count desc, last_paid_at desc, category_id
        ) as category_rank
    from categories

),

preferred as (

    select
        customer_key,
        category_id,
        average_price,
        row_number() over (partition by category_id order by average_price, customer_key) as position,
        count(*) over (partition by category_id) as customer_count
    from ranked
    where category_rank = 1

),

-- The n-th cut is the smallest price that n of the parts have not exceeded: a price that occurs.
cuts as (

    select
        category_id,
        {% for tier in tiers[:-1] -%}
        min(case
            when {{ tiers | length }} * position >= {{ loop.index }} * customer_count then average_price
        end) as {{ tier }}_price{{ "," if not loop.last }}
        {% endfor %}
    from preferred
    group by category_id

)

select
    -- ids
    preferred.customer_key,
    preferred.category_id as preferred_category_id,

    -- strings
    case
        {% for tier in tiers[:-1] -%}
        when preferred.average_price <= cuts.{{ tier }}_price then '{{ tier }}'
        {% endfor -%}
        else '{{ tiers[-1] }}'
    end as price_tier

from preferred
inner join cuts on preferred.category_id = cuts.category_id
