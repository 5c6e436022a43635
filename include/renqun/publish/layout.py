"""Which mart is published how: its key, and whether it is kept in parts."""

from __future__ import annotations

import re

PARTITIONED_MARTS = {"fct_sessions": "session_date", "fct_events": "event_date"}
"""Marts of traffic history and the date that splits them: a day that did not change is never written again."""

SOURCES_WITHOUT_PEOPLE = frozenset({"traffic_sources", "sycm_items", "sycm_shop_sources", "sycm_shop_daily"})
"""Aggregates of the platform: having them does not make a shop one whose visitors are known."""

MARTS_DATABASE = "marts.duckdb"
OPEN_SCRIPT = "open.sql"

STORAGE_VERSION = "v1.0.0"
"""The storage format of `marts.duckdb`: DuckDB 1.0 and every later one reads it."""

_KEYS: dict[str, tuple[str, ...]] = {
    "dim_customers": ("shop_id", "customer_key"),
    "customer_key_aliases": ("shop_id", "from_key", "to_key", "changed_on"),
    "identity_quarantine": ("shop_id", "identifier_key"),
    "fct_upcoming_birthdays": ("shop_id", "as_of_date", "customer_key"),
    "dim_items": ("shop_id", "item_id"),
    "dim_segments": ("shop_id", "segment_id"),
    "dim_visitors": ("shop_id", "visitor_id"),
    "fct_orders": ("shop_id", "order_id"),
    "fct_order_lines": ("shop_id", "order_id", "line_key"),
    "fct_refunds": ("shop_id", "refund_key"),
    "fct_sessions": ("shop_id", "session_id"),
    "fct_events": ("shop_id", "event_key"),
    "fct_customer_rfm": ("shop_id", "as_of_date", "customer_key"),
    "fct_customer_stages": ("shop_id", "as_of_date", "customer_key"),
    "fct_customer_stage_spells": ("shop_id", "stage_kind", "customer_key", "entered_on"),
    "agg_stage_flows__by_day": ("shop_id", "stage_kind", "as_of_date", "from_stage", "to_stage"),
    "fct_customer_tags": ("shop_id", "as_of_date", "customer_key", "tag_id"),
    "fct_customer_categories": ("shop_id", "as_of_date", "customer_key", "category_id"),
    "fct_item_repurchase": ("shop_id", "as_of_date", "item_id"),
    "fct_item_repurchase_due": ("shop_id", "as_of_date", "customer_key", "item_id"),
    "fct_segment_memberships": ("shop_id", "segment_id", "customer_key", "entered_on"),
    "agg_segment_sizes__by_day": ("shop_id", "as_of_date", "segment_id"),
    "agg_segment_overlaps": ("shop_id", "as_of_date", "segment_id", "other_segment_id"),
    "agg_segment_profiles": ("shop_id", "as_of_date", "segment_id", "feature", "feature_value"),
    "agg_segment_values": ("shop_id", "as_of_date", "segment_id"),
    "fct_funnel_attempts": (
        "shop_id",
        "funnel_id",
        "grain",
        "person_id",
        "item_id",
        "session_id",
        "start_date",
        "started_at",
    ),
    "agg_funnel_steps__by_day_source": ("shop_id", "funnel_id", "grain", "start_date", "source", "step"),
    "agg_funnel_steps__by_day_dimension": (
        "shop_id",
        "funnel_id",
        "grain",
        "start_date",
        "dimension",
        "dimension_value",
        "step",
    ),
    "agg_funnel_step_times__by_day": ("shop_id", "funnel_id", "grain", "start_date", "step"),
    "agg_funnel_steps__by_segment": ("shop_id", "as_of_date", "funnel_id", "grain", "segment_id", "step"),
    "fct_abandoned_carts": ("shop_id", "as_of_date", "person_id", "item_id"),
    "fct_unpaid_orders": ("shop_id", "as_of_date", "order_id", "item_id"),
    "agg_cohort_retention__by_month": ("shop_id", "cohort_month", "period"),
    "agg_cohort_retention__by_week": ("shop_id", "cohort_week", "period"),
    "agg_cohort_retention__by_month_dimension": ("shop_id", "dimension", "dimension_value", "cohort_month", "period"),
    "fct_customer_value": ("shop_id", "as_of_date", "customer_key"),
    "agg_value_parameters": ("shop_id", "as_of_date", "base_date", "model", "parameter"),
    "agg_value_calibration": ("shop_id", "as_of_date", "repeat_deal_days_bucket"),
    "agg_repurchase_rates__by_month": ("shop_id", "cohort_month", "within_days"),
    "fct_audience_outcomes": ("shop_id", "audience_id", "customer_key", "exposed_on"),
    "agg_audience_lift": ("shop_id", "as_of_date", "audience_id", "period"),
    "agg_shop_kpis__by_day": ("shop_id", "business_date"),
    "agg_customer_coverage__by_day": ("shop_id", "business_date"),
    "agg_shop_kpis__reconciled": ("shop_id", "business_date", "measure"),
    "agg_kpi_changes__by_period": ("shop_id", "as_of_date", "comparison"),
    "agg_kpi_change_effects": ("shop_id", "as_of_date", "comparison", "dimension", "dimension_value", "effect"),
    "fct_kpi_anomalies": ("shop_id", "business_date", "kpi"),
    "agg_kpi_gaps__by_day": ("shop_id", "business_date", "measure", "reason"),
    "fct_item_traffic__by_day": ("shop_id", "business_date", "item_id"),
    "fct_traffic_sources__by_day": ("shop_id", "business_date", "traffic_source_key"),
    "fct_ad_spend__by_day": ("shop_id", "business_date", "ad_key"),
    "fct_affiliate_orders": ("shop_id", "order_id", "line_id"),
    "fct_attribution_credits": ("shop_id", "attribution_model", "order_id", "source", "campaign"),
    "agg_attribution__by_month_source": ("shop_id", "attribution_model", "paid_month", "source"),
    "agg_markov_removal_effects": ("shop_id", "as_of_date", "source"),
    "agg_item_pairs": ("shop_id", "as_of_date", "kind", "item_id", "other_item_id"),
    "agg_item_launches__by_day": ("shop_id", "item_id", "day_number"),
}
"""Keys as DESIGN names them; the marts gate proves that they are unique. What is not listed is ordered by all
its columns."""

_WORKING_TABLE = re.compile(r".*__dbt_(tmp|backup).*")


def order_by(mart: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that put the rows of a mart into one certain order."""
    key = _KEYS.get(mart, ())
    return key if key and set(key) <= set(columns) else columns


def is_mart(table: str) -> bool:
    """Whether a relation of the schema `marts` is a mart, not a leftover of a killed dbt process."""
    return _WORKING_TABLE.fullmatch(table) is None
