{#-
    Grain: one refund that is known for a whole order or one of its items, not for a line: a refund of the refund export
    that succeeded, or what a head's total exceeds every earlier export's. Only where that file rules the order.
-#}
with

rules as (

    select order_id, ruled_by from {{ ref('int_order_refund_rules') }}

),

head_totals as (

    select
        versions.order_id,
        versions.order_refunded_date as refunded_date,
        versions.exported_at as refunded_at,
        greatest(coalesce(versions.order_refunded_amount, 0), 0) as total_amount,
        coalesce(
            max(greatest(coalesce(versions.order_refunded_amount, 0), 0)) over (
                partition by versions.order_id
                order by versions.version_rank desc
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as earlier_amount
    from {{ ref('int_touched_order_versions') }} as versions
    inner join rules on versions.order_id = rules.order_id and rules.ruled_by = 'head'
    where versions.is_head

),

refunds as (

    select
        refunds.order_id,
        concat('refund:', refunds.refund_id) as refund_id,
        refunds.item_id,
        refunds.refund_amount as refunded_amount,
        refunds.refunded_date,
        refunds.refunded_at
    from {{ ref('int_touched_refunds') }} as refunds
    inner join rules on refunds.order_id = rules.order_id and rules.ruled_by = 'refund_export'
    where refunds.is_succeeded and refunds.refund_amount > 0

    union all

    select
        order_id,
        concat('total:', cast(cast(total_amount as decimal(18, 2)) as varchar)) as refund_id,
        null as item_id,
        total_amount - earlier_amount as refunded_amount,
        refunded_date,
        refunded_at
    from head_totals
    where total_amount > earlier_amount

)

select
    -- ids
    order_id,
    refund_id,
    item_id,

    -- numerics
    cast(refunded_amount as decimal(18, 2)) as refunded_amount,

    -- dates
    refunded_date,

    -- timestamps
    refunded_at

from refunds
