{#-
    Grain: one sound row of a Google Ads report (day or days, and campaign, ad group or keyword, as some download saw it).
-#}
with

source as (

    select * from {{ source('raw', 'google_ads') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        campaign_id,
        ad_group_id,

        -- strings
        case
            when keyword is not null then 'keyword'
            when coalesce(ad_group_id, ad_group_name) is not null then 'ad_group'
            else 'campaign'
        end as report_level,
        campaign_name,
        ad_group_name,
        keyword,

        -- numerics
        {{ ad_measures() }},

        -- dates
        cast(stat_date as date) as first_date,
        cast(coalesce(stat_end_date, stat_date) as date) as last_date,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
