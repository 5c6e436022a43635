{#-
    Grain: one sound row of an export of orders that names its buyer in any way. Vault only.
-#}
{{ config(schema='vault') }}

with

source as (

    select * from {{ source('raw', 'orders') }}
    where {{ accepted_rows('date') }} and coalesce(open_uid, customer_id, phone, email) is not null

),

renamed as (

    select
        -- ids
        order_id,
        open_uid,
        {{ unmasked('customer_id') }} as customer_id,
        {{ canonical_phone('phone') }} as phone,
        {{ canonical_email('email') }} as email,

        -- timestamps
        coalesce({{ to_utc('ordered_at') }}, {{ to_utc('paid_at') }}) as ordered_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
