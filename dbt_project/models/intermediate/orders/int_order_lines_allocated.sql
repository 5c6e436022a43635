{#-
    Grain: one line of a paid touched order, with its amount to the cent. Lines without an amount of their own share
    what is left of the order's by the largest-remainder method: everyone gets the floor of their share, and the
    cents still left go to the largest remainders, ties by line order.
-#}
with

weighed as (

    select * from {{ ref('int_order_lines_weighed') }}

),

open_lines as (

    select order_id, line_key, line_number, open_cents, weight, total_weight
    from weighed
    where line_cents is null

),

{{ largest_remainder_ctes('open_lines', ['order_id']) }},

allocated as (

    select order_id, line_key, line_cents as paid_cents
    from weighed
    where line_cents is not null

    union all

    select order_id, line_key, shared_cents as paid_cents
    from shared

)

select
    order_id,
    line_key,
    {{ from_cents('paid_cents') }} as paid_amount
from allocated
