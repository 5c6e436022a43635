{#- Grain: customer with a recent event with an item, or with an interest in a category.
    What a customer is about: wishes left open, affine items and categories, crowds.
    Definition: docs/definitions/stages.md -#}
{{ config(schema="intermediate", materialized="table") }}
{%- set weights = var("behaviour_weights") %}

with recent_items as (
    select
        *,
        view_count + favourite_count + cart_count as act_count,
        {{ weights["view"] }} * view_count
        + {{ weights["favourite"] }} * favourite_count
        + {{ weights["cart"] }} * cart_count as weight
    from {{ ref("int_customer_item_events") }}
    where item_id is not null
),

items_weighed as (
    select *, sum(weight) over (partition by customer_key) as total_weight
    from recent_items
),

items as (
    select
        customer_key,
        count(case when is_abandoned_cart then 1 end) as abandoned_cart_item_count,
        count(case when is_open_wish then 1 end) as interest_item_count,
        count(case
            when
                act_count >= {{ var("item_affinity_min_acts") }}
                and weight >= cast({{ var("item_affinity_min_share") }} as decimal(9, 6)) * total_weight
                then 1
        end) as affine_item_count
    from items_weighed
    group by customer_key
),

-- Shares are rounded: whether a threshold is reached is asked of the weights, in whole millionths as they were made.
categories as (
    select
        customer_key,
        category_id,
        share,
        cast(weight * 1000000 as bigint) as weight_millionths,
        view_count + favourite_count + cart_count + deal_line_count as act_count
    from {{ ref("fct_customer_categories") }}
),

categories_weighed as (
    select *, cast(sum(weight_millionths) over (partition by customer_key) as bigint) as total_millionths
    from categories
),

interests as (
    select
        customer_key,
        {{ value_at_minimum("category_id", record([("share", "-share"), ("id", "category_id")])) }} as top_category_id,
        max(share) as top_category_share,
        count(case
            when
                act_count >= {{ var("category_affinity_min_acts") }}
                and weight_millionths >= cast({{ var("category_affinity_min_share") }} as decimal(9, 6)) * total_millionths
                then 1
        end) as affine_category_count
    from categories_weighed
    group by customer_key
),

crowded as (
    select categories.customer_key, crowds.crowd_id
    from categories_weighed as categories
    inner join {{ ref("category_crowds") }} as crowds on categories.category_id = crowds.category_id
    group by categories.customer_key, crowds.crowd_id, categories.total_millionths
    having
        sum(categories.weight_millionths)
        >= cast({{ var("crowd_min_share") }} as decimal(9, 6)) * categories.total_millionths
        and sum(categories.act_count) >= {{ var("crowd_min_acts") }}
),

crowds as (
    select customer_key, {{ sorted_list("crowd_id") }} as crowd_ids
    from crowded
    group by customer_key
),

customers as (
    select customer_key
    from items
    union
    select customer_key
    from interests
)

select
    customers.customer_key,
    interests.top_category_id,
    crowds.crowd_ids,
    cast(coalesce(items.abandoned_cart_item_count, 0) as integer) as abandoned_cart_item_count,
    cast(coalesce(items.interest_item_count, 0) as integer) as interest_item_count,
    cast(coalesce(items.affine_item_count, 0) as integer) as affine_item_count,
    cast(coalesce(interests.affine_category_count, 0) as integer) as affine_category_count,
    interests.top_category_share
from customers
left join items on customers.customer_key = items.customer_key
left join interests on customers.customer_key = interests.customer_key
left join crowds on customers.customer_key = crowds.customer_key
