{#-
    Grain: one order that is none (补单/刷单), by any accepted list dated on or before D.
-#}
with

excluded_orders as (

    select * from {{ ref('stg_taobao__excluded_orders') }}
    where _batch_id in (select batches.batch_id from {{ source('ops', 'batches') }} as batches)

)

select distinct order_id
from excluded_orders
where order_id is not null
