{#-
    Grain: one sound row of GA4's export (an event as some writing of its day has it). Of an event with several items the
    first one counts. The source is the event's own where it was collected, else the session's by last click.
-#}
with

source as (

    select * from {{ source('raw', 'ga4_events') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        visitor_id,
        {{ unmasked('customer_id') }} as customer_id,
        {{ json_text('items', '$[0].item_id') }} as item_id,
        {{ json_text('items', '$[0].item_category') }} as category_id,

        -- strings
        event_name,
        coalesce(
            {{ json_text('collected_traffic_source', '$.manual_source') }},
            {{ json_text('session_traffic_source', '$.manual_campaign.source') }}
        ) as source,
        coalesce(
            {{ json_text('collected_traffic_source', '$.manual_campaign_name') }},
            {{ json_text('session_traffic_source', '$.manual_campaign.campaign_name') }}
        ) as campaign,
        {{ json_parameter('event_params', 'page_location') }} as page,
        {{ json_text('device', '$.category') }} as device,

        -- dates
        cast(event_date as date) as ga4_date,

        -- timestamps
        {{ to_utc('event_at', 'UTC') }} as event_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
