{#-
    Grain: one refund of a line of a touched order, dated on or before D (of the order itself while no file has told its
    lines). Where lines tell the total refunded so far, only what exceeds every earlier export is new, at the later export's
    own date; refunds of whole orders come with their shares.
-#}
with

line_versions as (

    select * from {{ ref('int_touched_line_versions') }}
    where order_id not in (
        select rules.order_id from {{ ref('int_order_refund_rules') }} as rules
        where rules.ruled_by <> 'lines'
    )

),

totals as (

    select
        order_id,
        line_key,
        version_rank,
        refunded_date,
        refunded_at,
        greatest(coalesce(refunded_amount, 0), 0) as total_amount,
        coalesce(
            max(greatest(coalesce(refunded_amount, 0), 0)) over (
                partition by order_id, line_key
                order by version_rank desc
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as earlier_amount
    from line_versions

),

refunds as (

    select
        order_id,
        line_key,
        cast(null as varchar) as refund_id,
        total_amount,
        total_amount - earlier_amount as refunded_amount,
        refunded_date,
        refunded_at
    from totals
    where total_amount > earlier_amount

    union all

    select
        order_id,
        line_key,
        refund_id,
        null as total_amount,
        refunded_amount,
        refunded_date,
        refunded_at
    from {{ ref('int_order_refunds_allocated') }}

)

select
    -- ids
    order_id,
    line_key,
    refund_id,

    -- numerics
    cast(total_amount as decimal(18, 2)) as total_amount,
    cast(refunded_amount as decimal(18, 2)) as refunded_amount,

    -- dates
    refunded_date,

    -- timestamps
    refunded_at

from refunds
where refunded_date <= {{ as_of_date() }}
