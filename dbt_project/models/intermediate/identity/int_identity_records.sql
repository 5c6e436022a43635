{#-
    Grain: one record that names somebody: one export of an order, one row of members, customers or consent, or who one
    file of events names on one date. Everything that was ever accepted, older exports too: what was seen together stays
    seen together. A record dated after D waits for its `seen_date`.
-#}
{{ config(
    schema='vault',
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}
{%- set order_contacts = {
    'orders': ['stg_generic__order_contacts', 'open_uid', 'email'],
    'taobao_orders': ['stg_taobao__order_contacts', 'cast(null as varchar)', 'cast(null as varchar)'],
    'shopify_orders': ['stg_shopify__order_contacts', 'cast(null as varchar)', 'email'],
} %}
{%- set people = {
    'members': ['stg_generic__member_contacts', 'open_uid', 'joined_at'],
    'shopify_customers': ['stg_shopify__customer_contacts', 'cast(null as varchar)', 'cast(null as timestamp)'],
    'consent': ['stg_generic__consents', 'cast(null as varchar)', 'recorded_at'],
} %}

with

order_rows as (

    {% for source, told in order_contacts.items() -%}
    select
        order_id, {{ told[1] }} as open_uid, customer_id, phone, {{ told[2] }} as email, ordered_at,
        _folder_date, _batch_id, _source_row
    from {{ ref(told[0]) }}
    where {{ pending_rows(source) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),

-- What an order's rows say of its buyer they say together: the first row of a file may have the phone alone.
orders as (

    select
        order_id,
        {{ first_given('open_uid') }} as open_uid,
        {{ first_given('customer_id') }} as customer_id,
        {{ first_given('phone') }} as phone,
        {{ first_given('email') }} as email,
        {{ first_given('ordered_at') }} as told_at,
        _folder_date,
        _batch_id
    from order_rows
    group by order_id, _folder_date, _batch_id

),

people as (

    {% for source, told in people.items() -%}
    select {{ told[1] }} as open_uid, customer_id, phone, email, {{ told[2] }} as told_at, _folder_date, _batch_id
    from {{ ref(told[0]) }}
    where {{ pending_rows(source) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),

events as (

    select distinct open_uid, customer_id, event_date, _folder_date, _batch_id
    from {{ ref('int_event_versions') }}
    where
        (customer_id is not null or open_uid is not null)
        {%- if adds_to_history() %}
        and {{ of_pending_batches(event_source_names()) }}
        {%- endif %}

),

told as (

    select
        order_id, open_uid, customer_id, phone, email,
        {{ business_date('told_at') }} as told_date, _folder_date, _batch_id
    from orders
    union all
    select
        null, open_uid, customer_id, phone, email,
        {{ business_date('told_at') }}, _folder_date, _batch_id
    from people
    union all
    select null, open_uid, customer_id, null, null, event_date, _folder_date, _batch_id
    from events

)

select
    -- ids
    order_id,
    open_uid,
    customer_id as member_id,
    {{ contact_hash('phone') }} as phone_hash,
    {{ contact_hash('email') }} as email_hash,

    -- dates
    greatest(_folder_date, coalesce(told_date, _folder_date)) as seen_date,

    -- metadata
    _folder_date,
    _batch_id

from told
where coalesce(open_uid, customer_id, phone, email) is not null
