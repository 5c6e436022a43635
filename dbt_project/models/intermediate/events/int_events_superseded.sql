{#-
    Grain: one accepted row (batch, row) that does not count: an earlier one tells of the same event, or GA4 has written
    its day anew. Of the rows of an event that stand, the first by date folder, file name and row counts, whatever was
    loaded first.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_keys',
    unique_key='event_key',
    on_schema_change='fail'
) }}

with

standing_days as (

    select
        ga4_date,
        max(_folder_date) as standing_folder_date
    from {{ ref('int_ga4_days') }}
    group by ga4_date

),

{% if adds_to_history() -%}

pending as (

    select event_hash from {{ ref('int_event_versions') }}
    where {{ of_pending_batches(event_source_names()) }}

),

rewritten_days as (

    select ga4_date from {{ ref('int_ga4_days') }}
    where {{ of_pending_batches('ga4_events') }}

),

{%- else -%}

rewritten_days as (

    select ga4_date from {{ ref('int_ga4_days') }}
    group by ga4_date
    having min(_folder_date) < max(_folder_date)

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

affected as (

    select event_hash from repeated
    union
    select event_hash from {{ ref('int_event_versions') }}
    where ga4_date in (select rewritten_days.ga4_date from rewritten_days)

),

candidates as (

    select
        versions.*,
        {{ event_key() }} as event_key,
        versions._folder_date = coalesce(standing_days.standing_folder_date, versions._folder_date) as is_standing
    from {{ ref('int_event_versions') }} as versions
    left join standing_days on versions.ga4_date = standing_days.ga4_date
    where versions.event_hash in (select affected.event_hash from affected)

),

ranked as (

    select
        *,
        row_number() over (
            partition by event_key
            order by
                case when is_standing then 0 else 1 end, _folder_date, _source_file, _source_row, _batch_id
        ) as version_rank
    from candidates

)

select
    -- ids
    event_key,
    visitor_id,

    -- dates
    event_date,
    ga4_date,

    -- timestamps
    event_at,

    -- metadata
    _batch_id,
    _source_row

from ranked
where version_rank > 1 or not is_standing
