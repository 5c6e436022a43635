{#-
    Grain: one sound row of Shopify's orders export that carries a phone number or an e-mail address. Vault only.
-#}
{{ config(schema='vault') }}

with

source as (

    select * from {{ source('raw', 'shopify_orders') }}
    where {{ accepted_rows('date') }} and (phone is not null or email is not null)

),

renamed as (

    select
        -- ids
        order_id,
        coalesce(customer_id, {{ contact_id('email', canonical_email('email')) }}) as customer_id,
        {{ canonical_phone('phone') }} as phone,
        {{ canonical_email('email') }} as email,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
