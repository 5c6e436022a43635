{#-
    Grain: one person with any identifier, and how to reach them: the phone number and the e-mail address that were told
    last of those that are theirs. In the vault, and read nowhere but at publishing. A number in quarantine is nobody's.
-#}
{{ config(schema='vault', contract={'enforced': true}) }}
{%- set place = ['sightings.told_date', 'sightings._folder_date', 'sightings._batch_id', 'sightings._source_row', 'sightings.contact'] %}

with

identifiers as (

    select identifier_key, identifier_kind, identifier_value, customer_key from {{ ref('int_identifier_customers') }}
    where customer_key is not null

),

sightings as (

    select * from {{ ref('int_contact_sightings') }}

)

select
    -- ids
    identifiers.customer_key,
    {{ latest("case when sightings.contact_kind = 'phone_hash' then sightings.contact end", place) }} as phone,
    {{ latest("case when sightings.contact_kind = 'email_hash' then sightings.contact end", place) }} as email,
    min(case when identifiers.identifier_kind = 'open_uid' then identifiers.identifier_value end) as open_uid

from identifiers
left join sightings on identifiers.identifier_key = sightings.contact_key
group by identifiers.customer_key
