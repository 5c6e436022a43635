{#-
    Grain: one day and item of 生意参谋's own figures, as the newest file that has the item on that day tells it. Persons overlap
    between items and days: never add them up; amounts, pieces and views may be.
    Definition: docs/definitions/traffic.md
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    touched_by='int_touched_item_traffic_days',
    touched_key='business_date',
    on_schema_change='fail'
) }}
{{ require_full_work_tables() }}

with

versions as (

    select * from {{ ref('int_item_traffic_versions') }}
    where business_date in (
        select touched.business_date from {{ ref('int_touched_item_traffic_days') }} as touched
    )

),

ranked as (

    select
        *,
        row_number() over (
            partition by business_date, item_id
            order by {{ newest_file() }}, _source_row desc
        ) as version_rank
    from versions

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    item_id,

    -- strings
    item_name,
    item_status,
    '{{ var("currency") }}' as currency_code,

    -- numerics
    visitor_count,
    view_count,
    favourite_person_count,
    cart_person_count,
    cart_quantity,
    buyers_placed_count,
    placed_quantity,
    placed_amount,
    buyers_paid_count,
    new_buyers_paid_count,
    returning_buyers_paid_count,
    paid_quantity,
    paid_amount,
    refunded_amount,
    search_visitor_count,
    search_buyers_paid_count,
    bounce_rate,
    {{ ratio('buyers_paid_count', 'visitor_count') }} as conversion_rate,
    {{ ratio('paid_amount', 'visitor_count') }} as amount_per_visitor,

    -- dates
    business_date

from ranked
where version_rank = 1
