{#-
    Grain: one staged row about a customer as such, of the members' export or of Shopify's customers, who are no members for
    that. What a kind of export does not tell is NULL.
-#}
{{ config(materialized='view') }}

{%- set shared %}
    identifier_key, customer_id, province, city, _folder_date, _batch_id, _source_file, _source_row, _raw_file
{%- endset %}

select
    {{ shared }},
    tier,
    gender,
    age_band,
    points,
    true as is_member,
    is_fan,
    joined_at,
    fan_since_at
from {{ ref('stg_generic__members') }}

union all

select
    {{ shared }},
    cast(null as varchar) as tier,
    cast(null as varchar) as gender,
    cast(null as varchar) as age_band,
    cast(null as decimal(18, 2)) as points,
    false as is_member,
    cast(null as boolean) as is_fan,
    cast(null as timestamp) as joined_at,
    cast(null as timestamp) as fan_since_at
from {{ ref('stg_shopify__customers') }}
