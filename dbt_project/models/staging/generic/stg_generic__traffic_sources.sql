{#-
    Grain: one sound row of the platform's own traffic aggregate (day and traffic source, as some export saw it).
-#}
with

source as (

    select * from {{ source('raw', 'traffic_sources') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- strings
        source_level_1,
        source_level_2,
        source_level_3,

        -- numerics
        cast(visitors as decimal(18, 0)) as visitor_count,
        cast(views as decimal(18, 0)) as view_count,
        cast(cart_persons as decimal(18, 0)) as cart_person_count,
        cast(favourite_persons as decimal(18, 0)) as favourite_person_count,
        cast(orders_placed as decimal(18, 0)) as orders_placed_count,
        cast(buyers_paid as decimal(18, 0)) as buyers_paid_count,
        cast(paid_amount as decimal(18, 2)) as paid_amount,

        -- dates
        cast(traffic_date as date) as business_date,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
