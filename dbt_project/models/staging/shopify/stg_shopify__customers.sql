{#-
    Grain: one sound row of Shopify's customers export (a customer as some export saw them). Names and addresses stay in
    raw; an e-mail address is an id only as a hash.
-#}
with

source as (

    select * from {{ source('raw', 'shopify_customers') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        coalesce(
            customer_id,
            {{ contact_id('email', canonical_email('email')) }},
            {{ contact_id('phone', canonical_phone('phone')) }}
        ) as customer_id,

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
