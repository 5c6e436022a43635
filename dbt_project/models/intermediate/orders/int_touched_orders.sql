{#-
    Grain: one order that this build computes anew: a file that no finished build consumed tells of it (its head, its
    lines, a refund, or that it is none), a fact of it that waited (order, payment, receipt or refund dated after the last build)
    is now dated on or before D, or its buyer is another person now.
-#}
-- Depends on {{ ref('int_identity_records') }}, {{ ref('int_identifier_customers') }}, {{ ref('int_order_rows') }}, {{ ref('int_order_line_versions') }}, {{ ref('int_refund_versions') }},
-- {{ ref('stg_taobao__refunds') }} and {{ ref('stg_taobao__excluded_orders') }}.

with

{% if is_full_build() -%}

touched as (

    select distinct order_id from {{ ref('int_order_versions') }}

)

{%- else -%}

pending_orders as (

    select order_id from {{ ref('int_order_rows') }}
    where {{ pending_rows(order_source_names(), only_pending=true) }}
    union all
    select order_id from {{ ref('stg_taobao__refunds') }}
    where {{ pending_rows('taobao_refunds', only_pending=true) }}
    union all
    select order_id from {{ ref('stg_taobao__excluded_orders') }}
    where {{ pending_rows('taobao_excluded_orders', only_pending=true) }}

),

orders_of_new_days as (

    select order_id
    from {{ ref('int_order_versions') }}
    where
        (ordered_date > {{ previous_as_of_date() }} and ordered_date <= {{ as_of_date() }})
        or (paid_date > {{ previous_as_of_date() }} and paid_date <= {{ as_of_date() }})
        or (signed_date > {{ previous_as_of_date() }} and signed_date <= {{ as_of_date() }})
        or (deposit_paid_date > {{ previous_as_of_date() }} and deposit_paid_date <= {{ as_of_date() }})
        or (order_refunded_date > {{ previous_as_of_date() }} and order_refunded_date <= {{ as_of_date() }})

),

refunds_of_new_days as (

    select order_id
    from {{ ref('int_order_line_versions') }}
    where refunded_date > {{ previous_as_of_date() }} and refunded_date <= {{ as_of_date() }}
    union all
    select order_id
    from {{ ref('int_refund_versions') }}
    where refunded_date > {{ previous_as_of_date() }} and refunded_date <= {{ as_of_date() }}

),

-- Orders of every date whose buyer is somebody else now.
orders_of_changed_keys as (

    {% for kind in identifier_kinds() -%}
    select order_id from {{ ref('int_identity_records') }}
    where order_id is not null and {{ kind }} in (select rekeyed.identifier_value from {{ rekeyed_identifiers(kind) }} as rekeyed)
    {{ "union all" if not loop.last }}
    {% endfor %}
),

touched as (

    select order_id from pending_orders
    union
    select order_id from orders_of_new_days
    union
    select order_id from refunds_of_new_days
    union
    select order_id from orders_of_changed_keys

)

{%- endif %}

select order_id from touched
