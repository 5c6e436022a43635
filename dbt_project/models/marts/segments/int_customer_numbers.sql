{#- Grain: customer as of D.
    A number for every customer of this build: what is long is joined and grouped by it, which takes a fraction of what keys
    take. It says nothing beyond the build: the next one numbers anew.
    Definition: docs/definitions/people.md -#}
{{ config(schema="intermediate", materialized="table") }}

select
    customer_key,
    cast(row_number() over (order by customer_key) as integer) as customer_number
from {{ ref("dim_customers") }}
