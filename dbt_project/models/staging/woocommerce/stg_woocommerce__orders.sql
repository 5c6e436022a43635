{#-
    Grain: one sound row of WooCommerce's orders download (an order's head as some export saw it). It names no buyer and
    no items; its only amount is net sales: goods after discounts, without postage and taxes. It tells no refunds but by the
    status: `refunded` is an order given back as a whole.
-#}
with

source as (

    select * from {{ source('raw', 'woocommerce_orders') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        order_id,

        -- strings
        status,
        customer_type,
        coupons as coupon_codes,
        attribution,

        -- numerics
        cast(quantity as decimal(18, 6)) as order_quantity,
        cast(net_sales_amount as decimal(18, 2)) as order_paid_amount,
        case
            when {{ normal_status('status') }} = 'refunded' then cast(net_sales_amount as decimal(18, 2))
        end as order_refunded_amount,

        -- timestamps
        {{ to_utc('ordered_at') }} as ordered_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
