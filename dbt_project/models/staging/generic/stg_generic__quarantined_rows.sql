{#-
    Grain: one row that ingest set aside, with its text, its place and the reason. In the vault: the text may hold
    anything. Nothing is lost: rows read = rows staged + rows here, per batch.
-#}
{{ config(schema='vault') }}

{% set sources = staged_models().keys() | list %}

with

{% for name in sources %}
{{ name }} as (

    select
        _row_text, _quarantine_reason, _exported_at, _batch_id, _source_file, _source_row, _content_hash, _raw_file,
        date as _folder_date
    from {{ source('raw', name) }}
    where _quarantine_reason is not null and date <= {{ as_of_date() }}

),

{% endfor %}
unioned as (

    {% for name in sources %}
    select '{{ name }}' as source, {{ name }}.* from {{ name }}
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select
    -- strings
    source,
    _row_text as row_text,
    _quarantine_reason as quarantine_reason,

    -- metadata
    _folder_date,
    _exported_at,
    _batch_id,
    _source_file,
    _source_row,
    _content_hash,
    _raw_file

from unioned
