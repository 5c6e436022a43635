"""One fault for every critical check on the marts: what is done to good data, and which other checks it implies.

Implied are only checks that the fault must break by logic: an order that is missing from one table is missing from
every total over that table.
"""

from __future__ import annotations

import attribution_faults
import outcomes_faults
import stages_faults
import value_faults
from funnels_faults import FUNNELS_FAULTS
from segments_faults import SEGMENTS_FAULTS

FAULTS: dict[str, tuple[str, set[str]]] = SEGMENTS_FAULTS | FUNNELS_FAULTS | {
    # -- customers, items, visitors ------------------------------------------------------------------------------
    "dim_customers-key_present": (
        "insert into marts.dim_customers values ('shop', null, ['m4'], 1, null, false, null, null)", set()),
    "dim_customers-key_unique": (
        "insert into marts.dim_customers values ('shop', 'c1', ['m4'], 1, null, false, null, null)", set()),
    "dim_customers-identified": (
        "update marts.dim_customers set order_count = 0 where customer_key = 'c1'", set()),
    "dim_customers-ids_of_one_person": (
        "update marts.dim_customers set customer_ids = ['m1', 'm2'] where customer_key = 'c1'", set()),
    "dim_customers-of_this_shop": (
        "update marts.dim_customers set shop_id = 'other' where customer_key = 'c1'", set()),
    "customer_key_aliases-key_unique": (
        "insert into marts.customer_key_aliases values ('shop', 'c0', 'c1', 'split', '2026-03-09')", set()),
    "customer_key_aliases-changes_a_key": (
        "update marts.customer_key_aliases set from_key = 'c1'", set()),
    "customer_key_aliases-nothing_after_as_of": (
        "update marts.customer_key_aliases set changed_on = '2026-03-11'", set()),
    "identity_quarantine-key_unique": (
        "insert into marts.identity_quarantine from marts.identity_quarantine", set()),
    "identity_quarantine-names_nobody": (
        "update marts.identity_quarantine set identifier_key = 'c3'", set()),
    "identity_quarantine-nothing_after_as_of": (
        "update marts.identity_quarantine set quarantined_since = '2026-03-11'", set()),
    "dim_items-id_present": ("insert into marts.dim_items values ('shop', null)", set()),
    "dim_items-id_unique": ("insert into marts.dim_items values ('shop', 'i1')", set()),
    "dim_visitors-id_unique": ("insert into marts.dim_visitors values ('shop', 'v2', 'c1')", set()),
    "dim_visitors-customers_known": (
        "update marts.dim_visitors set customer_key = 'stranger' where visitor_id = 'v9'", set()),
    # -- orders --------------------------------------------------------------------------------------------------
    "fct_orders-key_unique": (
        # An unpaid order: its copy changes no total.
        "insert into marts.fct_orders from marts.fct_orders where order_id = 'o4'", set()),
    "fct_orders-key_present": (
        "update marts.fct_orders set order_id = null where order_id = 'o4'",
        {"fct_orders-lines_counted", "fct_order_lines-orders_known", "fct_unpaid_orders-orders_conserved"}),
    "fct_orders-of_this_shop": ("update marts.fct_orders set shop_id = null where order_id = 'o4'", set()),
    "fct_orders-customers_known": (
        "update marts.fct_orders set customer_key = 'stranger' where order_id = 'o4'",
        {"fct_unpaid_orders-orders_conserved"}),
    "fct_orders-nothing_after_as_of": (
        "update marts.fct_orders set ordered_date = '2026-03-11' where order_id = 'o4'", set()),
    "fct_orders-lines_and_rest_are_whole": (
        "update marts.fct_orders set unallocated_amount = 4.99 where order_id = 'o1'", set()),
    "fct_orders-refunds_are_whole": (
        "update marts.fct_refunds set line_key = 'l2' where refund_key = 'r2';"
        "update marts.fct_refunds set order_id = 'o1' where refund_key = 'r2'",
        {"fct_order_lines-refunds_are_whole"}),
    "fct_orders-net_is_paid_less_refunded": (
        # The same money on another order of the day: totals stand.
        "update marts.fct_orders set net_amount = net_amount + 1 where order_id = 'o5';"
        "update marts.fct_orders set net_amount = net_amount - 1 where order_id = 'o6'",
        {"fct_attribution_credits-orders_are_whole"}),
    "fct_orders-paid_has_a_date": (
        "update marts.fct_orders set is_paid = true where order_id = 'o4'",
        {"fct_orders-deal_is_paid_and_kept", "agg_shop_kpis__by_day-sales_conserved",
         "agg_customer_coverage__by_day-orders_conserved", "fct_unpaid_orders-orders_conserved"}),
    "fct_orders-deal_is_paid_and_kept": (
        # An order without a buyer: no customer's figure depends on it.
        "update marts.fct_orders set is_deal = false where order_id = 'o5'",
        {"agg_item_pairs-bought_baskets_conserved"}),
    "fct_orders-over_refunded_flagged": (
        "update marts.fct_orders set is_over_refunded = null where order_id = 'o1'", set()),
    "fct_orders-lines_counted": ("update marts.fct_orders set line_count = 3 where order_id = 'o1'", set()),
    "fct_orders-customer_coverage_critical": (
        "update run.vars set customer_coverage_rate_critical = 0.81, customer_coverage_rate_warning = 0", set()),
    # -- lines and refunds ---------------------------------------------------------------------------------------
    "fct_order_lines-key_unique": (
        "insert into marts.fct_order_lines from marts.fct_order_lines where order_id = 'o4'",
        {"fct_orders-lines_counted"}),
    "fct_order_lines-orders_known": (
        "insert into marts.fct_order_lines values ('shop', 'o9', 'l1', 'i1', 1, 1, 0, 1)", set()),
    "fct_order_lines-items_known": (
        "update marts.fct_order_lines set item_id = 'i9' where order_id = 'o4'", set()),
    "fct_order_lines-quantity_not_negative": (
        "update marts.fct_order_lines set quantity = -1 where order_id = 'o4'", set()),
    "fct_order_lines-net_is_paid_less_refunded": (
        "update marts.fct_order_lines set net_amount = 59.99 where order_id = 'o1' and line_key = 'l1'", set()),
    "fct_order_lines-refunds_are_whole": (
        "update marts.fct_order_lines set refunded_amount = 19, net_amount = 31 where order_id = 'o2'", set()),
    "fct_refunds-key_unique": ("update marts.fct_refunds set refund_key = 'r1'", set()),
    "fct_refunds-orders_known": (
        "update marts.fct_refunds set order_id = 'o9' where refund_key = 'r2'",
        {"fct_orders-refunds_are_whole", "fct_order_lines-refunds_are_whole"}),
    "fct_refunds-amount_positive": (
        "insert into marts.fct_refunds values ('shop', 'r3', 'o1', 'l1', 0, '2026-02-12')", set()),
    "fct_refunds-nothing_after_as_of": (
        "update marts.fct_refunds set refunded_date = '2026-03-11' where refund_key = 'r2'",
        {"agg_shop_kpis__by_day-refunds_conserved"}),
    # -- traffic -------------------------------------------------------------------------------------------------
    "fct_events-key_unique": ("insert into marts.fct_events from marts.fct_events where event_key = 'e1'", set()),
    "fct_events-visitor_id_present": (
        "update marts.fct_events set visitor_id = null where event_key = 'e1'", set()),
    "fct_events-nothing_after_as_of": (
        "update marts.fct_events set event_date = '2026-03-11' where event_key = 'e3'", set()),
    "fct_sessions-key_unique": (
        "update marts.fct_sessions set session_id = 's1'", {"fct_funnel_attempts-sessions_known"}),
    "fct_sessions-has_events": ("update marts.fct_sessions set event_count = 0 where session_id = 's1'", set()),
    "fct_sessions-ends_after_it_starts": (
        "update marts.fct_sessions set ended_at = started_at - interval 1 second where session_id = 's2'", set()),
    "fct_sessions-nothing_after_as_of": (
        "update marts.fct_sessions set session_date = '2026-03-11' where session_id = 's2'", set()),
    # -- customers' classes --------------------------------------------------------------------------------------
    "fct_customer_rfm-key_unique": (
        # A third row of c2, without deals or money.
        "insert into marts.fct_customer_rfm values"
        " ('shop', '2026-03-10', 'c2', 0, 0, 0, 5, 1, 1, 'key_develop')",
        {"agg_segment_values-classes_bring_the_deals"}),
    "fct_customer_rfm-as_of_is_the_runs": (
        "update marts.fct_customer_rfm set as_of_date = '2026-03-09' where customer_key = 'c1'", set()),
    "fct_customer_rfm-customers_known": (
        "update marts.fct_customer_rfm set customer_key = 'stranger' where customer_key = 'c1'",
        {"fct_segment_memberships-classes_are_the_base"}),
    "fct_customer_rfm-scores_in_range": (
        "update marts.fct_customer_rfm set f_score = 6 where customer_key = 'c1'", set()),
    "fct_customer_rfm-class_known": (
        "update marts.fct_customer_rfm set rfm_class = null where customer_key = 'c1'",
        {"fct_segment_memberships-classes_are_the_base"}),
    "fct_customer_rfm-deals_conserved": (
        "update marts.fct_customer_rfm set frequency = 3 where customer_key = 'c1'", set()),
    # -- cohorts -------------------------------------------------------------------------------------------------
    "agg_repurchase_rates__by_month-key_unique": (
        "insert into marts.agg_repurchase_rates__by_month from marts.agg_repurchase_rates__by_month"
        " where cohort_month = '2026-01-01' and within_days = 30", set()),
    "agg_repurchase_rates__by_month-parts_of_the_whole": (
        "update marts.agg_repurchase_rates__by_month set repurchased_customers = 1 where cohort_month = '2026-03-01'",
        set()),
    "agg_repurchase_rates__by_month-same_cohorts_as_retention": (
        "delete from marts.agg_repurchase_rates__by_month where cohort_month = '2026-03-01' and within_days = 60",
        set()),
    # -- key figures ---------------------------------------------------------------------------------------------
    "agg_shop_kpis__by_day-key_unique": (
        "insert into marts.agg_shop_kpis__by_day from marts.agg_shop_kpis__by_day"
        " where business_date = '2026-02-01'", set()),
    "agg_shop_kpis__by_day-every_day_to_as_of": (
        "delete from marts.agg_shop_kpis__by_day where business_date = '2026-02-01'", set()),
    "agg_shop_kpis__by_day-new_and_returning_are_all": (
        "update marts.agg_shop_kpis__by_day set new_buyers_lifetime = 0 where business_date = '2026-03-10'", set()),
    "agg_shop_kpis__by_day-sales_conserved": (
        "update marts.agg_shop_kpis__by_day set paid_amount = 99.99 where business_date = '2026-01-05'", set()),
    "agg_shop_kpis__by_day-refunds_conserved": (
        "update marts.agg_shop_kpis__by_day set refunded_amount = 0 where business_date = '2026-02-12'", set()),
    "agg_shop_kpis__by_day-absent_is_not_zero": (
        "update marts.agg_shop_kpis__by_day set visitors = null where business_date = '2026-02-12'", set()),
    "agg_kpi_changes__by_period-every_comparison_once": (
        "insert into marts.agg_kpi_changes__by_period"
        " select * replace ('year' as comparison, null as change_amount, null as paid_amount_previous,"
        " date '2025-03-10' as previous_start_date) from marts.agg_kpi_changes__by_period where comparison = 'day'",
        set()),
    "agg_kpi_changes__by_period-sales_conserved": (
        # A cent more on both sides: the change stands.
        "update marts.agg_kpi_changes__by_period set paid_amount_current = 80.01, paid_amount_previous = 70.01"
        " where comparison = 'day'", set()),
    "agg_kpi_changes__by_period-change_is_told": (
        "update marts.agg_kpi_changes__by_period set change_amount = 10.01 where comparison = 'day';"
        "update marts.agg_kpi_change_effects set amount = amount + 0.01"
        " where comparison = 'day' and effect in ('amount_per_buyer', 'rate')", set()),
    "agg_kpi_changes__by_period-people_counted_once": (
        # The visitors of seven days, added up, and one more.
        "update marts.agg_kpi_changes__by_period set visitors_current = 71 where comparison = 'week'", set()),
    "agg_kpi_change_effects-key_unique": (
        "insert into marts.agg_kpi_change_effects"
        " select * replace (0 as amount) from marts.agg_kpi_change_effects where effect = 'undefined_factors'", set()),
    "agg_kpi_change_effects-add_up_to_the_change": (
        # The orders of nobody are forgotten in one dimension.
        "delete from marts.agg_kpi_change_effects"
        " where dimension = 'source' and effect = 'unidentified_orders'", set()),
    "fct_kpi_anomalies-key_unique": (
        "insert into marts.fct_kpi_anomalies from marts.fct_kpi_anomalies"
        " where business_date = '2026-03-09' and kpi = 'visitors'", set()),
    "fct_kpi_anomalies-every_figure_every_day": (
        "delete from marts.fct_kpi_anomalies where business_date = '2026-03-09' and kpi = 'visitors'", set()),
    "fct_kpi_anomalies-values_are_the_shops": (
        "update marts.fct_kpi_anomalies set value = 11 where business_date = '2026-03-09' and kpi = 'visitors'", set()),
    "fct_kpi_anomalies-verdict_follows": (
        "update marts.fct_kpi_anomalies set is_anomaly = false where is_anomaly", set()),
    # -- of how many orders the buyer is known -------------------------------------------------------------------
    "agg_customer_coverage__by_day-key_unique": (
        "insert into marts.agg_customer_coverage__by_day from marts.agg_customer_coverage__by_day"
        " where business_date = '2026-02-01'", set()),
    "agg_customer_coverage__by_day-orders_conserved": (
        # One order more without a buyer; that day lies before the four weeks that the share is told of.
        "update marts.agg_customer_coverage__by_day set orders_paid = 2 where business_date = '2026-01-05'", set()),
    "agg_customer_coverage__by_day-recent_critical": (
        # Twenty orders more, as a share is told from: of 23 paid, the buyers of 2 are known.
        "update marts.agg_customer_coverage__by_day set orders_paid = orders_paid + 20"
        " where business_date = '2026-03-10'",
        {"agg_customer_coverage__by_day-orders_conserved", "agg_customer_coverage__by_day-recent_warning"}),
    # -- what platforms tell -------------------------------------------------------------------------------------
    "fct_ad_spend__by_day-key_unique": (
        "insert into marts.fct_ad_spend__by_day from marts.fct_ad_spend__by_day where ad_key = 'a2'", set()),
    "fct_ad_spend__by_day-nothing_after_as_of": (
        "update marts.fct_ad_spend__by_day set business_date = '2026-03-11' where ad_key = 'a4'", set()),
    "fct_ad_spend__by_day-one_report_in_the_total": (
        # The keywords' cost is added to the campaign's, which holds it already.
        "update marts.fct_ad_spend__by_day set is_in_total = true where ad_key = 'a2'",
        {"agg_attribution__by_month_source-cost_conserved"}),
    "fct_ad_spend__by_day-some_report_in_the_total": (
        "update marts.fct_ad_spend__by_day set is_in_total = false where ad_key = 'a4'", set()),
    "fct_ad_spend__by_day-shop_or_campaigns": (
        # The items' cost is added to the campaigns', which hold it already.
        "update marts.fct_ad_spend__by_day set is_in_total = true where ad_key = 'a3'",
        {"agg_attribution__by_month_source-cost_conserved"}),
    "fct_affiliate_orders-key_unique": (
        "insert into marts.fct_affiliate_orders from marts.fct_affiliate_orders where order_id = 'o9'", set()),
    "fct_affiliate_orders-nothing_after_as_of": (
        "update marts.fct_affiliate_orders set settled_date = '2026-03-11' where order_id = 'o9'", set()),
    "fct_affiliate_orders-cost_is_its_parts": (
        "update marts.fct_affiliate_orders set cost_amount = null where order_id = 'o9'", set()),
    "fct_traffic_sources__by_day-key_unique": (
        "insert into marts.fct_traffic_sources__by_day from marts.fct_traffic_sources__by_day"
        " where platform = 'generic'", set()),
    "fct_traffic_sources__by_day-nothing_after_as_of": (
        "update marts.fct_traffic_sources__by_day set business_date = null where platform = 'generic'", set()),
    "fct_traffic_sources__by_day-no_roll_ups": (
        "update marts.fct_traffic_sources__by_day set source_level_2 = '汇总'"
        " where platform = 'sycm' and business_date = '2026-03-09'", set()),
    "fct_item_traffic__by_day-key_unique": (
        "insert into marts.fct_item_traffic__by_day from marts.fct_item_traffic__by_day"
        " where business_date = '2026-03-09'", set()),
    "fct_item_traffic__by_day-nothing_after_as_of": (
        "update marts.fct_item_traffic__by_day set business_date = '2026-03-11' where business_date = '2026-03-10'",
        set()),
    "fct_item_traffic__by_day-items_known": (
        "update marts.fct_item_traffic__by_day set item_id = 'i9' where business_date = '2026-03-09'", set()),
    "agg_shop_kpis__reconciled-key_unique": (
        "insert into marts.agg_shop_kpis__reconciled from marts.agg_shop_kpis__reconciled where measure = 'views'",
        set()),
    "agg_shop_kpis__reconciled-nothing_after_as_of": (
        "update marts.agg_shop_kpis__reconciled set business_date = '2026-03-11' where measure = 'views'", set()),
    "agg_shop_kpis__reconciled-difference_is_told": (
        "update marts.agg_shop_kpis__reconciled set difference = 0 where measure = 'views'", set()),
    "agg_shop_kpis__reconciled-ours_are_the_shops": (
        "update marts.agg_shop_kpis__reconciled set our_value = 79, difference = -1 where measure = 'paid_amount'",
        {"agg_kpi_gaps__by_day-ours_and_reasons_are_theirs"}),
    "agg_kpi_gaps__by_day-key_unique": (
        "insert into marts.agg_kpi_gaps__by_day from marts.agg_kpi_gaps__by_day where reason = 'postage'", set()),
    "agg_kpi_gaps__by_day-ours_and_reasons_are_theirs": (
        # A cent is explained that the two do not differ by.
        "update marts.agg_kpi_gaps__by_day set amount = 5.01 where reason = 'excluded_orders'", set()),
    "mart_columns-no_personal_data": (
        "insert into marts.mart_columns values ('marts', 'dim_customers', 'phone', 'VARCHAR', true)", set()),
} | stages_faults.FAULTS | value_faults.FAULTS | attribution_faults.FAULTS | outcomes_faults.FAULTS  # fmt: skip

WARNINGS: dict[str, str] = {
    "agg_audience_lift-sample_ratio_as_planned": (
        "update marts.agg_audience_lift set is_sample_ratio_broken = true, verdict = 'sample_ratio_broken'"),
    "agg_customer_coverage__by_day-pay_times_are_told": (
        "update marts.agg_customer_coverage__by_day set status_contrary_count = 4 where business_date = '2026-03-10'"),
    "fct_ad_spend__by_day-cost_not_negative": (
        "update marts.fct_ad_spend__by_day set cost_amount = -1 where ad_key = 'a2'"),
    "fct_item_traffic__by_day-buyers_were_visitors": (
        "update marts.fct_item_traffic__by_day set buyers_paid_count = 9 where business_date = '2026-03-10'"),
    "agg_value_calibration-predictions_are_near": (
        "update marts.agg_value_calibration set actual_purchases = 100, predicted_purchases = 49"),
    "fct_ad_spend__by_day-clicks_were_shown": (
        "update marts.fct_ad_spend__by_day set click_count = 101 where ad_key = 'a1'"),
}  # fmt: skip
"""What the marts of platforms' figures only report."""
