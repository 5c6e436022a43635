{#-
    Grain: one accepted row of an export of events (batch, row), typed and kept for good. Rows that tell of the same
    event have the same `event_id`, or, without one, the same `row_key`: identical rows count as often as in the one
    file of their day that has most of them. `event_hash` finds either quickly. A platform that writes its days anew names
    an event by visitor, moment and kind, so that both writings are one event.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}

{%- set columns = [
    'event_id', 'visitor_id', 'customer_id', 'open_uid', 'item_id', 'category_id', 'event_type', 'source', 'campaign', 'page',
    'device', 'ga4_date', 'event_at', '_folder_date', '_batch_id', '_source_file', '_source_row', '_content_hash'
] %}

with

events as (

    select * from {{ ref('int_event_rows') }}
    where {{ pending_rows(event_source_names()) }}

),

identified as (

    select
        {{ columns | join(", ") }},
        cast(null as varchar) as row_key
    from events
    where event_id is not null

),

-- Where a moment names an event, its n-th row in a file is the n-th event of that moment.
moments as (

    select
        concat(
            moment_key, '#',
            cast(row_number() over (partition by _batch_id, moment_key order by _source_row) as varchar)
        ) as event_id,
        {{ columns[1:] | join(", ") }},
        cast(null as varchar) as row_key
    from events
    where event_id is null and moment_key is not null

),

numbered as (

    select
        *,
        row_number() over (partition by _batch_id, _content_hash order by _source_row) as occurrence
    from events
    where event_id is null and moment_key is null

),

keyed as (

    select * from identified

    union all

    select * from moments

    union all

    select
        {{ columns | join(", ") }},
        {{ surrogate_key(['_folder_date', '_content_hash', 'occurrence']) }} as row_key
    from numbered

)

select
    -- ids
    event_id,
    row_key,
    visitor_id,
    customer_id,
    open_uid,
    item_id,
    category_id,

    -- strings
    event_type,
    source,
    campaign,
    page,
    device,

    -- numerics
    {{ lookup_hash('coalesce(event_id, row_key)') }} as event_hash,

    -- dates
    {{ business_date('event_at') }} as event_date,
    ga4_date,

    -- timestamps
    event_at,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file,
    _source_row

from keyed
