{#-
    Grain: one sound row of the refund export (a refund, in whatever state, as some export saw it).
-#}
with

source as (

    select * from {{ source('raw', 'taobao_refunds') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        refund_id,
        order_id,
        coalesce(item_id, merchant_code, concat('title:', item_name)) as item_id,

        -- strings
        refund_status,
        refund_reason,

        -- numerics
        cast(refund_amount as decimal(18, 2)) as refund_amount,

        -- booleans
        {{ has_refund_succeeded('refund_status') }} as is_succeeded,

        -- timestamps
        {{ chinese_time('requested_at') }} as requested_at,
        {{ chinese_time('coalesce(refunded_at, finished_at)') }} as refunded_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
