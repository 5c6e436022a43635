"""The funnels of the small shop of `gates_world`: who tried what, and who left something behind.

v9 looked on 2026-03-01, and that was all. c2 looked today and came to the end. c1 paid a deposit on 2026-03-01, and has
time until the end of the month. c1 left i2 in the cart today; so did v9. c2 has not paid o4.
"""

from __future__ import annotations

CATALOGUE = """
create table reference.funnels as
    select * from (values ('purchase', null::integer), ('presale', 30)) as t (funnel_id, window_days);
create table reference.funnel_steps as
    select 'purchase' as funnel_id, unnest([1, 2, 3, 4]) as step
    union all select 'presale' as funnel_id, unnest([1, 2]) as step;
"""

MARTS = """
create table marts.fct_funnel_attempts as
select 'shop' as shop_id, funnel_id, grain, person_id, item_id, session_id, start_date::date as start_date, source,
    device, category_id, max_step, is_complete
from (values
    ('purchase', 'person', 'v9', null, null, '2026-03-01', '(unknown)', null, 'k', 1, true),
    ('purchase', 'person', 'c2', null, null, '2026-03-10', 'search', 'app', null, 4, false),
    ('purchase', 'person_item', 'v9', 'i1', null, '2026-03-01', '(unknown)', null, 'k', 1, true),
    ('purchase', 'person_item', 'c2', 'i2', null, '2026-03-10', 'search', 'app', null, 4, false),
    ('purchase', 'session', 'v9', null, 's1', '2026-03-01', '(unknown)', null, 'k', 1, true),
    ('purchase', 'session', 'c2', null, 's2', '2026-03-10', 'search', 'app', null, 4, false),
    ('presale', 'person', 'c1', null, null, '2026-03-01', '(unknown)', null, null, 1, false)
) as t (
    funnel_id, grain, person_id, item_id, session_id, start_date, source, device, category_id, max_step, is_complete
);
create temp table spine as
select f.funnel_id, f.grain, s.step, d.day::date as start_date
from (select distinct funnel_id, grain from marts.fct_funnel_attempts) as f
inner join reference.funnel_steps as s using (funnel_id)
cross join (select unnest(generate_series(date '2026-03-01', date '2026-03-10', interval 1 day)) as day) as d;
create table marts.agg_funnel_steps__by_day_source as
select 'shop' as shop_id, spine.*, s.source, count(a.funnel_id) as attempts
from spine cross join (values ('(unknown)'), ('search')) as s (source)
left join marts.fct_funnel_attempts as a
    on a.funnel_id = spine.funnel_id and a.grain = spine.grain and a.start_date = spine.start_date
    and a.max_step >= spine.step and a.source = s.source
group by all;
create table marts.agg_funnel_steps__by_day_dimension as
select 'shop' as shop_id, spine.*, v.dimension, v.dimension_value, count(a.funnel_id) as attempts
from spine
cross join (
    values ('device', 'app'), ('device', '(unknown)'), ('category', 'k'), ('category', '(unknown)')
) as v (dimension, dimension_value)
left join marts.fct_funnel_attempts as a
    on a.funnel_id = spine.funnel_id and a.grain = spine.grain and a.start_date = spine.start_date
    and a.max_step >= spine.step
    and coalesce(if(v.dimension = 'device', a.device, a.category_id), '(unknown)') = v.dimension_value
group by all;
create table marts.agg_funnel_step_times__by_day as
select 'shop' as shop_id, spine.*, count(a.funnel_id) as reached_attempts,
    if(count(a.funnel_id) > 0, 60, null) as median_seconds, if(count(a.funnel_id) > 0, 90, null) as p90_seconds
from spine
left join marts.fct_funnel_attempts as a
    on a.funnel_id = spine.funnel_id and a.grain = spine.grain and a.start_date = spine.start_date
    and a.max_step >= spine.step
where spine.step > 1
group by all;
-- Complete is what v9 tried, who is in no segment.
create table marts.agg_funnel_steps__by_segment as
select 'shop' as shop_id, date '2026-03-10' as as_of_date, 'purchase' as funnel_id, grain, segment_id, step,
    if(step = 1 and segment_id in ('(all)', '(none)'), 1, 0) as attempts
from (values ('person'), ('person_item'), ('session')) as g (grain),
    (values ('(all)'), ('(none)'), ('interest')) as s (segment_id), (values (1), (2), (3), (4)) as n (step);
drop table spine;
create table marts.fct_abandoned_carts as
select 'shop' as shop_id, date '2026-03-10' as as_of_date, person_id, customer_key, item_id, 2 as cart_count,
    timestamp '2026-03-10 01:00' as first_carted_at, timestamp '2026-03-10 02:00' as carted_at,
    timestamp '2026-03-10 03:00' as due_at
from (values ('c1', 'c1', 'i2'), ('v9', null, 'i2')) as t (person_id, customer_key, item_id);
create table marts.fct_unpaid_orders as
select 'shop' as shop_id, date '2026-03-10' as as_of_date, 'o4' as order_id, 'c2' as customer_key, 'i1' as item_id,
    timestamp '2026-03-10 00:00' as ordered_at, timestamp '2026-03-10 01:00' as due_at;
create table marts.fct_upcoming_birthdays as
select 'shop' as shop_id, 'c2' as customer_key, 3 as days_until, date '2026-03-10' as as_of_date,
    date '2026-03-13' as celebrated_date;
"""
