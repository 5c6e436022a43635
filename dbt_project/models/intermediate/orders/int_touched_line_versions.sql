{#-
    Grain: one line of one export of a touched order; only lines that the order's newest export still has.
    `version_rank` is the export's among those that tell lines: 1 is the newest.
-#}
-- Depends on {{ ref('int_touched_orders') }}.

with

line_versions as (

    select * from {{ ref('int_order_line_versions') }}
    {%- if not is_full_build() %}
    where order_id in (select touched.order_id from {{ ref('int_touched_orders') }} as touched)
    {%- endif %}

),

order_versions as (

    select order_id, line_version_rank as version_rank, _batch_id from {{ ref('int_touched_order_versions') }}
    where is_line

),

ranked as (

    select
        line_versions.*,
        order_versions.version_rank,
        min(order_versions.version_rank) over (
            partition by line_versions.order_id, line_versions.line_key
        ) as newest_version_rank
    from line_versions
    inner join order_versions
        on
            line_versions.order_id = order_versions.order_id
            and line_versions._batch_id = order_versions._batch_id

)

select
    -- ids
    order_id,
    line_key,
    item_id,
    category_id,

    -- strings
    item_name,

    -- numerics
    line_number,
    version_rank,
    quantity,
    unit_price,
    discount_amount,
    line_paid_amount,
    refunded_amount,

    -- booleans
    is_partial,

    -- dates
    refunded_date,

    -- timestamps
    refunded_at

from ranked
where newest_version_rank = 1
