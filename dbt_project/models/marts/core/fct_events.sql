{#-
    Grain: one event dated on or before D, counted once however often it was exported.
    A view over the kept versions, so that traffic history is stored once.
    Definition: docs/definitions/people.md
-#}
{{ config(materialized='view') }}

with

events as (

    select * from {{ ref('int_events') }}
    where event_date <= {{ as_of_date() }}

),

open_uids as (

    select * from {{ customers_by('open_uid') }} as owners

),

member_ids as (

    select * from {{ customers_by('member_id') }} as owners

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    events.event_key,
    events.event_id,
    events.visitor_id,
    coalesce(open_uids.customer_key, member_ids.customer_key) as customer_key,
    events.item_id,
    events.category_id,

    -- strings
    events.event_type,
    events.source,
    events.campaign,
    events.page,
    events.device,

    -- dates
    events.event_date,

    -- timestamps
    events.event_at

from events
left join open_uids on events.open_uid = open_uids.identifier_value
left join member_ids on events.customer_id = member_ids.identifier_value
-- Depends on {{ ref('int_identifier_customers') }}.
