{#-
    Grain: one sound row of a Meta Ads report (day or days, and campaign, ad set or advertisement, as some download saw it).
    Clicks on links count; where the report has none, clicks of every kind.
-#}
with

source as (

    select * from {{ source('raw', 'meta_ads') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        campaign_id,
        ad_group_id,
        creative_id,

        -- strings
        case
            when coalesce(creative_id, creative_name) is not null then 'creative'
            when coalesce(ad_group_id, ad_group_name) is not null then 'ad_group'
            else 'campaign'
        end as report_level,
        campaign_name,
        ad_group_name,
        creative_name,
        attribution_window,

        -- numerics
        {{ ad_measures('coalesce(link_clicks, clicks)') }},

        -- dates
        cast(stat_date as date) as first_date,
        cast(coalesce(stat_end_date, stat_date) as date) as last_date,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
