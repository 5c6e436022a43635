{#-
    Grain: one sound row of Shopify's orders export that names its buyer in any way. Vault only.
-#}
{{ config(schema='vault') }}

with

source as (

    select * from {{ source('raw', 'shopify_orders') }}
    where {{ accepted_rows('date') }} and coalesce(customer_id, phone, email) is not null

),

renamed as (

    select
        -- ids
        order_id,
        customer_id,
        {{ canonical_phone('phone') }} as phone,
        {{ canonical_email('email') }} as email,

        -- timestamps
        coalesce({{ to_utc('ordered_at') }}, {{ to_utc('paid_at') }}) as ordered_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
