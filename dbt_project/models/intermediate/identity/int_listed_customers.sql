{#-
    Grain: one customer in a list of people as of D: the shop's members, or a platform's own customers. Without identifiers:
    the gate on customers asks it who may be one without an order or an event.
-#}
{{ config(materialized='view') }}

with

listed as (

    select identifier_key from {{ ref('int_members_current') }}

),

identifiers as (

    select identifier_key, customer_key from {{ ref('int_identifier_customers') }}
    where customer_key is not null

)

select distinct identifiers.customer_key
from listed
inner join identifiers on listed.identifier_key = identifiers.identifier_key
