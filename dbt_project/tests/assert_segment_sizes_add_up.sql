-- Yesterday + entered - exited = today, from one built date to the next. Customers are counted from the members, moves from
-- the spells: the two know nothing of each other.
with compared as (
    select
        segment_id,
        as_of_date,
        customers,
        entered,
        exited,
        coalesce(lag(customers) over (partition by segment_id order by as_of_date), 0) as customers_before
    from {{ ref("agg_segment_sizes__by_day") }}
)

select *
from compared
where customers_before + entered - exited is distinct from customers
