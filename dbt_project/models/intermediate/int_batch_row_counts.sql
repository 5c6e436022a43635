{#-
    Grain: one batch that has rows. Rows in raw, staged and quarantined, each counted where it stands, so that a
    gate can prove that nothing got lost: rows read = rows staged + rows quarantined.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}

with

{% for name, staged in staged_models().items() -%}
{{ name }}_raw as (

    select '{{ name }}' as source, 'raw' as place, _batch_id from {{ source('raw', name) }}
    where {{ pending_rows(name) }}

),

{{ name }}_staged as (

    select '{{ name }}' as source, 'staged' as place, _batch_id from {{ ref(staged) }}
    where {{ pending_rows(name) }}

),

{% endfor -%}

quarantined as (

    select source, 'quarantined' as place, _batch_id from {{ ref('stg_generic__quarantined_rows') }}
    where {{ pending_rows() }}

),

placed as (

    {% for name in staged_models() -%}
    select * from {{ name }}_raw
    union all
    select * from {{ name }}_staged
    union all
    {% endfor -%}
    select * from quarantined

)

select
    -- ids
    _batch_id as batch_id,

    -- strings
    source,

    -- numerics
    count(case when place = 'raw' then 1 end) as raw_row_count,
    count(case when place = 'staged' then 1 end) as staged_row_count,
    count(case when place = 'quarantined' then 1 end) as quarantined_row_count,

    -- metadata
    _batch_id

from placed
group by _batch_id, source
