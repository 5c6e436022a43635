{#-
    Grain: one sound row of Shopify's customers export, with what it is known by. Vault only.
-#}
{{ config(schema='vault') }}

with

source as (

    select * from {{ source('raw', 'shopify_customers') }}
    where {{ accepted_rows('date') }} and coalesce(customer_id, phone, email) is not null

),

renamed as (

    select
        -- ids
        customer_id,
        {{ canonical_phone('phone') }} as phone,
        {{ canonical_email('email') }} as email,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
