{#-
    Grain: one export of an order that this build touches, the newest first. `version_rank` ranks the exports of the head:
    1 counts, as a whole; exports that tell of no head stand behind all that do. `line_version_rank` ranks the exports of
    the lines likewise. Of two equally new ones, the one from the file whose name sorts last.
-#}
-- Depends on {{ ref('int_touched_orders') }}.

{%- set newest_first = 'exported_at desc, _source_file desc, _folder_date desc, _batch_id desc' %}

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
    platform,
    status,
    status_code,
    province,
    city,

    -- numerics
    order_quantity,
    order_paid_amount,
    order_refunded_amount,
    row_number() over (
        partition by order_id
        order by case when is_head then 0 else 1 end, {{ newest_first }}
    ) as version_rank,
    row_number() over (
        partition by order_id
        order by case when is_line then 0 else 1 end, {{ newest_first }}
    ) as line_version_rank,

    -- booleans
    is_head,
    is_line,
    is_partial,
    is_paid_by_status,

    -- dates
    ordered_date,
    paid_date,
    order_refunded_date,

    -- timestamps
    ordered_at,
    paid_at,
    exported_at,

    -- metadata
    _batch_id

from order_versions
