{#-
    Grain: one sound row of an export of members and fans (a customer as some export saw them).
    Contact details and birthdays are left to the vault.
-#}
with

source as (

    select * from {{ source('raw', 'members') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        {{ unmasked('customer_id') }} as customer_id,
        {{ member_identifier_key() }} as identifier_key,

        -- strings
        tier,
        gender,
        age_band,
        province,
        city,

        -- numerics
        cast(points as decimal(18, 2)) as points,

        -- booleans
        cast(is_fan as boolean) as is_fan,

        -- timestamps
        {{ to_utc('joined_at') }} as joined_at,
        {{ to_utc('fan_since') }} as fan_since_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
