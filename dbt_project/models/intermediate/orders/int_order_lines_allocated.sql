{#-
    Grain: one line of a paid touched order, with its amount to the cent. Lines without an amount of their own share
    what is left of the order's by the largest-remainder method: everyone gets the floor of their share, and the
    cents still left go to the largest remainders, ties by line order.
-#}
{%- set base = 1000000000 %}

with

weighed as (

    select * from {{ ref('int_order_lines_weighed') }}

),

open_lines as (

    select
        order_id,
        line_key,
        line_number,
        open_cents,
        weight,
        total_weight,
        {{ floor_div('open_cents', base) }} as high_cents,
        {{ floor_mod('open_cents', base) }} as low_cents
    from weighed
    where line_cents is null

),

-- cents x weight would not always fit an exact integer: divide in two steps, as by hand.
first_step as (

    select
        *,
        {{ floor_div('high_cents * weight', 'total_weight') }} as high_share,
        {{ floor_mod('high_cents * weight', 'total_weight') }} * {{ base }} + low_cents * weight as carried
    from open_lines

),

floored as (

    select
        order_id,
        line_key,
        line_number,
        open_cents,
        high_share * {{ base }} + {{ floor_div('carried', 'total_weight') }} as floor_cents,
        {{ floor_mod('carried', 'total_weight') }} as remainder
    from first_step

),

ranked as (

    select
        *,
        open_cents - sum(floor_cents) over (partition by order_id) as cents_left,
        row_number() over (partition by order_id order by remainder desc, line_number) as remainder_rank
    from floored

),

allocated as (

    select order_id, line_key, line_cents as paid_cents
    from weighed
    where line_cents is not null

    union all

    select
        order_id,
        line_key,
        floor_cents + case when remainder_rank <= cents_left then 1 else 0 end as paid_cents
    from ranked

)

select
    order_id,
    line_key,
    {{ from_cents('paid_cents') }} as paid_amount
from allocated
