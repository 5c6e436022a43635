"""What came of the audience `repurchase` in the small shop of gates_world, as it is on 2026-03-10.

Both came into it on 2026-02-05: c1 was contacted and paid 50 on 2026-02-10, of which 20 came back; c2, held out,
bought nothing in its two weeks. c2 came into it again on 2026-03-01 and paid 80 on 2026-03-10, while the window goes
on.
"""

from __future__ import annotations

OUTCOMES = """
create table marts.fct_audience_outcomes as
select 'shop' as shop_id, 'repurchase' as audience_id, customer_key, deals::bigint as deals,
    net::decimal(18, 2) as net_amount, 0.5::decimal(9, 6) as holdout_share, is_holdout, deals > 0 as has_converted,
    is_complete, exposed_on::date as entered_on, exposed_on::date as exposed_on, exposed_on::date + 14 as window_ends_on
from (values
    ('c1', 1, 30, false, true, '2026-02-05'), ('c2', 0, 0, true, true, '2026-02-05'),
    ('c2', 1, 80, true, false, '2026-03-01')
) as t (customer_key, deals, net, is_holdout, is_complete, exposed_on);
create table marts.agg_audience_lift as
select 'shop' as shop_id, date '2026-03-10' as as_of_date, 'repurchase' as audience_id, period, 'few' as verdict,
    1 as contacted_customers, 1 as holdout_customers, 0 as unmeasured_customers, 1.0::double as rate_difference,
    -0.1::double as rate_difference_low, 1.0::double as rate_difference_high,
    1::decimal(18, 6) as planned_holdout_customers, false as is_sample_ratio_broken
from (values ('all'), ('2026-02')) as t (period);
"""
