{#-
    Grain: one sound row of Amazon's All Orders report (a line of an order as some report saw it). It names no buyer. What a
    line was paid is goods, postage and gift wrapping with their taxes, less discounts, whose sign varies.
-#}
with

source as (

    select * from {{ source('raw', 'amazon_orders') }}
    where {{ accepted_rows('date') }}

),

typed as (

    select
        *,
        cast(quantity as decimal(18, 6)) as pieces,
        cast(item_price_amount as decimal(18, 2)) as goods_amount,
        {% for name in [
            'item_tax_amount', 'shipping_amount', 'shipping_tax_amount', 'gift_wrap_amount', 'gift_wrap_tax_amount'
        ] -%}
        coalesce(cast({{ name }} as decimal(18, 2)), 0) {{ "+ " if not loop.last }}
        {%- endfor %} as surcharge_amount,
        abs(coalesce(cast(discount_amount as decimal(18, 2)), 0)) as goods_discount_amount,
        abs(coalesce(cast(shipping_discount_amount as decimal(18, 2)), 0)) as postage_discount_amount
    from source

),

renamed as (

    select
        -- ids
        order_id,
        coalesce(item_id, sku) as item_id,

        -- strings
        item_name,
        status,
        item_status,
        sales_channel,
        province,
        city,

        -- numerics
        pieces as quantity,
        cast(case when pieces > 0 then coalesce(goods_amount, 0) / pieces else 0 end as decimal(18, 6)) as unit_price,
        cast(goods_discount_amount as decimal(18, 6)) as discount_amount,
        cast(
            goods_amount + surcharge_amount - goods_discount_amount - postage_discount_amount as decimal(18, 2)
        ) as line_paid_amount,

        -- timestamps
        {{ to_utc('ordered_at') }} as ordered_at,
        {{ to_utc('updated_at') }} as updated_at,

        -- metadata
        {{ row_origin('date') }}

    from typed

)

select * from renamed
