{#-
    Grain: one event, counted once. A view: the rows are kept in int_event_versions, those that do not count are
    listed in int_events_superseded. Events dated after D are here and wait.
-#}
{{ config(materialized='view') }}

with

event_versions as (

    select * from {{ ref('int_event_versions') }}

),

superseded as (

    select _batch_id, _source_row from {{ ref('int_events_superseded') }}

)

select
    -- ids
    {{ event_key() }} as event_key,
    event_versions.event_id,
    event_versions.visitor_id,
    event_versions.customer_id,
    event_versions.open_uid,
    event_versions.item_id,
    event_versions.category_id,

    -- strings
    event_versions.event_type,
    event_versions.source,
    event_versions.campaign,
    event_versions.page,
    event_versions.device,

    -- dates
    event_versions.event_date,

    -- timestamps
    event_versions.event_at,

    -- metadata
    event_versions._batch_id

from event_versions
left join superseded
    on
        event_versions._batch_id = superseded._batch_id
        and event_versions._source_row = superseded._source_row
where superseded._batch_id is null
