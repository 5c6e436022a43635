"""A small shop by hand, as its marts are on 2026-03-10; the build before was on 2026-03-09.

c1  deals o1 (2026-01-05, 100.00: lines 60 + 35, postage 5) and o2 (2026-02-10, 50.00, of which 20 given back)
c2  deal  o3 (2026-03-10, 80.00); o4 placed on 2026-03-10, not paid
c3        o6 (2026-03-09, 30.00, given back in full): no deal
nobody    o5 (2026-03-09, 40.00), an order without a buyer
"""

from __future__ import annotations

import duckdb
from attribution_world import ATTRIBUTION, ITEMS
from funnels_world import CATALOGUE as FUNNEL_CATALOGUE
from funnels_world import MARTS as FUNNEL_MARTS
from outcomes_world import OUTCOMES
from segments_world import MARTS, SEGMENTS
from stages_world import STAGES
from value_world import VALUE

AS_OF = "2026-03-10"

_CATALOGUES = """
create schema marts; create schema reference; create schema run; create schema whole; create schema intermediate;
create table run.context as select
    'shop' as shop_id, date '2026-03-10' as as_of_date, date '2026-03-09' as previous_as_of_date, 'CNY' as currency,
    date '2026-03-01' as facts_from, true as has_orders, true as has_traffic;
create table run.vars as select
    720 as rfm_window_days, 7 as funnel_window_days, 30 as funnel_report_days, 7 as unpaid_order_days,
    30 as birthday_ahead_days,
    '(all)' as funnel_everybody, '(none)' as funnel_nobody, 30 as value_horizon_days, 14 as audience_outcome_days,
    0.5::double as customer_coverage_rate_critical, 0.75::double as customer_coverage_rate_warning, 2 as tgi_min_count,
    2 as anomaly_report_days, 90 as attribution_keep_days, 90 as markov_days, 180 as affinity_days,
    1 as affinity_min_count, 50 as affinity_max_items, 5 as launch_days;
create table reference.rfm_classes as select unnest(['champions', 'key_develop', 'general_winback']) as rfm_class;
create table reference.cohort_horizons as select unnest([30, 60]) as within_days;
create table reference.kpi_comparisons as select unnest(['day', 'week']) as comparison, unnest([1, 7]) as period_days;
"""

_PEOPLE_AND_THINGS = """
create table marts.dim_customers as select 'shop' as shop_id, * from (values
    ('c1', ['m1'], 2, null::date, false, null::date, date '2026-02-10'), ('c2', ['m2'], 2, null, true, null, null),
    ('c3', ['m3'], 1, null, false, null, null)
) as t (customer_key, customer_ids, order_count, first_event_date, is_member, joined_date, fan_since_date);
create table intermediate.int_listed_customers as select 'c2' as customer_key;
create table marts.customer_key_aliases as select 'shop' as shop_id, * from (values
    ('c0', 'c1', 'merge', date '2026-03-09')
) as t (from_key, to_key, change, changed_on);
create table marts.identity_quarantine as select 'shop' as shop_id, * from (values
    ('q1', 'phone_hash', 21, date '2026-03-09')
) as t (identifier_key, identifier_kind, stronger_identifier_count, quarantined_since);
create table marts.dim_items as select 'shop' as shop_id, unnest(['i1', 'i2']) as item_id;
create table marts.dim_visitors as select 'shop' as shop_id, * from (values
    ('v2', 'c2'), ('v9', null)
) as t (visitor_id, customer_key);
"""

