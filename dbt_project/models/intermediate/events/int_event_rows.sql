{#-
    Grain: one staged row of an event of a visitor, whatever kind of export it is from. `moment_key` names the event where
    the platform gives no id but writes its days anew, `ga4_date` the day that is written anew as a whole. Events that are none of ours, or of nobody, are left out.
-#}
{{ config(materialized='view') }}

with

generic as (

    select
        event_id, visitor_id, customer_id, open_uid, item_id, category_id, cast(null as varchar) as moment_key, event_type,
        source, campaign, page, device, cast(null as date) as ga4_date, event_at,
        _folder_date, _exported_at, _batch_id, _source_file, _source_row, _content_hash, _raw_file
    from {{ ref('stg_generic__events') }}

),

ga4 as (

    select
        cast(null as varchar) as event_id, events.visitor_id, events.customer_id,
        cast(null as varchar) as open_uid, events.item_id, events.category_id,
        concat('ga4:', {{ surrogate_key(['events.visitor_id', 'events.event_at', 'events.event_name']) }}) as moment_key,
        event_types.event_type, events.source, events.campaign, events.page, events.device,
        events.ga4_date, events.event_at,
        events._folder_date, events._exported_at, events._batch_id, events._source_file, events._source_row,
        events._content_hash, events._raw_file
    from {{ ref('stg_ga4__events') }} as events
    inner join {{ ref('ga4_event_types') }} as event_types on events.event_name = event_types.event_name
    where events.visitor_id is not null

)

select * from generic
union all
select * from ga4
