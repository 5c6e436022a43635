{#-
    Grain: one sound row of 生意参谋's traffic sources (carrier, source and day, as some download saw it). Names are those of the
    generic aggregate. A visitor who came by several sources counts in each.
-#}
with

source as (

    select * from {{ source('raw', 'sycm_shop_sources') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- strings
        carrier,
        source_level_1,
        source_level_2,
        source_level_3,
        source_level_4,

        -- numerics
        cast(visitors as decimal(18, 0)) as visitor_count,
        cast(views as decimal(18, 0)) as view_count,
        cast(cart_persons as decimal(18, 0)) as cart_person_count,
        cast(favourite_persons as decimal(18, 0)) as favourite_person_count,
        cast(buyers_placed as decimal(18, 0)) as buyers_placed_count,
        cast(buyers_paid as decimal(18, 0)) as buyers_paid_count,
        cast(paid_amount as decimal(18, 2)) as paid_amount,

        -- dates
        cast(stat_date as date) as business_date,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
