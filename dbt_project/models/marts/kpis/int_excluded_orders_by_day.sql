{#- Grain: date on which an excluded order (补单/刷单) was paid by its newest export.
    How many orders the shop's list takes out of every mart, and how much was paid for them.
    Definition: docs/definitions/people.md -#}
{{ config(schema="intermediate", materialized="table") }}
{%- set newest = ["exported_at", "_source_file", "_folder_date", "_batch_id"] %}

with newest_told as (
    select
        order_id,
        {{ latest("paid_date", newest) }} as paid_date,
        {{ latest("order_paid_amount", newest) }} as paid_amount
    from {{ ref("int_order_versions") }}
    where order_id in (select excluded.order_id from {{ ref("int_excluded_orders") }} as excluded)
    group by order_id
)

select
    paid_date,
    count(*) as excluded_order_count,
    cast(coalesce(sum(paid_amount), 0) as decimal(18, 2)) as excluded_paid_amount
from newest_told
where paid_date <= {{ as_of_date() }}
group by paid_date
