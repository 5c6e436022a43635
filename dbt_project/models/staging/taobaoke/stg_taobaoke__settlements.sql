{#-
    Grain: one sound row of 淘宝客 settlements (an order line whose commission was settled, as some download saw it). Affiliates
    are told apart by a hash; their nicks stay in raw.
-#}
with

source as (

    select * from {{ source('raw', 'taobaoke_settlements') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        order_id,
        line_id,
        item_id,
        {{ contact_id('affiliate', 'affiliate_nick') }} as affiliate_id,

        -- strings
        item_name,
        campaign_name,

        -- numerics
        cast(quantity as decimal(18, 6)) as quantity,
        cast(deal_amount as decimal(18, 2)) as deal_amount,
        cast(commission_amount as decimal(18, 2)) as commission_amount,
        cast(service_fee_amount as decimal(18, 2)) as service_fee_amount,

        -- booleans
        coalesce(is_unpaid_presale = '是', false) as is_unpaid_presale,

        -- timestamps
        {{ chinese_time('ordered_at') }} as ordered_at,
        {{ chinese_time('confirmed_at') }} as confirmed_at,
        {{ chinese_time('settled_at') }} as settled_at,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
