{#-
    Grain: one touched order as its newest export tells it, as of D. Where sellers choose the columns of that export, each
    field is what the newest export with it tells, and the buyer whom the strongest identifier names. An order placed after D waits; one paid after D is unpaid; one on the
    list of excluded orders is none.
-#}
{%- set fields = [
    'customer_id', 'platform', 'status', 'status_code', 'province', 'city', 'order_quantity', 'order_paid_amount',
    'is_paid_by_status', 'ordered_date', 'paid_date', 'ordered_at', 'paid_at'
] %}

with

order_versions as (

    select * from {{ ref('int_touched_order_versions') }}
    where order_id not in (select excluded.order_id from {{ ref('int_excluded_orders') }} as excluded)

),

newest as (

    select * from order_versions
    where version_rank = 1

),

newest_whole as (

    select
        order_id,
        {% for field in fields -%}
        {{ field }},
        {% endfor -%}
        customer_key,
        exported_at,
        _batch_id
    from newest
    where not coalesce(is_partial, false)

),

newest_told as (

    select
        order_versions.order_id,
        {% for field in fields -%}
        min_by(
            order_versions.{{ field }},
            case when order_versions.{{ field }} is not null then order_versions.version_rank end
        ) as {{ field }},
        {% endfor -%}
        min_by(
            order_versions.customer_key,
            case
                when order_versions.customer_key is not null
                    then order_versions.customer_trust * 1000000 + order_versions.version_rank
            end
        ) as customer_key,
        max(newest.exported_at) as exported_at,
        max(newest._batch_id) as _batch_id
    from order_versions
    inner join newest on order_versions.order_id = newest.order_id and newest.is_partial
    group by order_versions.order_id

),

-- An order whose time nobody told was placed when it was paid.
told as (

    select * from newest_whole
    union all
    select * from newest_told

),

dated as (

    select
        told.*,
        coalesce(ordered_at, paid_at) as placed_at,
        coalesce(ordered_date, paid_date) as placed_date
    from told

)

select
    -- ids
    order_id,
    customer_id,
    customer_key,

    -- strings
    platform,
    status,
    status_code,
    province,
    city,

    -- numerics
    order_quantity,
    order_paid_amount,

    -- booleans
    coalesce(paid_date <= {{ as_of_date() }}, false) as is_paid,
    coalesce(is_paid_by_status <> (paid_date is not null), false) as is_status_contrary,

    -- dates
    placed_date as ordered_date,
    case when paid_date <= {{ as_of_date() }} then paid_date end as paid_date,

    -- timestamps
    placed_at as ordered_at,
    case when paid_date <= {{ as_of_date() }} then paid_at end as paid_at,
    exported_at,

    -- metadata
    _batch_id

from dated
where placed_date <= {{ as_of_date() }}
