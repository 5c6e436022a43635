{#-
    Grain: one sound row of 订单报表 that names its buyer in any way. Vault only.
-#}
{{ config(schema='vault') }}

with

source as (

    select * from {{ source('raw', 'taobao_orders') }}
    where {{ accepted_rows('date') }} and coalesce(customer_id, customer_nick, phone, telephone) is not null

),

renamed as (

    select
        -- ids
        order_id,
        coalesce({{ unmasked('customer_id') }}, {{ unmasked('customer_nick') }}) as customer_id,
        coalesce({{ canonical_phone('phone') }}, {{ canonical_phone('telephone') }}) as phone,

        -- timestamps
        coalesce({{ chinese_time('ordered_at') }}, {{ chinese_time('paid_at') }}) as ordered_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
