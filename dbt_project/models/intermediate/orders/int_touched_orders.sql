{#-
    Grain: one order that this build computes anew: it is in a batch that no finished build consumed, or a fact of
    it that waited (order, payment or refund dated after the last build) is now dated on or before D.
-#}
-- Depends on {{ ref('stg_generic__order_lines') }} and {{ ref('int_order_line_versions') }}.

with

{% if is_full_build() -%}

touched as (

    select distinct order_id from {{ ref('int_order_versions') }}

)

{%- else -%}

pending_orders as (

    select order_id from {{ ref('stg_generic__order_lines') }}
    where {{ pending_rows('orders', only_pending=true) }}

),

orders_of_new_days as (

    select order_id
    from {{ ref('int_order_versions') }}
    where
        (ordered_date > {{ previous_as_of_date() }} and ordered_date <= {{ as_of_date() }})
        or (paid_date > {{ previous_as_of_date() }} and paid_date <= {{ as_of_date() }})

),

refunds_of_new_days as (

    select order_id
    from {{ ref('int_order_line_versions') }}
    where refunded_date > {{ previous_as_of_date() }} and refunded_date <= {{ as_of_date() }}

),

touched as (

    select order_id from pending_orders
    union
    select order_id from orders_of_new_days
    union
    select order_id from refunds_of_new_days

)

{%- endif %}

select order_id from touched
