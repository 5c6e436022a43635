{#-
    Grain: one sound row of Shopify's customers export (a customer as some export saw them). Names and addresses stay in
    raw.
-#}
with

source as (

    select * from {{ source('raw', 'shopify_customers') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        customer_id,
        case
            when customer_id is not null then {{ identifier_key("'member_id'", 'customer_id') }}
            when {{ canonical_phone('phone') }} is not null
                then {{ identifier_key("'phone_hash'", contact_hash(canonical_phone('phone'))) }}
            when {{ canonical_email('email') }} is not null
                then {{ identifier_key("'email_hash'", contact_hash(canonical_email('email'))) }}
        end as identifier_key,

        -- strings
        province,
        city,
        country,
        tags,

        -- numerics
        cast(total_order_count as decimal(18, 0)) as total_order_count,
        cast(total_spent_amount as decimal(18, 2)) as total_spent_amount,

        -- booleans
        lower(accepts_email_marketing) = 'yes' as is_email_accepted,
        lower(accepts_sms_marketing) = 'yes' as is_sms_accepted,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
