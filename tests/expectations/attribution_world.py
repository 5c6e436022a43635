"""Attribution, pairs and launches of the small shop of gates_world, as they are on 2026-03-10.

Its first visit is v9's on 2026-03-01; v2's of 2026-03-10, from search, led c2 to o3. o5 and o6 have no touch. Of the
time before the first visit 生意参谋 claims 30.00 in February.
i2 is told as if it had first been seen on 2026-03-08: of its sales o3 counts, and curves have five days.
"""

from __future__ import annotations

ATTRIBUTION = """
create table marts.fct_attribution_credits as
select 'shop' as shop_id, m.attribution_model, c.order_id, c.source,
    if(m.attribution_model = 'markov' and c.touch_count > 0, '(all)', c.campaign) as campaign, c.touch_count,
    cast(c.gross as decimal(18, 2)) as credit_amount, cast(c.net as decimal(18, 2)) as credit_net_amount,
    cast(1 as decimal(18, 6)) as credit_orders, c.day::date as paid_date
from (values
    ('o3', 'search', '(unknown)', 1, 80, 80, '2026-03-10'),
    ('o5', '(no touch)', '(no touch)', 0, 40, 40, '2026-03-09'),
    ('o6', '(no touch)', '(no touch)', 0, 30, 0, '2026-03-09')
) as c (order_id, source, campaign, touch_count, gross, net, day),
    (values ('last'), ('first'), ('linear'), ('time_decay'), ('position'), ('markov')) as m (attribution_model);
create table marts.agg_attribution__by_month_source as
select 'shop' as shop_id, m.attribution_model, r.source, 'touches' as basis,
    cast(r.orders as decimal(18, 6)) as orders, cast(r.gross as decimal(18, 2)) as paid_amount,
    cast(r.net as decimal(18, 2)) as net_amount, cast(r.new as decimal(18, 6)) as new_customers,
    cast(r.cost as decimal(18, 2)) as cost_amount, date '2026-03-01' as paid_month
from (values
    ('search', 1, 80, 80, 1, null), ('(no touch)', 2, 70, 40, 0, null), ('wanxiangtai', 0, 0, 0, 0, 6),
    ('google_ads', 0, 0, 0, 0, 0)
) as r (source, orders, gross, net, new, cost),
    (values ('last'), ('first'), ('linear'), ('time_decay'), ('position'), ('markov')) as m (attribution_model)
union all
select 'shop', 'platform_traffic', 'sycm / 搜索', 'platform_aggregate', null, 30, null, null, null, date '2026-02-01';
create table marts.agg_markov_removal_effects as
select 'shop' as shop_id, date '2026-03-10' as as_of_date, * from (values
    ('(unknown)', 1, 1, 0, 0.0), ('search', 1, 1, 1, 1.0)
) as t (source, visits, paths, converting_paths, removal_effect);
"""

ITEMS = """
-- Of the four deal orders of half a year (o1, o2, o3, o5) one has both items.
create table marts.agg_item_pairs as select 'shop' as shop_id, date '2026-03-10' as as_of_date, * from (values
    ('bought', 'i1', 'i2', 1, 3, 2, 4), ('bought', 'i2', 'i1', 1, 2, 3, 4),
    ('viewed', 'i1', 'i2', 1, 1, 2, 2), ('viewed', 'i2', 'i1', 1, 2, 1, 2)
) as t (kind, item_id, other_item_id, support_count, item_count, other_item_count, basket_count);
create table marts.agg_item_launches__by_day as
select 'shop' as shop_id, 'i2' as item_id, n.day_number, if(is_complete, 1, null) as views,
    if(is_complete, 1, null) as visitors, if(is_complete, 0, null) as cart_visitors, if(is_complete, 0, null) as buyers,
    cast(if(is_complete, (n.day_number = 2)::int, null) as decimal(18, 3)) as quantity,
    cast(if(is_complete, if(n.day_number = 2, 80, 0), null) as decimal(18, 2)) as paid_amount,
    cast(if(is_complete, if(n.day_number = 2, 80, 0), null) as decimal(18, 2)) as cumulative_paid_amount,
    n.is_complete, date '2026-03-08' as launch_date, date '2026-03-08' + n.day_number as business_date
from (values (0, true), (1, true), (2, true), (3, false), (4, false)) as n (day_number, is_complete);
"""