_ORDERS = """
create table marts.fct_orders as
select
    'shop' as shop_id, order_id, customer_key, line_count, cast(paid as decimal(18, 2)) as paid_amount,
    cast(refunded as decimal(18, 2)) as refunded_amount, cast(paid - refunded as decimal(18, 2)) as net_amount,
    cast(rest as decimal(18, 2)) as unallocated_amount, paid is not null as is_paid,
    coalesce(refunded < paid, false) as is_deal, coalesce(refunded >= paid, false) as is_fully_refunded,
    false as is_over_refunded, null::varchar as status_code, placed::date as ordered_date,
    placed::timestamp as ordered_at, if(paid is null, null, placed::date) as paid_date
from (values
    ('o1', 'c1', 2, 100, 0, 5, '2026-01-05'), ('o2', 'c1', 1, 50, 20, 0, '2026-02-10'),
    ('o3', 'c2', 1, 80, 0, 0, '2026-03-10'), ('o4', 'c2', 1, null, 0, null, '2026-03-10'),
    ('o5', null, 1, 40, 0, 0, '2026-03-09'), ('o6', 'c3', 1, 30, 30, 0, '2026-03-09')
) as t (order_id, customer_key, line_count, paid, refunded, rest, placed);
create table marts.fct_order_lines as
select
    'shop' as shop_id, order_id, line_key, item_id, quantity, cast(paid as decimal(18, 2)) as paid_amount,
    cast(refunded as decimal(18, 2)) as refunded_amount, cast(paid - refunded as decimal(18, 2)) as net_amount
from (values
    ('o1', 'l1', 'i1', 2, 60, 0), ('o1', 'l2', 'i2', 1, 35, 0), ('o2', 'l1', 'i1', 1, 50, 20),
    ('o3', 'l1', 'i2', 1, 80, 0), ('o4', 'l1', 'i1', 1, null, 0), ('o5', 'l1', 'i1', 1, 40, 0),
    ('o6', 'l1', 'i1', 1, 30, 30)
) as t (order_id, line_key, item_id, quantity, paid, refunded);
create table marts.fct_refunds as
select
    'shop' as shop_id, refund_key, order_id, 'l1' as line_key, cast(amount as decimal(18, 2)) as refunded_amount,
    day::date as refunded_date
from (values ('r1', 'o2', 20, '2026-02-12'), ('r2', 'o6', 30, '2026-03-10')) as t (refund_key, order_id, amount, day);
"""

_TRAFFIC = """
create table marts.fct_events as select 'shop' as shop_id, * from (values
    ('e1', 'v9', 'view', date '2026-03-01'), ('e2', 'v2', 'view', date '2026-03-10'),
    ('e3', 'v2', 'cart', date '2026-03-10')
) as t (event_key, visitor_id, event_type, event_date);
create table marts.fct_sessions as select 'shop' as shop_id, * from (values
    ('s1', 'v9', 1, date '2026-03-01', timestamp '2026-03-01 02:00', timestamp '2026-03-01 02:00'),
    ('s2', 'v2', 2, date '2026-03-10', timestamp '2026-03-10 02:00', timestamp '2026-03-10 02:05')
) as t (session_id, visitor_id, event_count, session_date, started_at, ended_at);
create view whole.fct_sessions as select * from marts.fct_sessions;
"""

_CLASSES = """
-- c1: 28 days since o2, two deals, 100 + 30; c2: today, one deal, 80.
create table marts.fct_customer_rfm as select 'shop' as shop_id, date '2026-03-10' as as_of_date, * from (values
    ('c1', 28, 2, 130.00, 1, 5, 5, 'general_winback'), ('c2', 0, 1, 80.00, 5, 1, 1, 'key_develop')
) as t (customer_key, recency_days, frequency, monetary, r_score, f_score, m_score, rfm_class);
"""

