"""The segments of the small shop of `gates_world`: who is inside, and what reports say of them.

c1 was a champion and is general_winback since today; c2 is new since today; c3 left a wish. c1 and c3 are at home.
"""

from __future__ import annotations

SEGMENTS = """
create table reference.segments as select segment_id, family from (values
    ('interest', 'operating'), ('new_customer', 'operating'), ('repurchase', 'operating'),
    ('key_operating', 'operating'), ('champions', 'rfm'), ('key_develop', 'rfm'), ('general_winback', 'rfm'),
    ('lifecycle_new', 'lifecycle'), ('lifecycle_active', 'lifecycle'), ('crowd_home', 'crowd')
) as t (segment_id, family);
"""

MARTS = """
create table marts.dim_segments as
select 'shop' as shop_id, segment_id, family, segment_id as name_en, '人群' as name_zh, 'the last 7 days' as definition,
    '近 7 天' as definition_zh
from reference.segments;
create table marts.fct_segment_memberships as
select 'shop' as shop_id, segment_id, customer_key, '{"why": "facts"}' as reason, entered::date as entered_on,
    exited::date as exited_on, if(exited is null, null, '{"why": "facts"}') as exited_reason
from (values
    ('interest', 'c3', '2026-03-09', null), ('key_operating', 'c3', '2026-03-09', null),
    ('new_customer', 'c2', '2026-03-10', null), ('key_operating', 'c2', '2026-03-10', null),
    ('champions', 'c1', '2026-03-09', '2026-03-10'), ('general_winback', 'c1', '2026-03-10', null),
    ('key_develop', 'c2', '2026-03-10', null), ('lifecycle_new', 'c2', '2026-03-10', null),
    ('crowd_home', 'c1', '2026-03-09', null), ('crowd_home', 'c3', '2026-03-09', null)
) as t (segment_id, customer_key, entered, exited);
create table marts.agg_segment_sizes__by_day as
select 'shop' as shop_id, day::date as as_of_date, segment_id, coalesce(customers, 0) as customers,
    coalesce(entered, 0) as entered, coalesce(exited, 0) as exited
from reference.segments cross join (values ('2026-03-09'), ('2026-03-10')) as d (day)
left join (values
    ('2026-03-09', 'interest', 1, 1, 0), ('2026-03-09', 'key_operating', 1, 1, 0), ('2026-03-09', 'champions', 1, 1, 0),
    ('2026-03-09', 'crowd_home', 2, 2, 0),
    ('2026-03-10', 'interest', 1, 0, 0), ('2026-03-10', 'new_customer', 1, 1, 0),
    ('2026-03-10', 'key_operating', 2, 1, 0),
    ('2026-03-10', 'champions', 0, 0, 1), ('2026-03-10', 'general_winback', 1, 1, 0),
    ('2026-03-10', 'key_develop', 1, 1, 0), ('2026-03-10', 'lifecycle_new', 1, 1, 0),
    ('2026-03-10', 'crowd_home', 2, 0, 0)
) as s (day, segment_id, customers, entered, exited) using (day, segment_id);
create table marts.agg_segment_overlaps as
with inside as (from marts.fct_segment_memberships where exited_on is null)
select 'shop' as shop_id, date '2026-03-10' as as_of_date, a.segment_id, o.segment_id as other_segment_id,
    (select count(*) from inside as i inner join inside as j using (customer_key)
        where i.segment_id = a.segment_id and j.segment_id = o.segment_id) as customers,
    (select count(*) from inside as i where i.segment_id = a.segment_id) as segment_customers
from reference.segments as a cross join reference.segments as o;
-- Of c1's first deal 64 days have gone by, and the second came after 36; c2's first is of today; c3 has none.
create table marts.agg_segment_values as
with inside as (from marts.fct_segment_memberships where exited_on is null)
select 'shop' as shop_id, date '2026-03-10' as as_of_date, s.segment_id, count(i.customer_key) as customers,
    count(if(i.customer_key in ('c1', 'c2'), 1, null)) as deal_customers,
    count(if(i.customer_key = 'c1', 1, null)) as observable_customers_30d, 0 as repurchased_customers_30d,
    0 as observable_customers_90d, 0 as repurchased_customers_90d
from reference.segments as s left join inside as i using (segment_id) group by s.segment_id;
-- c1 and c2 live in one province, c3 in another; an index needs two.
create table marts.agg_segment_profiles as
select 'shop' as shop_id, date '2026-03-10' as as_of_date, segment_id, feature, feature_value, customers,
    segment_customers, base_customers, tgi
from (values
    ('interest', 'province', 'near', 0, 1, 2, 0), ('interest', 'province', 'far', 1, 1, 1, null),
    ('new_customer', 'province', 'near', 1, 1, 2, 150), ('new_customer', 'province', 'far', 0, 1, 1, null),
    ('interest', 'crowd', 'crowd_home', 1, 1, 2, 150)
) as t (segment_id, feature, feature_value, customers, segment_customers, base_customers, tgi);
"""
