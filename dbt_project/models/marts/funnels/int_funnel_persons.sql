{#- Grain: person whose attempts of any start date this build may change.
    Relinking a visitor moves its events, old ones too: from the person it counted as to the one it counts as now. So does a
    customer's change of key.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="table") }}

with windows as (
    select min(window_days) as shortest
    from {{ ref("int_funnel_step_types") }}
),

-- A visitor that is new altogether has no older attempts: its dates are touched anyway.
relinked as (
    select relinked.visitor_id
    from {{ ref("int_relinked_visitors") }} as relinked
    cross join windows
    left join {{ ref("dim_visitors") }} as visitors on relinked.visitor_id = visitors.visitor_id
    where
        visitors.first_event_date is null
        or visitors.first_event_date < {{ add_days(previous_as_of_date(), "-windows.shortest") }}
),

-- Itself, and every customer it was ever linked to; whoever changed key, under any key it may have had: more persons than need be, never one too few.
persons as (
    select visitor_id as person_id
    from relinked
    union all
    select changes.customer_key as person_id
    from relinked
    inner join {{ ref("int_visitor_link_changes") }} as changes on relinked.visitor_id = changes.visitor_id
    union all
    select identifier_key as person_id
    from {{ rekeyed_identifiers() }} as rekeyed
    union all
    select customer_key as person_id
    from {{ rekeyed_identifiers() }} as rekeyed
    union all
    select previous_customer_key as person_id
    from {{ ref("int_customer_key_changes") }}
    where as_of_date > {{ previous_as_of_date() }} and customer_key is distinct from previous_customer_key
)

select distinct person_id
from persons
where person_id is not null
-- Depends on {{ ref("int_identifier_customers") }}.
