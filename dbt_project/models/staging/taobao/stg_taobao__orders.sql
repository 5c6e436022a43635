{#-
    Grain: one sound row of 订单报表 (an order's head as some export saw it). Sellers choose the columns: NULL may mean that
    the export does not have the column.
-#}
with

source as (

    select * from {{ source('raw', 'taobao_orders') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        order_id,
        coalesce({{ unmasked('customer_id') }}, {{ unmasked('customer_nick') }}) as customer_id,

        -- strings
        status,
        closed_reason,
        {{ address_part('delivery_address', 1) }} as province,
        {{ address_part('delivery_address', 2) }} as city,

        -- numerics
        cast(quantity as decimal(18, 6)) as order_quantity,
        cast(order_paid_amount as decimal(18, 2)) as order_paid_amount,
        cast(order_refunded_amount as decimal(18, 2)) as order_refunded_amount,

        -- timestamps
        {{ chinese_time('ordered_at') }} as ordered_at,
        case when not {{ is_deposit_only('stage_details') }} then {{ chinese_time('paid_at') }} end as paid_at,
        case
            when {{ is_deposit_only('stage_details') }} then {{ chinese_time('coalesce(paid_at, ordered_at)') }}
        end as deposit_paid_at,
        {{ chinese_time('shipped_at') }} as shipped_at,
        {{ chinese_time('confirmed_at') }} as signed_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
