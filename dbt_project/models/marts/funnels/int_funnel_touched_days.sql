{#- Grain: person x date whose events, or moments of orders, this build changes. Empty in a full build, which computes everybody.
    More persons than need be, never one too few: of an event all whom its visitor was ever linked to, of an order all whom
    any export of it named.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="table") }}

-- Relinking a visitor moves its events, old ones too: from the person it counted as to the one it counts as now.
with visitor_days as (
    select visitor_id, event_date
    from {{ ref("int_touched_visitor_days") }}
    union
    select visitor_id, event_date
    from {{ ref("int_visitor_days") }}
    where visitor_id in (select visitor_id from {{ ref("int_relinked_visitors") }})
),

-- Rows that were superseded named somebody, too.
named as (
    select distinct versions.customer_id, versions.open_uid, versions.event_date
    from {{ ref("int_event_versions") }} as versions
    inner join visitor_days as days on versions.visitor_id = days.visitor_id and versions.event_date = days.event_date
    where {{ in_literals("versions.event_date", touched_event_dates()) }}
),

orders as (
    select order_id, customer_key, ordered_date, paid_date, deposit_paid_date
    from {{ ref("int_touched_order_versions") }}
),

order_customers as (
    select distinct order_id, customer_key
    from orders
),

order_dates as (
    select order_id, ordered_date as order_date from orders
    union
    select order_id, paid_date as order_date from orders
    union
    select order_id, deposit_paid_date as order_date from orders
),

touched as (
    select visitor_id as person_id, event_date as touched_date
    from visitor_days
    union
    select links.customer_key as person_id, days.event_date as touched_date
    from visitor_days as days
    inner join {{ ref("int_visitor_link_changes") }} as links on days.visitor_id = links.visitor_id
    union
    select owners.customer_key as person_id, named.event_date as touched_date
    from named
    inner join {{ customers_by("member_id") }} as owners on named.customer_id = owners.identifier_value
    union
    select owners.customer_key as person_id, named.event_date as touched_date
    from named
    inner join {{ customers_by("open_uid") }} as owners on named.open_uid = owners.identifier_value
    union
    select customers.customer_key as person_id, dates.order_date as touched_date
    from order_customers as customers
    inner join order_dates as dates on customers.order_id = dates.order_id
)

select person_id, touched_date
from touched
where person_id is not null and touched_date <= {{ as_of_date() }} {{- " and false" if is_full_build() }}
-- Depends on {{ ref("int_touched_visitor_days") }} for the dates, and {{ ref("int_identifier_customers") }}.
