{#-
    Grain: one way of naming somebody (customer id, phone, address), cause and case, with the newest statement. In the
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
{%- set named = ['statement_key', 'customer_id', 'phone', 'email', 'case_id', 'cause'] %}

with

stated as (

    select
        {{ surrogate_key(['customer_id', 'phone', 'email', 'case_id', 'cause']) }} as statement_key,
        customer_id,
        phone,
        email,
        case_id,
        cause,
        is_closed,
        ended_at,
        {{ place | join(',\n        ') }}
    from {{ ref('stg_generic__suppressions') }}
    where coalesce(customer_id, phone, email) is not null and {{ pending_rows('suppressions') }}

),

known as (

    select {{ named | join(', ') }}, is_closed, ended_at, {{ place | join(', ') }}
    from stated
    {%- if adds_to_history() %}
    union all
    select {{ named | join(', ') }}, is_closed, ended_at, {{ place | join(', ') }}
    from {{ this }}
    where statement_key in (select stated.statement_key from stated)
    {%- endif %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by statement_key
            order by recorded_at desc, _folder_date desc, _batch_id desc, _source_row desc
        ) as age_rank
    from known

)

select
    -- ids
    statement_key,
    customer_id,
    phone,
    email,
    case_id,

    -- strings
    cause,

    -- booleans
    is_closed,

    -- timestamps
    ended_at,
    recorded_at,

    -- metadata
    _folder_date,
    _batch_id,
    _source_row

from ranked
where age_rank = 1
