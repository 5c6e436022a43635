{#-
    Grain: one refund that a refund export names, of a touched order, as its newest export tells it; of two equally new
    ones, the one from the file whose name sorts last.
-#}
-- Depends on {{ ref('int_touched_orders') }}.

with

refund_versions as (

    select * from {{ ref('int_refund_versions') }}
    {%- if not is_full_build() %}
    where order_id in (select touched.order_id from {{ ref('int_touched_orders') }} as touched)
    {%- endif %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by order_id, refund_id
            order by exported_at desc, _source_file desc, _folder_date desc, _batch_id desc
        ) as version_rank
    from refund_versions

)

select
    -- ids
    order_id,
    refund_id,
    item_id,

    -- strings
    refund_status,

    -- numerics
    refund_amount,

    -- booleans
    is_succeeded,

    -- dates
    refunded_date,

    -- timestamps
    refunded_at

from ranked
where version_rank = 1
