{#-
    Grain: one sound row of a list of orders that are none (补单/刷单, placed by the shop itself).
-#}
with

source as (

    select * from {{ source('raw', 'taobao_excluded_orders') }}
    where {{ accepted_rows('date') }}

),

renamed as (

    select
        -- ids
        order_id,

        -- metadata
        {{ row_origin('date') }}

    from source

)

select * from renamed
