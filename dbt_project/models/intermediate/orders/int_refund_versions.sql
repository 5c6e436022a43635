{#-
    Grain: one refund in one refund export (batch, refund); of rows with the same id, the last. A refund that succeeded at
    a time nobody told is dated by its export.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}

with

refunds as (

    select * from {{ ref('stg_taobao__refunds') }}
    where {{ pending_rows('taobao_refunds') }}

),

ranked as (

    select
        *,
        coalesce(refunded_at, _exported_at) as effective_refunded_at,
        row_number() over (partition by _batch_id, refund_id order by _source_row desc) as row_rank
    from refunds

)

select
    -- ids
    refund_id,
    order_id,
    item_id,

    -- strings
    refund_status,

    -- numerics
    refund_amount,

    -- booleans
    is_succeeded,

    -- dates
    case when is_succeeded then {{ business_date('effective_refunded_at') }} end as refunded_date,

    -- timestamps
    case when is_succeeded then effective_refunded_at end as refunded_at,
    _exported_at as exported_at,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file

from ranked
where row_rank = 1
