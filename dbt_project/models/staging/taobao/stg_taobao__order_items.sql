{#-
    Grain: one sound row of 宝贝报表 (a line of an order as some export saw it). Without an item id the seller's own code
    names the item, and without that its title.
-#}
with

source as (

    select * from {{ source('raw', 'taobao_order_items') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        order_id,
        line_id,
        coalesce(item_id, merchant_code, concat('title:', item_name)) as item_id,

        -- strings
        item_name,
        item_properties,
        merchant_code,
        status,
        refund_status,

        -- numerics
        cast(quantity as decimal(18, 6)) as quantity,
        cast(unit_price as decimal(18, 6)) as unit_price,
        cast(line_payable_amount as decimal(18, 2)) as line_payable_amount,
        cast(line_paid_amount as decimal(18, 2)) as line_paid_amount,
        case
            when {{ has_refund_succeeded('refund_status') }} then cast(refunded_amount as decimal(18, 2))
        end as refunded_amount,

        -- timestamps
        {{ chinese_time('ordered_at') }} as ordered_at,
        case when not {{ is_deposit_only('stage_details') }} then {{ chinese_time('paid_at') }} end as paid_at,
        case
            when {{ is_deposit_only('stage_details') }} then {{ chinese_time('coalesce(paid_at, ordered_at)') }}
        end as deposit_paid_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
