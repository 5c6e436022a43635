{#-
    Grain: one sound row of 订单报表 that carries a phone number. Vault only. A masked number (138****) reaches nobody.
-#}
{{ config(schema='vault') }}

with

source as (

    select * from {{ source('raw', 'taobao_orders') }}
    where {{ accepted_rows('date') }} and coalesce(phone, telephone) not like '%*%'

),

renamed as (

    select
        -- ids
        order_id,
        coalesce({{ unmasked('customer_id') }}, {{ unmasked('customer_nick') }}) as customer_id,
        {{ canonical_phone('coalesce(phone, telephone)') }} as phone,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
