{#-
    Grain: one sound row of 淘宝客's overview (day and kind of content, as some download saw it). Contents may contain one
    another: rows of a day are not added up.
-#}
with

source as (

    select * from {{ source('raw', 'taobaoke_overview') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- strings
        content,

        -- numerics
        cast(clicks as decimal(18, 0)) as click_count,
        cast(click_persons as decimal(18, 0)) as click_person_count,
        cast(attributed_orders as decimal(18, 0)) as attributed_order_count,
        cast(attributed_buyers as decimal(18, 0)) as attributed_buyer_count,
        cast(attributed_amount as decimal(18, 2)) as attributed_amount,
        cast(commission_amount as decimal(18, 2)) as commission_amount,
        cast(service_fee_amount as decimal(18, 2)) as service_fee_amount,
        cast(cost as decimal(18, 2)) as cost_amount,
        cast(settled_orders as decimal(18, 0)) as settled_order_count,
        cast(settled_amount as decimal(18, 2)) as settled_amount,

        -- dates
        cast(stat_date as date) as business_date,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
