{#-
    Grain: one sound statement about a case for which somebody is sent nothing, as exported. In the vault: it may name a
    person by phone or e-mail.
-#}
{{ config(schema='vault') }}

with

source as (

    select * from {{ source('raw', 'suppressions') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        {{ unmasked('customer_id') }} as customer_id,
        {{ canonical_phone('phone') }} as phone,
        {{ canonical_email('email') }} as email,
        case_id,

        -- strings
        case when lower(trim(cause)) = 'complaint' then 'open_complaint' else 'blacklisted' end as cause,

        -- booleans
        lower(trim(coalesce(status, ''))) = 'closed' as is_closed,

        -- timestamps
        {{ to_utc('ended_at') }} as ended_at,
        {{ to_utc('recorded_at') }} as recorded_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
