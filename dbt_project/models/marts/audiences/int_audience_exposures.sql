{#- Grain: audience x customer x date of first exposure.
    Who was exposed to an audience before D, under the keys of D; whoever is held out under any key is held out under all.
    Definition: docs/definitions/audience-outcomes.md -#}
{{ config(schema="intermediate", materialized="table") }}

with exposures as (
    select * from {{ source("ops", "audience_exposures") }}
    -- Files of D are made from the marts of D: building D again must not find them.
    where exposed_on < {{ as_of_date() }}
),

-- A key is the key of an identifier, so whoever has that identifier now is the person; nobody, where it is in quarantine.
people as (
    select identifier_key, customer_key
    from {{ ref("int_identifier_customers") }}
    where customer_key is not null
)

select
    exposures.audience_id,
    people.customer_key,
    cast(max(exposures.holdout_share) as decimal(9, 6)) as holdout_share,
    max(case when exposures.is_holdout then 1 else 0 end) = 1 as is_holdout,
    min(exposures.entered_on) as entered_on,
    exposures.exposed_on
from exposures
inner join people on exposures.customer_key = people.identifier_key
group by exposures.audience_id, people.customer_key, exposures.exposed_on
