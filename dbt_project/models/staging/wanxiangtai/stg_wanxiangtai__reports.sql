{#-
    Grain: one sound row of a 万相台 report (day or days, and what the report is by, as some download saw it). Reports by
    different things show the same cost again: `report_level` tells them apart.
-#}
with

source as (

    select * from {{ source('raw', 'wanxiangtai_reports') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        scene_id,
        campaign_id,
        ad_group_id,
        subject_id,
        coalesce(item_id, case when subject_type in ('商品', '宝贝') then subject_id end) as item_id,
        keyword_id,
        creative_id,

        -- strings
        case
            when coalesce(keyword_id, keyword) is not null then 'keyword'
            when audience_name is not null then 'audience'
            when coalesce(creative_id, creative_name) is not null then 'creative'
            when coalesce(ad_group_id, ad_group_name) is not null then 'ad_group'
            when coalesce(campaign_id, campaign_name) is not null then 'campaign'
            else 'item'
        end as report_level,
        scene_name,
        campaign_name,
        ad_group_name,
        coalesce(item_name, subject_name) as item_name,
        keyword,
        audience_name,
        creative_name,
        effect_model,
        effect_scope,
        attribution_window,

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
