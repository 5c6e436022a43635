{#-
    Grain: one touched order as its newest export tells it, as of D. An order placed after D waits; one paid after D
    is unpaid.
-#}
with

order_versions as (

    select * from {{ ref('int_touched_order_versions') }}
    where version_rank = 1 and ordered_date <= {{ as_of_date() }}

)

select
    -- ids
    order_id,
    customer_id,

    -- strings
    status,
    province,
    city,

    -- numerics
    order_paid_amount,

    -- booleans
    coalesce(paid_date <= {{ as_of_date() }}, false) as is_paid,

    -- dates
    ordered_date,
    case when paid_date <= {{ as_of_date() }} then paid_date end as paid_date,

    -- timestamps
    ordered_at,
    case when paid_date <= {{ as_of_date() }} then paid_at end as paid_at,
    exported_at,

    -- metadata
    _batch_id

from order_versions
