{#-
    Grain: one visitor that belongs to a customer: the only one its events ever named, up to D. A visitor seen with
    two customers or more belongs to none and is absent.
-#}
with

identities as (

    select visitor_id, customer_id, customer_key from {{ ref('int_visitor_identities') }}
    where customer_id is not null

)

select
    visitor_id,
    min(customer_key) as customer_key
from identities
group by visitor_id
having count(*) = 1
