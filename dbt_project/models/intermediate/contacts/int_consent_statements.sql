{#-
    Grain: one way of naming somebody (customer id, phone, address), channel and purpose, with the newest statement. In the
    vault. Newest by when it was recorded, then folder date, batch and row.
-#}
{{ config(
    schema='vault',
    materialized='incremental',
    incremental_strategy='replace_keys',
    unique_key='statement_key',
    on_schema_change='fail'
) }}
{%- set place = ['recorded_at', '_folder_date', '_batch_id', '_source_row'] %}
{%- set named = ['statement_key', 'customer_id', 'phone', 'email', 'channel', 'purpose'] %}

with

stated as (

    select
        customer_id,
        phone,
        email,
        lower(trim(channel)) as channel,
        lower(trim(purpose)) as purpose,
        is_granted,
        recorded_at,
        _folder_date,
        _batch_id,
        _source_row
    from {{ ref('int_consents') }}
    where coalesce(customer_id, phone, email) is not null and {{ pending_rows(['consent', 'shopify_customers']) }}

),

keyed as (

    select
        {{ surrogate_key(['customer_id', 'phone', 'email', 'channel', 'purpose']) }} as statement_key,
        *
    from stated

),

known as (

    select {{ named | join(', ') }}, is_granted, {{ place | join(', ') }}
    from keyed
    {%- if adds_to_history() %}
    union all
    select {{ named | join(', ') }}, is_granted, {{ place | join(', ') }}
    from {{ this }}
    where statement_key in (select keyed.statement_key from keyed)
    {%- endif %}

)

select
    -- ids
    statement_key,
    customer_id,
    phone,
    email,

    -- strings
    channel,
    purpose,

    -- booleans
    {{ latest('is_granted', place) }} as is_granted,

    -- timestamps
    {{ latest('recorded_at', place) }} as recorded_at,

    -- metadata
    {{ latest('_folder_date', place) }} as _folder_date,
    {{ latest('_batch_id', place) }} as _batch_id,
    {{ latest('_source_row', place) }} as _source_row

from known
group by {{ named | join(', ') }}
