{#- Grain: person whose attempts of any start date this build may change: a customer whose key changed.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="table") }}

-- Whoever changed key, under any key it may have had: more persons than need be, never one too few.
with persons as (
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