_REPORTS = """
-- c1 bought again 36 days after the first deal; c2's first deal is of today.
create table marts.agg_repurchase_rates__by_month as
select 'shop' as shop_id, month::date as cohort_month, within_days, 1 as cohort_size,
    observable as observable_customers, repurchased as repurchased_customers
from (values
    ('2026-01-01', 30, 1, 0), ('2026-01-01', 60, 1, 1), ('2026-03-01', 30, 0, 0), ('2026-03-01', 60, 0, 0)
) as t (month, within_days, observable, repurchased);
create table marts.agg_shop_kpis__by_day as
select 'shop' as shop_id, d.day::date as business_date, 10 as visitors, coalesce(k.orders_paid, 0) as orders_paid,
    coalesce(k.buyers, 0) as buyers_paid, coalesce(k.new_buyers, 0) as new_buyers_lifetime,
    coalesce(k.buyers - k.new_buyers, 0) as returning_buyers_lifetime,
    cast(coalesce(k.paid, 0) as decimal(18, 2)) as paid_amount,
    cast(coalesce(k.net, 0) as decimal(18, 2)) as net_amount,
    cast(coalesce(k.refunded, 0) as decimal(18, 2)) as refunded_amount
from (select unnest(generate_series(date '2026-01-05', date '2026-03-10', interval 1 day)) as day) as d
left join (values
    (date '2026-01-05', 1, 1, 1, 100, 100, 0), (date '2026-02-10', 1, 1, 0, 50, 30, 0),
    (date '2026-02-12', 0, 0, 0, 0, 0, 20), (date '2026-03-09', 2, 1, 1, 70, 40, 0),
    (date '2026-03-10', 1, 1, 1, 80, 80, 30)
) as k (day, orders_paid, buyers, new_buyers, paid, net, refunded) on d.day = k.day;
-- day: o3 (80.00) against o5 and o6 (70.00, of which nobody's 40.00); week: these three against nothing.
create table marts.agg_kpi_changes__by_period as
select 'shop' as shop_id, comparison, 10 as visitors_current, 10 as visitors_previous, buyers as buyers_paid_current,
    cast(now as decimal(18, 2)) as paid_amount_current, cast(before as decimal(18, 2)) as paid_amount_previous,
    cast(now - before as decimal(18, 2)) as change_amount, true as is_complete, date '2026-03-10' as as_of_date,
    since::date as current_start_date, date '2026-03-10' as current_end_date, since::date - days as previous_start_date,
    date '2026-03-10' - days as previous_end_date
from (values ('day', 1, 80, 70, '2026-03-10', 1), ('week', 2, 150, 0, '2026-03-04', 7))
    as t (comparison, buyers, now, before, since, days);
create table marts.agg_kpi_change_effects as
select 'shop' as shop_id, comparison, dimension, dimension_value, effect, cast(amount as decimal(18, 2)) as amount,
    date '2026-03-10' as as_of_date
from (values
    ('day', 'shop', '(all)', 'amount_per_buyer', 50), ('day', 'shop', '(no customer)', 'unidentified_orders', -40),
    ('day', 'source', 'search', 'rate', 50), ('day', 'source', '(no customer)', 'unidentified_orders', -40),
    ('day', 'customer_kind', 'new', 'rate', 50), ('day', 'customer_kind', '(no customer)', 'unidentified_orders', -40),
    ('day', 'category', 'tea', 'volume', -20), ('day', 'category', 'tea', 'rate', 30),
    ('week', 'shop', '(all)', 'undefined_factors', 110), ('week', 'shop', '(no customer)', 'unidentified_orders', 40),
    ('week', 'source', 'search', 'volume', 150), ('week', 'customer_kind', 'new', 'volume', 150),
    ('week', 'category', 'tea', 'volume', 150)
) as t (comparison, dimension, dimension_value, effect, amount);
-- The last two days. The paid amount of 2026-03-10 is unusual; the 9th is a promotion's that was not before.
create table marts.fct_kpi_anomalies as
select shop_id, business_date, k.kpi, value::decimal(18, 6) as value,
    if(is_odd, 20, null)::decimal(18, 6) as expected_value,
    if(is_odd, 60, null)::decimal(18, 6) as deviation, if(is_odd, 51.9, null)::decimal(18, 6) as allowed_deviation,
    is_odd as is_anomaly, business_date = date '2026-03-09' as is_promotion,
    case
        when is_odd then 'weekday' when business_date = date '2026-03-09' then 'no_baseline' else 'too_few_days'
    end as basis
from (
    select shop_id, business_date, unnest([
        {'kpi': 'visitors', 'value': visitors::double}, {'kpi': 'buyers_paid', 'value': buyers_paid},
        {'kpi': 'orders_paid', 'value': orders_paid}, {'kpi': 'paid_amount', 'value': paid_amount},
        {'kpi': 'refunded_amount', 'value': refunded_amount}, {'kpi': 'conversion_rate', 'value': 0.1},
        {'kpi': 'amount_per_buyer', 'value': paid_amount}
    ], recursive := true)
    from marts.agg_shop_kpis__by_day where business_date > date '2026-03-08'
) as k cross join lateral (select k.kpi = 'paid_amount' and business_date = date '2026-03-10' as is_odd) as o;
-- Paid orders of which the buyer is known: all but o5.
create table marts.agg_customer_coverage__by_day as
select
    shop_id, business_date, orders_paid,
    orders_paid - (business_date = date '2026-03-09')::int as orders_with_customer, 0 as status_contrary_count
from marts.agg_shop_kpis__by_day;
create table marts.mart_columns as select * from (values
    ('marts', 'dim_customers', 'customer_key', 'VARCHAR', false)
) as t (table_schema, table_name, column_name, column_type, is_personal);
"""

