{#-
    Grain: one sound row of an export of members that carries a contact detail or a birthday. Vault only.
-#}
{{ config(schema='vault') }}

with

source as (

    select * from {{ source('raw', 'members') }}
    where {{ accepted_rows('date') }} and (phone is not null or email is not null or birthday is not null)

),

renamed as (

    select
        -- ids
        {{ unmasked('customer_id') }} as customer_id,
        {{ canonical_phone('phone') }} as phone,
        {{ canonical_email('email') }} as email,

        -- strings
        birthday,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
