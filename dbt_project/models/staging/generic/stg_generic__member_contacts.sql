{#-
    Grain: one sound row of an export of members, with what the member is known by, and the birthday. Vault only.
-#}
{{ config(schema='vault') }}

with

source as (

    select * from {{ source('raw', 'members') }}
    where {{ accepted_rows('date') }} and coalesce(open_uid, customer_id, phone, email, birthday) is not null

),

renamed as (

    select
        -- ids
        open_uid,
        {{ unmasked('customer_id') }} as customer_id,
        {{ member_identifier_key() }} as identifier_key,
        {{ canonical_phone('phone') }} as phone,
        {{ canonical_email('email') }} as email,

        -- strings
        birthday,

        -- timestamps
        {{ to_utc('joined_at') }} as joined_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