_PLATFORMS = """
-- wanxiangtai tells 2026-03-09 by campaign (c1), again by keyword (c1, and c2 that the other report lacks), and again
-- by item, which names no campaign; google_ads tells 2026-03-10 by keyword only.
create table marts.fct_ad_spend__by_day as
select 'shop' as shop_id, day::date as business_date, ad_key, channel, report_level, campaign_id,
    null::varchar as campaign_name, shown as impression_count, clicks as click_count,
    cast(cost as decimal(18, 2)) as cost_amount, is_in_total
from (values
    ('2026-03-09', 'a1', 'wanxiangtai', 'campaign', 'c1', 100, 10, 5.00, true),
    ('2026-03-09', 'a2', 'wanxiangtai', 'keyword', 'c1', 60, 6, 3.00, false),
    ('2026-03-09', 'a5', 'wanxiangtai', 'keyword', 'c2', 10, 1, 1.00, true),
    ('2026-03-09', 'a3', 'wanxiangtai', 'item', null, 110, 11, 6.00, false),
    ('2026-03-10', 'a4', 'google_ads', 'keyword', 'c1', 0, 0, 0.00, true)
) as t (day, ad_key, channel, report_level, campaign_id, shown, clicks, cost, is_in_total);
-- Of o1 both lines were settled; o9 was never exported as an order.
create table marts.fct_affiliate_orders as
select 'shop' as shop_id, order_id, line_id, cast(commission as decimal(18, 2)) as commission_amount,
    cast(fee as decimal(18, 2)) as service_fee_amount, cast(commission + fee as decimal(18, 2)) as cost_amount,
    settled::date as settled_date
from (values
    ('o1', 'l1', 6.00, 0.60, '2026-02-01'), ('o1', 'l2', 3.50, 0, '2026-03-10'), ('o9', 'l1', 1.00, 0.10, '2026-03-10')
) as t (order_id, line_id, commission, fee, settled);
create table marts.fct_traffic_sources__by_day as
select 'shop' as shop_id, day::date as business_date, traffic_source_key, platform, source_level_1, source_level_2,
    null::varchar as source_level_3, null::varchar as source_level_4, visitors as visitor_count
from (values
    ('2026-03-09', 't1', 'sycm', '经营优势', '搜索', 7), ('2026-03-10', 't1', 'sycm', '经营优势', '搜索', 9),
    -- A shop that writes its own figures may call a source what it likes.
    ('2026-03-10', 't2', 'generic', '汇总', null, 12)
) as t (day, traffic_source_key, platform, source_level_1, source_level_2, visitors);
-- 生意参谋 counts i2 on both days; of the shop it sees three visitors more than we do, and tells no views.
create table marts.fct_item_traffic__by_day as
select 'shop' as shop_id, day::date as business_date, 'i2' as item_id, visitors as visitor_count,
    buyers as buyers_paid_count
from (values ('2026-03-09', 6, 0), ('2026-03-10', 8, 1)) as t (day, visitors, buyers);
create table marts.agg_shop_kpis__reconciled as
select 'shop' as shop_id, date '2026-03-10' as business_date, measure, ours::decimal(18, 2) as our_value,
    theirs::decimal(18, 2) as platform_value, (ours - theirs)::decimal(18, 2) as difference
from (values ('visitors', 10, 13), ('views', 20, null), ('paid_amount', 80, 80)) as t (measure, ours, theirs);
-- An excluded order of 5.00 is theirs only; they miss as much of what is ours.
create table marts.agg_kpi_gaps__by_day as
select 'shop' as shop_id, date '2026-03-10' as business_date, 'paid_amount' as measure, reason,
    amount::decimal(18, 2) as amount
from (values ('excluded_orders', 5), ('postage', 0), ('unexplained', -5)) as t (reason, amount);
"""

SCRIPTS = (
    _CATALOGUES, FUNNEL_CATALOGUE, _PEOPLE_AND_THINGS, _ORDERS, _TRAFFIC, FUNNEL_MARTS, _CLASSES, SEGMENTS, MARTS,
    _REPORTS, _PLATFORMS, STAGES, VALUE, ATTRIBUTION, ITEMS, OUTCOMES,
)  # fmt: skip


def build(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the world in an empty connection."""
    for script in SCRIPTS:
        connection.execute(script)
