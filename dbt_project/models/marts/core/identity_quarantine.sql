{#-
    Grain: one identifier that was seen with more than `identity_max_degree` stronger ones up to D, and so links nobody: a
    phone of a shop assistant, a shared tablet. Its value stays in the vault.
    Definition: docs/definitions/people.md
-#}
with

links as (

    select weaker_key, weaker_kind, stronger_key, stronger_count, first_seen_date from {{ ref('int_identifier_links') }}
    where stronger_count > {{ var('identity_max_degree') }}

),

visitors as (

    select
        visitor_id,
        concat(coalesce(open_uid, ''), ':', coalesce(customer_id, '')) as seen_with,
        first_event_date,
        count(*) over (partition by visitor_id) as stronger_count
    from {{ ref('int_visitor_identities') }}
    where (customer_id is not null or open_uid is not null) and first_event_date <= {{ as_of_date() }}

),

seen as (

    select weaker_key as identifier_key, weaker_kind as identifier_kind, stronger_key as seen_with, stronger_count, first_seen_date from links
    union all
    select {{ identifier_key("'visitor_id'", 'visitor_id') }}, 'visitor_id', seen_with, stronger_count, first_event_date
    from visitors
    where stronger_count > {{ var('identity_max_degree') }}

),

-- It went too far with the first that was one too many.
ranked as (

    select
        *,
        row_number() over (partition by identifier_key order by first_seen_date, seen_with) as seen_rank
    from seen

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    identifier_key,

    -- strings
    identifier_kind,

    -- numerics
    stronger_count as stronger_identifier_count,

    -- dates
    first_seen_date as quarantined_since

from ranked
where seen_rank = {{ var('identity_max_degree') }} + 1
