{#-
    Grain: one phone number or e-mail address that can be one, as it was told last. In the vault: the text itself, for
    files that need it. A record counts from its folder's date on, told on the earlier one of that and its own date.
-#}
{{ config(
    schema='vault',
    materialized='incremental',
    incremental_strategy='replace_keys',
    unique_key='contact_key',
    on_schema_change='fail'
) }}
{%- set told_by = {
    'orders': ['stg_generic__order_contacts', 'email', 'ordered_at'],
    'taobao_orders': ['stg_taobao__order_contacts', 'cast(null as varchar)', 'ordered_at'],
    'shopify_orders': ['stg_shopify__order_contacts', 'email', 'ordered_at'],
    'members': ['stg_generic__member_contacts', 'email', 'cast(null as timestamp)'],
    'shopify_customers': ['stg_shopify__customer_contacts', 'email', 'cast(null as timestamp)'],
    'consent': ['stg_generic__consents', 'email', 'recorded_at'],
} %}
{%- set place = ['told_date', '_folder_date', '_batch_id', '_source_row'] %}

with

records as (

    {% for source, told in told_by.items() -%}
    select phone, {{ told[1] }} as email, {{ told[2] }} as told_at, _folder_date, _batch_id, _source_row
    from {{ ref(told[0]) }}
    where coalesce(phone, {{ told[1] }}) is not null and {{ pending_rows(source) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),

dated as (

    select
        phone,
        email,
        least(coalesce({{ business_date('told_at') }}, _folder_date), _folder_date) as told_date,
        _folder_date,
        _batch_id,
        _source_row
    from records

),

sighted as (

    select 'phone_hash' as contact_kind, phone as contact, {{ place | join(', ') }}
    from dated
    where {{ is_sound_phone('phone') }}
    union all
    select 'email_hash', email, {{ place | join(', ') }}
    from dated
    where {{ is_sound_email('email') }}

),

keyed as (

    select
        {{ identifier_key('contact_kind', contact_hash('contact')) }} as contact_key,
        contact_kind,
        contact,
        {{ place | join(',\n        ') }}
    from sighted

),

known as (

    select * from keyed
    {%- if adds_to_history() %}
    union all
    select contact_key, contact_kind, contact, {{ place | join(', ') }}
    from {{ this }}
    where contact_key in (select keyed.contact_key from keyed)
    {%- endif %}

)

select
    -- ids
    contact_key,
    contact_kind,
    contact,

    -- dates
    {{ latest('told_date', place) }} as told_date,

    -- metadata
    {{ latest('_folder_date', place) }} as _folder_date,
    {{ latest('_batch_id', place) }} as _batch_id,
    {{ latest('_source_row', place) }} as _source_row

from known
group by contact_key, contact_kind, contact
