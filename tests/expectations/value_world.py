"""Cohorts and value of the small shop of gates_world, as they are on 2026-03-10.

c1  paid 100 on 2026-01-05 (a Monday) and 50 on 2026-02-10, of which 20 came back two days later; came by search, began
    with category k1, follows the shop since 2026-02-10
c2  paid 80 on 2026-03-10; nobody knows where c2 came from
Thirty days before, on 2026-02-08, c1 was the only customer.
"""

from __future__ import annotations

_CELLS = """
    1 as cohort_size, retained as retained_customers, retained::double as retention_rate,
    case when is_complete then retained::double end as masked_retention_rate,
    cast(paid as decimal(18, 2)) as paid_amount, cast(back as decimal(18, 2)) as refunded_amount_by_order_date,
    cast(back as decimal(18, 2)) as refunded_amount_by_refund_date, cast(paid - back as decimal(18, 2)) as net_amount,
    case when is_complete then ltv::double end as masked_ltv, is_complete
"""

VALUE = f"""
create table marts.agg_cohort_retention__by_month as
select 'shop' as shop_id, month::date as cohort_month, period, {_CELLS}
from (values
    ('2026-01-01', 0, 1, 100, 0, 100, true), ('2026-01-01', 1, 1, 50, 20, 130, true),
    ('2026-01-01', 2, 0, 0, 0, 130, false), ('2026-03-01', 0, 1, 80, 0, 80, false)
) as t (month, period, retained, paid, back, ltv, is_complete);
create table marts.agg_cohort_retention__by_month_dimension as
select 'shop' as shop_id, b.dimension, b.dimension_value, m.* exclude (shop_id)
from marts.agg_cohort_retention__by_month as m
inner join (values
    ('first_source', 'search', date '2026-01-01'), ('first_source', '(unknown)', date '2026-03-01'),
    ('first_category', 'k1', date '2026-01-01'), ('first_category', '(unknown)', date '2026-03-01')
) as b (dimension, dimension_value, cohort_month) on m.cohort_month = b.cohort_month
union all
select 'shop', 'relationship_start', 'fan', date '2026-02-01', period, {_CELLS}
from (values (0, 1, 50, 20, 30, true), (1, 0, 0, 0, 30, false)) as t (period, retained, paid, back, ltv, is_complete);
-- c1's weeks 0 (of 5 January) to 9 (of 9 March), the second deal in week 5; c2's first week goes on.
create table marts.agg_cohort_retention__by_week as
select 'shop' as shop_id, week::date as cohort_week, period, {_CELLS}
from (
    select '2026-01-05' as week, n.period, if(n.period in (0, 5), 1, 0) as retained,
        case n.period when 0 then 100 when 5 then 50 else 0 end as paid, if(n.period = 5, 20, 0) as back,
        if(n.period < 5, 100, 130) as ltv, n.period < 9 as is_complete
    from (select unnest(range(10)) as period) as n
    union all
    select '2026-03-09', 0, 1, 80, 0, 80, false
);
create table marts.fct_customer_value as
select 'shop' as shop_id, date '2026-03-10' as as_of_date, 'bg_nbd+gamma_gamma' as model_id, customer_key,
    repeat_deal_days, cast(net as decimal(18, 2)) as net_amount, p_alive, 1.5::double as expected_purchases_90d,
    50::decimal(18, 2) as expected_value_90d
from (values ('c1', 1, 130, 0.5::double), ('c2', 0, 80, 1::double)) as t (customer_key, repeat_deal_days, net, p_alive);
create table marts.agg_value_parameters as
select 'shop' as shop_id, date '2026-03-10' as as_of_date, base.base_date, model, parameter, null::varchar as reason,
    2 as customers, 0.5::double as value, true as is_fitted
from (values
    ('bg_nbd', 'r'), ('bg_nbd', 'alpha'), ('bg_nbd', 'a'), ('bg_nbd', 'b'), ('gamma_gamma', 'p'), ('gamma_gamma', 'q'),
    ('gamma_gamma', 'v')
) as t (model, parameter), (values (date '2026-03-10'), (date '2026-02-08')) as base (base_date);
create table marts.agg_value_calibration as
select 'shop' as shop_id, date '2026-03-10' as as_of_date, '0' as repeat_deal_days_bucket,
    date '2026-02-08' as base_date, 1 as customers, 1.20::decimal(18, 2) as predicted_purchases, 1 as actual_purchases,
    60::decimal(18, 2) as predicted_value, 30::decimal(18, 2) as actual_value;
"""
