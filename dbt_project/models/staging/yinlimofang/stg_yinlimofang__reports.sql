{#-
    Grain: one sound row of a 引力魔方 report (day or days, and campaign, creative, audience or placement, as some download
    saw it). Its two effect models show the same orders twice.
-#}
with

source as (

    select * from {{ source('raw', 'yinlimofang') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        item_id,
        creative_id,

        -- strings
        case
            when coalesce(creative_id, creative_name) is not null then 'creative'
            when audience_name is not null then 'audience'
            when placement is not null then 'placement'
            when item_id is not null then 'item'
            else 'campaign'
        end as report_level,
        campaign_group_name as scene_name,
        campaign_name,
        subject_name as item_name,
        audience_name,
        creative_name,
        placement,
        effect_model,

        -- numerics
        {{ ad_measures() }},
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
