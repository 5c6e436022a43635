{#-
    Grain: one sound statement of consent, as exported. In the vault: it may name a person by phone or e-mail.
-#}
{{ config(schema='vault') }}

with

source as (

    select * from {{ source('raw', 'consent') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        {{ unmasked('customer_id') }} as customer_id,
        {{ canonical_phone('phone') }} as phone,
        {{ canonical_email('email') }} as email,

        -- strings
        channel,
        purpose,

        -- booleans
        cast(granted as boolean) as is_granted,

        -- timestamps
        {{ to_utc('recorded_at') }} as recorded_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
