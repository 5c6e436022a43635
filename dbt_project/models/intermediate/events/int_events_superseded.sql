{#-
    Grain: one accepted row (batch, row) that does not count, because an earlier one tells of the same event. The
    first by date folder, file name and row counts, whatever was loaded first.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_keys',
    unique_key='event_key',
    on_schema_change='fail'
) }}

with

{% if adds_to_history() -%}

pending as (

    select event_hash from {{ ref('int_event_versions') }}
    where {{ of_pending_batches(event_source_names()) }}

),

{%- endif %}

-- Nearly all events have one version only: the hashes alone tell which do not, and only those rows are read.
repeated as (

    select event_hash from {{ ref('int_event_versions') }}
    {%- if adds_to_history() %}
    where event_hash in (select pending.event_hash from pending)
    {%- endif %}
    group by event_hash
    having count(*) > 1

),

candidates as (

    select
        visitor_id,
        {{ event_key() }} as event_key,
        event_date,
        event_at,
        _folder_date,
        _batch_id,
        _source_file,
        _source_row
    from {{ ref('int_event_versions') }}
    where event_hash in (select repeated.event_hash from repeated)

),

ranked as (

    select
        *,
        row_number() over (
            partition by event_key
            order by _folder_date, _source_file, _source_row, _batch_id
        ) as version_rank
    from candidates

)

select
    -- ids
    event_key,
    visitor_id,

    -- dates
    event_date,

    -- timestamps
    event_at,

    -- metadata
    _batch_id,
    _source_row

from ranked
where version_rank > 1
