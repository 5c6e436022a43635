{#-
    Grain: one person of an export of members, known by the strongest identifier of the row, and one date of joining: a
    row that says what counts on some D. By date folder, file name and row, a newer row takes the place of an older one
    from the date of joining on that it tells; whoever joins after D waits, and the row before counts. Who is in no export
    of members, as the newest export of Shopify's customers says: known to the shop, but no member.
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

dated as (

    select
        *,
        {{ business_date('joined_at') }} as joined_date,
        coalesce({{ business_date('joined_at') }}, cast('0001-01-01' as date)) as counts_from_date
    from known

),

compared as (

    select
        *,
        min(counts_from_date) over (
            partition by identifier_key
            order by is_member desc, _folder_date desc, _source_file desc, _source_row desc, _batch_id desc
            rows between unbounded preceding and 1 preceding
        ) as replaced_from_date
    from dated

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
    joined_date,
    counts_from_date,
    {{ business_date('fan_since_at') }} as fan_since_date,

    -- timestamps
    joined_at,
    fan_since_at,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file,
    _source_row

from compared
where replaced_from_date is null or replaced_from_date > counts_from_date
