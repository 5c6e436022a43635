{#-
    Grain: one row of 生意参谋's items in one file (batch, row), kept for good. The file that counts for an item and day is
    chosen in fct_item_traffic__by_day.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}

select
    -- ids
    item_id,

    -- strings
    item_name,
    item_status,

    -- numerics
    visitors as visitor_count,
    views as view_count,
    favourite_persons as favourite_person_count,
    cart_persons as cart_person_count,
    cart_quantity,
    buyers_placed as buyers_placed_count,
    quantity_placed as placed_quantity,
    placed_amount,
    buyers_paid as buyers_paid_count,
    new_buyers_paid as new_buyers_paid_count,
    returning_buyers_paid as returning_buyers_paid_count,
    quantity_paid as paid_quantity,
    paid_amount,
    refunded_amount,
    search_visitors as search_visitor_count,
    search_buyers_paid as search_buyers_paid_count,
    bounce_rate,

    -- dates
    business_date,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file,
    _source_row

from {{ ref('stg_sycm__items') }}
where {{ pending_rows('sycm_items') }}
