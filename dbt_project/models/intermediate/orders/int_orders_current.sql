{#-
    Grain: one touched order as its newest export tells it, as of D. Where sellers choose the columns of that export, each
    field is what the newest export with it tells, and the buyer whom the strongest identifier names. An order placed after D waits; one paid after D is unpaid; one on the
    list of excluded orders is none.
-#}
{%- set fields = [
    'customer_id', 'platform', 'status', 'status_code', 'coupon_codes', 'province', 'city', 'order_quantity', 'order_paid_amount',
    'is_paid_by_status', 'ordered_date', 'paid_date', 'signed_date', 'ordered_at', 'paid_at', 'signed_at'
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
        {{ fields | join(', ') }},
        customer_key, exported_at, _batch_id
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

told as (

    select * from newest_whole
    union all
    select * from newest_told

),

-- A deposit is history: the oldest export that tells of it says when it was paid, whatever newer ones say.
deposits as (

    select
        order_id,
        max_by(deposit_paid_date, version_rank) as paid_date,
        max_by(deposit_paid_at, version_rank) as paid_at
    from order_versions
    where deposit_paid_at is not null
    group by order_id

)

-- An order whose time nobody told was placed when it was paid.
select
    -- ids
    told.order_id,
    told.customer_id,
    told.customer_key,

    -- strings
    told.{{ ['platform', 'status', 'status_code', 'coupon_codes', 'province', 'city'] | join(', told.') }},

    -- numerics
    told.order_quantity,
    told.order_paid_amount,

    -- booleans
    coalesce(told.paid_date <= {{ as_of_date() }}, false) as is_paid,
    coalesce(told.is_paid_by_status <> (told.paid_date is not null), false) as is_status_contrary,

    -- dates
    coalesce(told.ordered_date, told.paid_date) as ordered_date,
    case when told.paid_date <= {{ as_of_date() }} then told.paid_date end as paid_date,
    case when deposits.paid_date <= {{ as_of_date() }} then deposits.paid_date end as deposit_paid_date,
    case when told.signed_date <= {{ as_of_date() }} then told.signed_date end as signed_date,

    -- timestamps
    coalesce(told.ordered_at, told.paid_at) as ordered_at,
    case when told.paid_date <= {{ as_of_date() }} then told.paid_at end as paid_at,
    case when deposits.paid_date <= {{ as_of_date() }} then deposits.paid_at end as deposit_paid_at,
    case when told.signed_date <= {{ as_of_date() }} then told.signed_at end as signed_at,
    told.exported_at,

    -- metadata
    told._batch_id

from told
left join deposits on told.order_id = deposits.order_id
where coalesce(told.ordered_date, told.paid_date) <= {{ as_of_date() }}
