{#-
    Grain: one export of an order (batch, order). An order-level field is its first non-empty value by row; the
    time of an export is the largest `exported_at` in it, else the end of its folder's date.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}

with

order_lines as (

    select * from {{ ref('stg_generic__order_lines') }}
    where {{ pending_rows('orders') }}

),

exports as (

    select
        order_id,
        {{ first_given('customer_id') }} as customer_id,
        {{ first_given('status') }} as status,
        {{ first_given('province') }} as province,
        {{ first_given('city') }} as city,
        {{ first_given('order_paid_amount') }} as order_paid_amount,
        {{ first_given('ordered_at') }} as ordered_at,
        {{ first_given('paid_at') }} as paid_at,
        coalesce(max(exported_at), max(_exported_at)) as exported_at,
        _folder_date,
        _batch_id,
        _source_file
    from order_lines
    group by order_id, _folder_date, _batch_id, _source_file

)

select
    -- ids
    order_id,
    customer_id,

    -- strings
    status,
    province,
    city,

    -- numerics
    order_paid_amount,

    -- dates
    {{ business_date('ordered_at') }} as ordered_date,
    {{ business_date('paid_at') }} as paid_date,

    -- timestamps
    ordered_at,
    paid_at,
    exported_at,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file

from exports
