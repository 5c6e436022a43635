{#-
    Grain: one pair of identifiers that a record up to D names together, the weaker one first. `stronger_count` is how many
    distinct stronger identifiers the weaker one was seen with: more than `identity_max_degree`, and it links nobody.
-#}
{{ config(
    schema='vault',
    materialized='incremental',
    incremental_strategy='replace_keys',
    unique_key='weaker_key',
    on_schema_change='fail'
) }}
{%- set kinds = identifier_kinds().keys() | list %}

with

records as (

    select open_uid, member_id, phone_hash, email_hash, seen_date from {{ ref('int_identity_records') }}
    where {{ records_of_this_build() }}

),

pairs as (

    {% for weaker in kinds[1:] -%}
    {% for stronger in kinds[:loop.index] -%}
    {% if not (loop.first and weaker == kinds[1]) %}union all{% endif %}
    select
        '{{ weaker }}' as weaker_kind, {{ weaker }} as weaker_value,
        '{{ stronger }}' as stronger_kind, {{ stronger }} as stronger_value,
        min(seen_date) as first_seen_date
    from records
    where {{ weaker }} is not null and {{ stronger }} is not null
    group by {{ weaker }}, {{ stronger }}
    {% endfor -%}
    {% endfor %}
),

keyed as (

    select
        {{ identifier_key('weaker_kind', 'weaker_value') }} as weaker_key,
        {{ identifier_key('stronger_kind', 'stronger_value') }} as stronger_key,
        weaker_kind,
        first_seen_date
    from pairs

),

known as (

    select * from keyed
    {%- if adds_to_history() %}
    union all
    select weaker_key, stronger_key, weaker_kind, first_seen_date from {{ this }}
    where weaker_key in (select keyed.weaker_key from keyed)
    {%- endif %}

),

links as (

    select weaker_key, stronger_key, weaker_kind, min(first_seen_date) as first_seen_date
    from known
    group by weaker_key, stronger_key, weaker_kind

)

select
    -- ids
    weaker_key,
    stronger_key,
    weaker_kind,

    -- numerics
    count(*) over (partition by weaker_key) as stronger_count,

    -- dates
    first_seen_date

from links
