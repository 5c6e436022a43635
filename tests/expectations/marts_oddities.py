"""What looks odd in marts and is as the definitions want it: the checks of its suite must pass."""

from __future__ import annotations

ODDITIES: dict[str, tuple[str, str]] = {
    "a refund that is dated before the first event and order": (
        "agg_shop_kpis__by_day",
        "update marts.fct_refunds set refunded_date = '2026-01-04' where refund_key = 'r1';"
        "update marts.agg_shop_kpis__by_day set refunded_amount = 0 where business_date = '2026-02-12'"),
    "a refund that is dated before the first order, among visits": (
        "fct_kpi_anomalies",
        "update marts.fct_orders set ordered_date = '2026-03-10';"
        "update marts.agg_shop_kpis__by_day set refunded_amount = 5 where business_date = '2026-03-09';"
        "update marts.fct_kpi_anomalies set value = null where business_date = '2026-03-09' and kpi <> 'visitors'"),
    # Visits without a source led on to search, by which others came and bought.
    "a source of no sale that leads on to one of sales": (
        "agg_markov_removal_effects",
        "update marts.agg_markov_removal_effects set removal_effect = 0.5 where source = '(unknown)'"),
    "a line of less than nothing: a deduction that a shop writes as an item": (
        "agg_item_launches__by_day",
        "update marts.fct_order_lines set paid_amount = -80 where order_id = 'o3';"
        "update marts.agg_item_launches__by_day set paid_amount = -80, cumulative_paid_amount = -80"
        " where day_number = 2"),
}  # fmt: skip
"""Suite and SQL by what is odd."""
