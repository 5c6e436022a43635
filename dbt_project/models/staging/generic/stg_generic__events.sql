{#-
    Grain: one sound row of an export of traffic events. Typed, not deduplicated: see int_events.
-#}
with

source as (

    select * from {{ source('raw', 'traffic_events') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        event_id,
        visitor_id,
        {{ unmasked('customer_id') }} as customer_id,
        open_uid,
        item_id,
        category_id,

        -- strings
        event_type,
        source,
        campaign,
        page,
        device,

        -- timestamps
        {{ to_utc('event_at') }} as event_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
