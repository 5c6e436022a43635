{#-
    Grain: one sound row of a 直通车 report (day or days, and campaign, ad group or item, as some download saw it).
-#}
with

source as (

    select * from {{ source('raw', 'zhitongche') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        campaign_id,
        ad_group_id,
        item_id,

        -- strings
        case
            when item_id is not null then 'item'
            when coalesce(ad_group_id, ad_group_name) is not null then 'ad_group'
            else 'campaign'
        end as report_level,
        campaign_name,
        ad_group_name,

        -- numerics
        {{ ad_measures() }},
        cast(direct_attributed_orders as decimal(18, 6)) as direct_attributed_order_count,
        cast(direct_attributed_amount as decimal(18, 2)) as direct_attributed_amount,
        cast(presale_orders as decimal(18, 6)) as presale_order_count,
        cast(presale_amount as decimal(18, 2)) as presale_amount,

        -- dates
        cast(stat_date as date) as first_date,
        cast(coalesce(stat_end_date, stat_date) as date) as last_date,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
