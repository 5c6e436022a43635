{#-
    Grain: one identifier stronger than a visitor id, seen in a record up to D, with the date of the folder that it was
    first seen in.
-#}
{{ config(
    schema='vault',
    materialized='incremental',
    incremental_strategy='replace_keys',
    unique_key='identifier_key',
    on_schema_change='fail'
) }}

with

records as (

    select open_uid, member_id, phone_hash, email_hash, _folder_date from {{ ref('int_identity_records') }}
    where {{ records_of_this_build() }}

),

seen as (

    {% for kind, trust in identifier_kinds().items() -%}
    select '{{ kind }}' as identifier_kind, {{ trust }} as trust, {{ kind }} as identifier_value, min(_folder_date) as first_raw_date
    from records
    where {{ kind }} is not null
    group by {{ kind }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),

keyed as (

    select
        {{ identifier_key('identifier_kind', 'identifier_value') }} as identifier_key,
        identifier_kind,
        identifier_value,
        trust,
        first_raw_date
    from seen

),

known as (

    select * from keyed
    {%- if adds_to_history() %}
    union all
    select identifier_key, identifier_kind, identifier_value, trust, first_raw_date from {{ this }}
    where identifier_key in (select keyed.identifier_key from keyed)
    {%- endif %}

)

select
    -- ids
    identifier_key,
    identifier_kind,
    identifier_value,

    -- numerics
    trust,

    -- dates
    min(first_raw_date) as first_raw_date,
    {{ as_of_date() }} as touched_on

from known
group by identifier_key, identifier_kind, identifier_value, trust
