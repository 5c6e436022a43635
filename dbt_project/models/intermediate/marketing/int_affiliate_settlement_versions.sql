{#-
    Grain: one row of 淘宝客 settlements in one file (batch, row), kept for good.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}

select
    -- ids
    order_id,
    line_id,
    item_id,
    affiliate_id,

    -- strings
    item_name,
    campaign_name,

    -- numerics
    quantity,
    deal_amount,
    commission_amount,
    service_fee_amount,

    -- booleans
    is_unpaid_presale,

    -- dates
    {{ business_date('settled_at') }} as settled_date,

    -- timestamps
    ordered_at,
    confirmed_at,
    settled_at,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file,
    _source_row

from {{ ref('stg_taobaoke__settlements') }}
where {{ pending_rows('taobaoke_settlements') }}
