{#-
    Grain: one person of an export of members, known by the strongest identifier of the row, as the newest export tells it
    (by date folder, file name and row); who is in none, as the newest export of Shopify's customers does: known to the
    shop, but no member.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_keys',
    unique_key='identifier_key',
    on_schema_change='fail'
) }}

{%- set columns %}
    identifier_key,
    customer_id,
    tier,
    gender,
    age_band,
    province,
    city,
    points,
    is_member,
    is_fan,
    joined_at,
    fan_since_at,
    _folder_date,
    _batch_id,
    _source_file,
    _source_row
{%- endset %}

with

pending as (

    select {{ columns }}
    from {{ ref('int_member_rows') }}
    where identifier_key is not null and {{ pending_rows(['members', 'shopify_customers']) }}

),

known as (

    select * from pending
    {%- if adds_to_history() %}
    union all
    select {{ columns }}
    from {{ this }}
    where
        identifier_key in (select pending.identifier_key from pending)
        and not ({{ of_pending_batches(['members', 'shopify_customers']) }})
    {%- endif %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by identifier_key
            order by is_member desc, _folder_date desc, _source_file desc, _source_row desc, _batch_id desc
        ) as version_rank
    from known

)

select
    -- ids
    identifier_key,
    customer_id,

    -- strings
    tier,
    gender,
    age_band,
    province,
    city,

    -- numerics
    points,

    -- booleans
    is_member,
    is_fan,

    -- dates
    {{ business_date('joined_at') }} as joined_date,
    {{ business_date('fan_since_at') }} as fan_since_date,

    -- timestamps
    joined_at,
    fan_since_at,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file,
    _source_row

from ranked
where version_rank = 1
