{#-
    Grain: one visitor that belongs to a customer: the only one its events ever named, up to D. A visitor seen with
    two identifiers or more belongs to none, even if both are one person's, and is absent.
-#}
with

identities as (

    select visitor_id, customer_id, open_uid from {{ ref('int_visitor_identities') }}
    where customer_id is not null or open_uid is not null

),

open_uids as (

    select * from {{ customers_by('open_uid') }} as owners

),

member_ids as (

    select * from {{ customers_by('member_id') }} as owners

),

-- An event that tells both kinds of id names one person, by the stronger.
named as (

    select
        identities.visitor_id,
        case
            when identities.open_uid is not null then concat('open_uid:', identities.open_uid)
            else concat('member_id:', identities.customer_id)
        end as named_by,
        coalesce(open_uids.customer_key, member_ids.customer_key) as customer_key
    from identities
    left join open_uids on identities.open_uid = open_uids.identifier_value
    left join member_ids on identities.customer_id = member_ids.identifier_value

)

select
    visitor_id,
    min(customer_key) as customer_key
from named
group by visitor_id
having min(named_by) = max(named_by) and min(customer_key) is not null
