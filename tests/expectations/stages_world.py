"""Stages, tags and repurchase of the small shop of gates_world, as they are on 2026-03-10.

c1  two deal days in the year, the last one 28 days ago: loyal, active; came so on 2026-03-09
c2  bought for the first time on 2026-03-10: was interested, a prospect
c3  wished for something: of interest since 2026-03-10, a prospect since 2026-03-09
"""

from __future__ import annotations

STAGES = """
create table marts.fct_customer_stages as select 'shop' as shop_id, date '2026-03-10' as as_of_date, * from (values
    ('c1', 'loyalty', 'active', false), ('c2', 'purchase', 'new', false), ('c3', 'interest', 'prospect', false)
) as t (customer_key, aipl_stage, lifecycle_stage, is_churn_risk);
create table marts.fct_customer_stage_spells as
select 'shop' as shop_id, stage_kind, customer_key, stage, entered::date as entered_on, exited::date as exited_on
from (values
    ('aipl', 'c1', 'loyalty', '2026-03-09', null), ('aipl', 'c2', 'interest', '2026-03-09', '2026-03-10'),
    ('aipl', 'c2', 'purchase', '2026-03-10', null), ('aipl', 'c3', 'interest', '2026-03-10', null),
    ('lifecycle', 'c1', 'active', '2026-03-09', null), ('lifecycle', 'c2', 'prospect', '2026-03-09', '2026-03-10'),
    ('lifecycle', 'c2', 'new', '2026-03-10', null), ('lifecycle', 'c3', 'prospect', '2026-03-09', null)
) as t (stage_kind, customer_key, stage, entered, exited);
create table marts.agg_stage_flows__by_day as
select 'shop' as shop_id, stage_kind, from_stage, to_stage, customers, day::date as as_of_date
from (values
    ('2026-03-09', 'aipl', '(new)', 'loyalty', 1), ('2026-03-09', 'aipl', '(new)', 'interest', 1),
    ('2026-03-09', 'lifecycle', '(new)', 'active', 1), ('2026-03-09', 'lifecycle', '(new)', 'prospect', 2),
    ('2026-03-10', 'aipl', 'loyalty', 'loyalty', 1), ('2026-03-10', 'aipl', 'interest', 'purchase', 1),
    ('2026-03-10', 'aipl', '(new)', 'interest', 1), ('2026-03-10', 'lifecycle', 'active', 'active', 1),
    ('2026-03-10', 'lifecycle', 'prospect', 'new', 1), ('2026-03-10', 'lifecycle', 'prospect', 'prospect', 1)
) as t (day, stage_kind, from_stage, to_stage, customers);
create table marts.fct_customer_tags as select 'shop' as shop_id, date '2026-03-10' as as_of_date, * from (values
    ('c1', 'price_sensitive', 1, 3, 0.333333), ('c1', 'trend_follower', 3, 3, 1.000000)
) as t (customer_key, tag_id, matching_line_count, judged_line_count, score);
create table marts.fct_customer_categories as select 'shop' as shop_id, date '2026-03-10' as as_of_date, * from (values
    ('c1', 'k1', 0.333333), ('c1', 'k2', 0.333333), ('c1', 'k3', 0.333333), ('c2', 'k1', 1.000000)
) as t (customer_key, category_id, share);
create table marts.fct_item_repurchase as select 'shop' as shop_id, date '2026-03-10' as as_of_date, * from (values
    ('i1', 1, 1, 20, 40, true, true), ('i2', 2, 0, null, null, true, false)
) as t (item_id, buyers, repeat_buyers, cycle_from_days, cycle_to_days, is_eligible, is_rate_high);
-- The last purchase was 28 days ago.
create table marts.fct_item_repurchase_due as
select 'shop' as shop_id, date '2026-03-10' as as_of_date, 'c1' as customer_key, 'i1' as item_id, true as is_due,
    date '2026-03-02' as due_from_date, date '2026-03-22' as due_to_date;
"""
