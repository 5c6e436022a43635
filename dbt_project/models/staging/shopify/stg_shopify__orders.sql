{#-
    Grain: one sound row of Shopify's orders export (a line; what belongs to the order stands on its first row only and
    is carried down in int_order_versions).
-#}
with

source as (

    select * from {{ source('raw', 'shopify_orders') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        order_id,
        customer_id,
        coalesce(sku, concat('title:', item_name)) as item_id,

        -- strings
        item_name,
        status,
        discount_code as coupon_codes,
        province,
        city,

        -- numerics
        cast(quantity as decimal(18, 6)) as quantity,
        cast(unit_price as decimal(18, 6)) as unit_price,
        cast(discount_amount as decimal(18, 6)) as discount_amount,
        cast(order_total_amount as decimal(18, 2)) as order_paid_amount,
        cast(order_refunded_amount as decimal(18, 2)) as order_refunded_amount,

        -- timestamps
        {{ to_utc('ordered_at') }} as ordered_at,
        {{ to_utc('paid_at') }} as paid_at,
        {{ to_utc('cancelled_at') }} as cancelled_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
