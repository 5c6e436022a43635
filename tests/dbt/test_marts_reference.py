"""Every mart equals a brute-force recomputation, row by row, on hostile random shops."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import marts_reference as reference
import pytest
from marts_reference import Thresholds
from marts_runner import PROJECT, Warehouse, assert_same
from marts_world import Tables, as_of, make_world, without

D = date(2024, 5, 17)
with (PROJECT / "seeds" / "segments.csv").open(encoding="utf-8", newline="") as _stream:
    _CATALOGUE = list(csv.DictReader(_stream))
MODEL_OF = {row["segment_id"]: row["model"] for row in _CATALOGUE}
NEEDS = {row["segment_id"]: row["needs_source"] for row in _CATALOGUE}


@dataclass(frozen=True)
class Case:
    """A built warehouse and what it was built from."""

    warehouse: Warehouse
    tables: Tables
    thresholds: Thresholds


def build_defaults(folder: Path) -> Case:
    """Default thresholds and seeds; the data tests of the project run, too."""
    warehouse, tables = Warehouse(folder), as_of(make_world(1, D), D)
    warehouse.build(tables, tests=True)
    return Case(warehouse, tables, Thresholds())


def build_small_thresholds(folder: Path) -> Case:
    """Fixed RFM scores, and thresholds that a small shop reaches."""
    warehouse, tables = Warehouse(folder), as_of(make_world(2, D), D)
    warehouse.build(tables, rfm_method="fixed", repurchase_item_min_buyers=3, repurchase_cycle_min_gaps=2)
    return Case(warehouse, tables, Thresholds(3, 2, "fixed"))


@pytest.fixture(scope="module", params=[build_defaults, build_small_thresholds], ids=["defaults", "small_thresholds"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return request.param(tmp_path_factory.mktemp("marts"))


def test_rfm_equals_the_recomputation(case: Case) -> None:
    columns = "customer_key, recency_days, frequency, monetary, r_score, f_score, m_score, rfm_class"
    ours = case.warehouse.keyed(columns, 1, "marts.fct_customer_rfm")
    assert_same(ours, reference.rfm(case.tables, case.thresholds.rfm_method), "rfm")


def test_segment_members_and_their_reasons_equal_the_recomputation(case: Case) -> None:
    ours = {
        (segment, customer): json.loads(reason)
        for segment, customer, reason in case.warehouse.rows(
            "select segment_id, customer_key, reason from marts.fct_segment_memberships where exited_on is null"
        )
    }
    expected = {
        (segment, customer): reason
        for segment, members in reference.segments(case.tables, case.thresholds).items()
        for customer, reason in members.items()
    }
    assert {segment for segment, _ in expected} >= {"interest", "new_customer", "repurchase", "key_operating"}
    by_models = {key: reason for key, reason in ours.items() if MODEL_OF[key[0]] != "rules"}
    assert_same(by_models, expected, "segments")


def test_segments_of_rules_equal_the_measures(case: Case) -> None:
    # Not a proof of the measures, which have their own: the rules as somebody would write them who trusts nothing.
    for segment, condition in {
        "one_time_buyers": "deal_day_count = 1",
        "repeat_buyers": "deal_day_count >= 2",
        "high_value": "m_score = 5",
        "lapsed_high_value": "m_score >= 4 and (lifecycle_stage = 'at_risk' or lifecycle_stage = 'lost')",
        "lifecycle_prospect": "lifecycle_stage = 'prospect'",
        "cart_abandoners": "abandoned_cart_item_count > 0",
    }.items():
        ours = case.warehouse.keyed(
            "customer_key, segment_id", 1, f"marts.fct_segment_memberships where segment_id = '{segment}'"
        )
        own = case.warehouse.rows(f"select customer_key from intermediate.int_customer_measures where {condition}")
        assert set(ours) == {key for (key,) in own}, segment
    (inside,) = case.warehouse.rows("select count(distinct segment_id) from marts.fct_segment_memberships")
    assert inside[0] > 20


def test_segment_sizes_are_dense_and_equal_the_recomputation(case: Case) -> None:
    ours = case.warehouse.keyed(
        "as_of_date, segment_id, customers, entered, exited", 2, "marts.agg_segment_sizes__by_day"
    )
    ours = {key: size for key, size in ours.items() if MODEL_OF[key[1]] != "rules"}
    members = reference.segments(case.tables, case.thresholds)
    assert_same(ours, {(D, segment): (len(own), len(own), 0) for segment, own in members.items()}, "sizes")


def test_cohorts_equal_the_recomputation(case: Case) -> None:
    columns = (
        "cohort_month, period, cohort_size, retained_customers, retention_rate, net_amount, "
        "cumulative_net_amount, ltv, is_complete"
    )
    ours = case.warehouse.keyed(columns, 2, "marts.agg_cohort_retention__by_month")
    assert_same(ours, reference.cohorts(case.tables), "cohorts")


def test_repurchase_rates_equal_the_recomputation(case: Case) -> None:
    columns = "cohort_month, within_days, cohort_size, observable_customers, repurchased_customers, repurchase_rate"
    ours = case.warehouse.keyed(columns, 2, "marts.agg_repurchase_rates__by_month")
    assert_same(ours, reference.repurchase_rates(case.tables), "repurchase rates")


def read_kpis(warehouse: Warehouse) -> dict[date, dict[str, object]]:
    ours = warehouse.keyed(", ".join(["business_date", *reference.KPI_COLUMNS]), 1, "marts.agg_shop_kpis__by_day")
    return {day: dict(zip(reference.KPI_COLUMNS, row, strict=True)) for day, row in ours.items()}


def test_kpis_equal_the_recomputation(case: Case) -> None:
    assert_same(read_kpis(case.warehouse), reference.kpis(case.tables), "kpis")


@pytest.mark.parametrize("missing", ["orders", "traffic_events"])
def test_measures_are_null_when_the_shop_lacks_the_source(missing: str, tmp_path: Path) -> None:
    tables = without(as_of(make_world(3, D), D), missing)
    warehouse = Warehouse(tmp_path)
    warehouse.build(tables)
    assert_same(read_kpis(warehouse), reference.kpis(tables), "kpis")
    applicable = warehouse.keyed("segment_id, is_applicable", 1, "marts.agg_segment_sizes__by_day")
    there = {"orders", "traffic_events"} - {missing}
    assert applicable == {segment: (source in there,) for segment, source in NEEDS.items()}


def test_marts_are_empty_when_there_are_no_facts(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    nothing = replace(without(without(as_of(make_world(3, D), D), "orders"), "traffic_events"), customers=set())
    warehouse.build(nothing, tests=True)
    funnels = ("fct_funnel_attempts", "agg_funnel_steps__by_day_source", "agg_funnel_steps__by_segment")
    for mart in ("fct_customer_rfm", *funnels, "agg_cohort_retention__by_month", "agg_shop_kpis__by_day"):
        assert warehouse.rows(f"select count(*) from marts.{mart}") == [(0,)]
    assert warehouse.rows("select distinct customers, entered, exited from marts.agg_segment_sizes__by_day") == [
        (0, 0, 0)
    ]
    assert warehouse.rows("select count(*) from marts.agg_segment_profiles") == [(0,)]
    assert warehouse.rows("select max(customers) from marts.agg_segment_overlaps") == [(0,)]
