{#-
    Grain: one customer with an event dated on or before D: its first and last event, those of its visitors before the
    first login included, and where the first one came from.
-#}
{{ config(schema='intermediate', materialized='view', contract={'enforced': false}) }}

with

identities as (

    select * from {{ ref('int_visitor_identities') }}

),

open_uids as (

    select * from {{ customers_by('open_uid') }} as owners

),

member_ids as (

    select * from {{ customers_by('member_id') }} as owners

),

links as (

    select visitor_id, customer_key from {{ ref('int_visitor_links') }}

),

visits as (

    select
        coalesce(open_uids.customer_key, member_ids.customer_key, links.customer_key) as customer_key,
        identities.visitor_id,
        coalesce(identities.open_uid, '') as open_uid,
        coalesce(identities.customer_id, '') as customer_id,
        coalesce(identities.first_source, '') as first_source,
        identities.first_event_date,
        identities.last_event_date,
        identities.first_event_id is null as has_no_id,
        coalesce(identities.first_event_id, '') as first_event_id,
        coalesce(identities.first_event_type, '') as first_event_type,
        identities.first_event_at
    from identities
    left join open_uids on identities.open_uid = open_uids.identifier_value
    left join member_ids on identities.customer_id = member_ids.identifier_value
    left join links on identities.visitor_id = links.visitor_id

)

select
    -- ids
    customer_key,

    -- strings
    nullif({{ value_at_minimum('first_source', record([
        ('at', 'first_event_at'), ('has_no_id', 'has_no_id'), ('id', 'first_event_id'), ('type', 'first_event_type'),
        ('visitor', 'visitor_id'), ('open_uid', 'open_uid'), ('customer', 'customer_id'),
    ])) }}, '') as first_touch_source,

    -- dates
    min(first_event_date) as first_event_date,
    max(last_event_date) as last_event_date

from visits
where customer_key is not null
group by customer_key
-- Depends on {{ ref('int_identifier_customers') }}.
