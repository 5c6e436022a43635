{#-
    Grain: one line of a paid touched order, in whole cents: its own amount, or what it weighs when the order's
    amount is shared over the lines without one. Where the order has no amount either: price x quantity - discount.
    Where sellers choose the columns, an amount may be the order's, repeated on each of its lines: it is no line's own.
-#}
with

orders as (

    select order_id, order_paid_amount from {{ ref('int_orders_current') }}
    where is_paid

),

lines as (

    select * from {{ ref('int_touched_line_versions') }}
    where version_rank = 1

),

-- Millionths times millionths: products are exact in units of 10^-12.
measured as (

    select
        lines.order_id,
        lines.line_key,
        lines.line_number,
        {{ to_cents('orders.order_paid_amount') }} as order_cents,
        {{ to_cents('lines.line_paid_amount') }} as told_cents,
        coalesce(lines.is_partial, false) as is_partial,
        {{ to_millionths('lines.unit_price') }} * {{ to_millionths('lines.quantity') }} as list_trillionths,
        {{ to_millionths('coalesce(lines.discount_amount, 0)') }} * 1000000 as discount_trillionths
    from lines
    inner join orders on lines.order_id = orders.order_id

),

compared as (

    select
        *,
        count(*) over (partition by order_id) as line_count,
        sum(case when told_cents = order_cents and order_cents <> 0 then 1 else 0 end)
            over (partition by order_id) as repeating_lines
    from measured

),

owned as (

    select
        *,
        case
            when not (is_partial and line_count > 1 and repeating_lines = line_count) then told_cents
        end as given_cents
    from compared

),

priced as (

    select
        *,
        list_trillionths - discount_trillionths as price_trillionths,
        case when given_cents is null then list_trillionths else 0 end as own_weight,
        case when given_cents is null then 1 else 0 end as open_line
    from owned

),

totalled as (

    select
        *,
        sum(own_weight) over (partition by order_id) as own_weights,
        sum(open_line) over (partition by order_id) as open_lines,
        order_cents - sum(coalesce(given_cents, 0)) over (partition by order_id) as open_cents
    from priced

)

select
    order_id,
    line_key,
    line_number,
    order_cents,
    case
        when given_cents is not null then given_cents
        when order_cents is null then {{ round_to_cents('price_trillionths') }}
    end as line_cents,
    cast(open_cents as {{ big_integer() }}) as open_cents,
    cast(case when own_weights = 0 then open_line else own_weight end as {{ big_integer() }}) as weight,
    cast(case when own_weights = 0 then open_lines else own_weights end as {{ big_integer() }}) as total_weight
from totalled
