{#- Grain: item as of D.
    A number for every item of this build, as int_customer_numbers has for customers.
    Definition: docs/definitions/segments.md -#}
{{ config(schema="intermediate", materialized="table") }}

select
    item_id,
    cast(row_number() over (order by item_id) as integer) as item_number
from {{ ref("dim_items") }}
