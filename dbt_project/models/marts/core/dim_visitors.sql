{#-
    Grain: one visitor with an event dated on or before D.
    Belongs to the only customer its events ever named; to none where they named two or more.
    Definition: docs/definitions/people.md
-#}
with

identities as (

    select visitor_id, first_event_date, last_event_date from {{ ref('int_visitor_identities') }}

),

links as (

    select visitor_id, customer_key from {{ ref('int_visitor_links') }}

),

visitors as (

    select
        visitor_id,
        min(first_event_date) as first_event_date,
        max(last_event_date) as last_event_date
    from identities
    group by visitor_id

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    visitors.visitor_id,
    links.customer_key,

    -- dates
    visitors.first_event_date,
    visitors.last_event_date

from visitors
left join links on visitors.visitor_id = links.visitor_id
