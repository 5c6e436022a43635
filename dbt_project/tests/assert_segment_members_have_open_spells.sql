-- Who is inside has exactly one open spell, and who has one is inside.
with open_spells as (
    select segment_id, customer_key
    from {{ ref("fct_segment_memberships") }}
    where exited_on is null
)

select members.segment_id, members.customer_key, open_spells.customer_key as spell_customer_key
from {{ ref("int_segment_members") }} as members
full outer join open_spells
    on members.segment_id = open_spells.segment_id and members.customer_key = open_spells.customer_key
where members.customer_key is null or open_spells.customer_key is null
