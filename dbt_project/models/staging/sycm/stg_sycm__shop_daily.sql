{#-
    Grain: one sound row of 生意参谋's shop by day (as some download saw it). The platform's own totals, to stand beside ours.
-#}
with

source as (

    select * from {{ source('raw', 'sycm_shop_daily') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- numerics
        {% for column in [
            'visitors', 'new_visitors', 'returning_visitors', 'views', 'item_visitors', 'item_views', 'favourite_persons',
            'cart_persons', 'cart_quantity', 'buyers_placed', 'quantity_placed', 'buyers_paid', 'new_buyers_paid',
            'returning_buyers_paid', 'orders_paid', 'lines_paid', 'quantity_paid', 'members', 'new_members'
        ] -%}
        cast({{ column }} as decimal(18, 0)) as {{ column }},
        {% endfor -%}
        {% for column in [
            'placed_amount', 'paid_amount', 'refunded_amount', 'zhitongche_cost', 'zuanzhan_cost',
            'taobaoke_commission_amount', 'site_promotion_cost', 'keyword_promotion_cost', 'audience_promotion_cost',
            'smart_scene_cost'
        ] -%}
        cast({{ column }} as decimal(18, 2)) as {{ column }},
        {% endfor -%}
        cast(bounce_rate as decimal(18, 6)) as bounce_rate,

        -- dates
        cast(stat_date as date) as business_date,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
