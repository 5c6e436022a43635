{#-
    Grain: one export of an order that this build touches, the newest first (`version_rank` 1 counts, as a whole).
    Of two equally new ones, the one from the file whose name sorts last.
-#}
-- Depends on {{ ref('int_touched_orders') }}.

with

order_versions as (

    select * from {{ ref('int_order_versions') }}
    {%- if not is_full_build() %}
    where order_id in (select touched.order_id from {{ ref('int_touched_orders') }} as touched)
    {%- endif %}

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
    row_number() over (
        partition by order_id
        order by exported_at desc, _source_file desc, _folder_date desc, _batch_id desc
    ) as version_rank,

    -- dates
    ordered_date,
    paid_date,

    -- timestamps
    ordered_at,
    paid_at,
    exported_at,

    -- metadata
    _batch_id

from order_versions
