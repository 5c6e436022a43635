{#-
    Grain: one row of a platform's figures by traffic source in one file (batch, row), kept for good. The file that counts
    for a day is chosen in fct_traffic_sources__by_day. A child level that says 汇总 names no source: the row is about the level
    above it, as the sum of what lies below.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}

{%- set measures = [
    'visitor_count', 'view_count', 'cart_person_count', 'favourite_person_count', 'buyers_paid_count', 'paid_amount'
] %}
{%- set origin = ['business_date', '_folder_date', '_exported_at', '_batch_id', '_source_file', '_source_row'] %}

with

generic as (

    select
        'generic' as platform,
        cast(null as varchar) as carrier,
        source_level_1,
        source_level_2,
        source_level_3,
        cast(null as varchar) as source_level_4,
        {{ measures | join(", ") }},
        orders_placed_count,
        cast(null as decimal(18, 0)) as buyers_placed_count,
        false as is_roll_up,
        {{ origin | join(", ") }}
    from {{ ref('stg_generic__traffic_sources') }}
    where {{ pending_rows('traffic_sources') }}

),

sycm as (

    select
        'sycm' as platform,
        carrier,
        source_level_1,
        {% for level in [2, 3, 4] -%}
        case
            when {% for above in range(2, level + 1) -%}
                coalesce(source_level_{{ above }}, '') <> '汇总' {{ "and " if not loop.last }}
            {%- endfor %} then source_level_{{ level }}
        end as source_level_{{ level }},
        {% endfor -%}
        {{ measures | join(", ") }},
        cast(null as decimal(18, 0)) as orders_placed_count,
        buyers_placed_count,
        coalesce('汇总' in (source_level_2, source_level_3, source_level_4), false) as is_roll_up,
        {{ origin | join(", ") }}
    from {{ ref('stg_sycm__shop_sources') }}
    where {{ pending_rows('sycm_shop_sources') }}

)

select * from generic
union all
select * from sycm
