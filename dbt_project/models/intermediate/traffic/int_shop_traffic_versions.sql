{#-
    Grain: one row of 生意参谋's shop by day in one file (batch, row), kept for good, under the names that our own figures have.
    The file that counts for a day is chosen in agg_shop_kpis__reconciled.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}

select
    -- numerics
    visitors,
    views,
    cart_persons as cart_visitors,
    favourite_persons as favourite_visitors,
    orders_paid,
    buyers_paid,
    quantity_paid as item_quantity,
    paid_amount,
    refunded_amount,

    -- dates
    business_date,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file,
    _source_row

from {{ ref('stg_sycm__shop_daily') }}
where {{ pending_rows('sycm_shop_daily') }}
