{#-
    Grain: one export of an order (batch, order), be it of its head or of its lines. An order-level field is its first
    non-empty value by row; the time of an export is the largest `exported_at` in it, else the end of its folder's date.
    Where a format has no pay time, an order whose status means paid was paid when it was placed; where only the status says
    that a deposit was paid, it was paid when the order was placed.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}

with

order_rows as (

    select * from {{ ref('int_order_rows') }}
    where {{ pending_rows(order_source_names()) }}

),

exports as (

    select
        order_id,
        platform,
        is_head,
        is_line,
        is_partial,
        lacks_pay_time,
        {{ first_given('customer_id') }} as customer_id,
        {{ first_given('status') }} as status,
        {{ first_given('coupon_codes') }} as coupon_codes,
        {{ first_given('province') }} as province,
        {{ first_given('city') }} as city,
        {{ first_given('order_quantity') }} as order_quantity,
        {{ first_given('order_paid_amount') }} as order_paid_amount,
        {{ first_given('order_refunded_amount') }} as order_refunded_amount,
        {{ first_given('ordered_at') }} as ordered_at,
        {{ first_given('paid_at') }} as paid_at,
        {{ first_given('deposit_paid_at') }} as deposit_paid_at,
        {{ first_given('signed_at') }} as signed_at,
        coalesce(max(exported_at), max(_exported_at)) as exported_at,
        _folder_date,
        _batch_id,
        _source_file
    from order_rows
    group by
        order_id, platform, is_head, is_line, is_partial, lacks_pay_time, _folder_date, _batch_id, _source_file

),

statuses as (

    select * from {{ ref('order_statuses') }}

),

judged as (

    select
        exports.*,
        statuses.status_code,
        statuses.is_paid as is_paid_by_status,
        case
            when exports.lacks_pay_time and statuses.is_paid then exports.ordered_at
            else exports.paid_at
        end as known_paid_at,
        coalesce(
            exports.deposit_paid_at, case when statuses.status_code = 'deposit_paid' then exports.ordered_at end
        ) as known_deposit_paid_at
    from exports
    left join statuses on {{ normal_status('exports.status') }} = statuses.status_text

)

select
    -- ids
    order_id,
    customer_id,

    -- strings
    platform,
    status,
    status_code,
    coupon_codes,
    province,
    city,

    -- numerics
    order_quantity,
    order_paid_amount,
    order_refunded_amount,

    -- booleans
    is_head,
    is_line,
    is_partial,
    is_paid_by_status,

    -- dates
    {{ business_date('ordered_at') }} as ordered_date,
    {{ business_date('known_paid_at') }} as paid_date,
    {{ business_date('known_deposit_paid_at') }} as deposit_paid_date,
    {{ business_date('signed_at') }} as signed_date,
    case when order_refunded_amount > 0 then {{ business_date('exported_at') }} end as order_refunded_date,

    -- timestamps
    ordered_at,
    known_paid_at as paid_at,
    known_deposit_paid_at as deposit_paid_at,
    signed_at,
    exported_at,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file

from judged
