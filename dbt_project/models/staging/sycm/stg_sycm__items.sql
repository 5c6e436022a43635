{#-
    Grain: one sound row of 生意参谋's items (item and day, as some download saw it). Rates are left to be computed from sums;
    columns of a year or month so far are cumulative and stay in raw.
-#}
with

source as (

    select * from {{ source('raw', 'sycm_items') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        item_id,

        -- strings
        item_name,
        item_status,

        -- numerics
        {% for column in [
            'visitors', 'views', 'favourite_persons', 'cart_persons', 'cart_quantity', 'buyers_placed', 'quantity_placed',
            'buyers_paid', 'quantity_paid', 'new_buyers_paid', 'returning_buyers_paid', 'search_visitors',
            'search_buyers_paid'
        ] -%}
        cast({{ column }} as decimal(18, 0)) as {{ column }},
        {% endfor -%}
        cast(placed_amount as decimal(18, 2)) as placed_amount,
        cast(paid_amount as decimal(18, 2)) as paid_amount,
        cast(refunded_amount as decimal(18, 2)) as refunded_amount,
        cast(bounce_rate as decimal(18, 6)) as bounce_rate,

        -- dates
        cast(stat_date as date) as business_date,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
