{#-
    Grain: one increase of what was refunded for a line of a touched order, dated on or before D. Exports give the
    total refunded so far: only what exceeds every earlier export is new, at the later export's own date.
-#}
with

line_versions as (

    select * from {{ ref('int_touched_line_versions') }}

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

)

select
    -- ids
    order_id,
    line_key,

    -- numerics
    cast(total_amount as decimal(18, 2)) as total_amount,
    cast(total_amount - earlier_amount as decimal(18, 2)) as refunded_amount,

    -- dates
    refunded_date,

    -- timestamps
    refunded_at

from totals
where total_amount > earlier_amount and refunded_date <= {{ as_of_date() }}
