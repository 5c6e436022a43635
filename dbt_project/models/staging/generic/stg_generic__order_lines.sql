{#-
    Grain: one sound row of an export of orders (an order line as some export saw it).
    Typed, not deduplicated: which export counts is decided in int_order_versions.
-#}
with

source as (

    select * from {{ source('raw', 'orders') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        order_id,
        line_id,
        {{ unmasked('customer_id') }} as customer_id,
        item_id,
        category_id,

        -- strings
        item_name,
        status,
        province,
        city,

        -- numerics
        cast(quantity as decimal(18, 6)) as quantity,
        cast(unit_price as decimal(18, 6)) as unit_price,
        cast(line_paid_amount as decimal(18, 2)) as line_paid_amount,
        cast(order_paid_amount as decimal(18, 2)) as order_paid_amount,
        cast(refunded_amount as decimal(18, 2)) as refunded_amount,
        cast(discount_amount as decimal(18, 6)) as discount_amount,

        -- timestamps
        {{ to_utc('ordered_at') }} as ordered_at,
        {{ to_utc('paid_at') }} as paid_at,
        {{ to_utc('refunded_at') }} as refunded_at,
        {{ to_utc('signed_at') }} as signed_at,
        {{ to_utc('exported_at') }} as exported_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
