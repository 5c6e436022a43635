{#-
    Grain: one line's share of a refund of a whole order, to the cent. Shared like an amount: in proportion to unit price x
    quantity (equally if all weights are 0), by the largest remainder. A refund that names an item which the order has goes
    to that item's lines. An order without lines keeps the refund whole, without a line.
-#}
with

refunds as (

    select * from {{ ref('int_order_refunds') }}

),

lines as (

    select * from {{ ref('int_touched_line_versions') }}
    where version_rank = 1

),

matched as (

    select
        refunds.order_id,
        refunds.refund_id,
        lines.line_key,
        lines.line_number,
        coalesce(refunds.item_id = lines.item_id, false) as is_named,
        {{ to_cents('refunds.refunded_amount') }} as open_cents,
        {{ to_millionths('lines.unit_price') }} * {{ to_millionths('lines.quantity') }} as list_trillionths
    from refunds
    inner join lines on refunds.order_id = lines.order_id

),

named as (

    select
        *,
        max(case when is_named then 1 else 0 end) over (partition by order_id, refund_id) as names_a_line
    from matched

),

eligible as (

    select
        *,
        count(*) over (partition by order_id, refund_id) as line_count,
        sum(list_trillionths) over (partition by order_id, refund_id) as list_weights
    from named
    where is_named or names_a_line = 0

),

open_lines as (

    select
        order_id,
        refund_id,
        line_key,
        line_number,
        open_cents,
        cast(case when list_weights = 0 then 1 else list_trillionths end as {{ big_integer() }}) as weight,
        cast(case when list_weights = 0 then line_count else list_weights end as {{ big_integer() }}) as total_weight
    from eligible

),

{{ largest_remainder_ctes('open_lines', ['order_id', 'refund_id']) }},

shares as (

    select order_id, refund_id, line_key, {{ from_cents('shared_cents') }} as refunded_amount
    from shared
    where shared_cents > 0

    union all

    select order_id, refund_id, null as line_key, refunded_amount
    from refunds
    where order_id not in (select lines.order_id from lines)

)

select
    -- ids
    shares.order_id,
    shares.refund_id,
    shares.line_key,

    -- numerics
    shares.refunded_amount,

    -- dates
    refunds.refunded_date,

    -- timestamps
    refunds.refunded_at

from shares
inner join refunds on shares.order_id = refunds.order_id and shares.refund_id = refunds.refund_id
