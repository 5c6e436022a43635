"""Every mart equals a brute-force recomputation, row by row, on hostile random shops."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import kpis_reference
import marts_reference as reference
import pytest
import value_reference
from marts_reference import Thresholds
from marts_runner import PROJECT, Warehouse, assert_same
from marts_world import Tables, as_of, make_world, without

D = date(2024, 5, 17)
ANY_VALUE = {"value_min_customers": 20, "value_min_repeaters": 5}
CELL = (
    "period, cohort_size, retained_customers, retention_rate, masked_retention_rate, paid_amount, "
    "refunded_amount_by_order_date, refunded_amount_by_refund_date, net_amount, cumulative_net_amount, ltv, "
    "masked_ltv, is_complete"
)

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
    warehouse.seed(D)
    # Promotions that overlap, one of them shorter than its last time; the second day of the other was never before.
    for promotion, start, end in [
        ("p", "2023-05-12", "2023-05-13"), ("p", "2024-05-10", "2024-05-12"), ("q", "2024-05-01", "2024-05-10"),
        ("q", "2023-05-03", "2023-05-12"), ("r", "2024-04-05", "2024-04-05"),
    ]:  # fmt: skip
        warehouse.execute(
            f"insert into reference.promotion_calendar values ('{promotion}', '', '', '{start}', '{end}')"
        )
    warehouse.build(tables, rfm_method="fixed", repurchase_item_min_buyers=3, repurchase_cycle_min_gaps=2, **ANY_VALUE)
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


@pytest.mark.parametrize("unit", ["month", "week"])
def test_cohorts_equal_the_recomputation(case: Case, unit: str) -> None:
    columns = f"cohort_{unit}, {CELL}"
    ours = case.warehouse.keyed(columns, 2, f"marts.agg_cohort_retention__by_{unit}")
    assert_same(ours, value_reference.cohorts(case.tables, unit), "cohorts")


def test_cohorts_by_what_customers_began_with_equal_the_recomputation(case: Case) -> None:
    columns = f"dimension, dimension_value, cohort_month, {CELL}"
    ours = case.warehouse.keyed(columns, 4, "marts.agg_cohort_retention__by_month_dimension")
    assert {key[0] for key in ours} == {"first_source", "first_category", "relationship_start"}
    assert_same(ours, value_reference.dimension_cohorts(case.tables), "cohorts by dimension")


def read_parameters(case: Case, base_age: int) -> dict[str, dict[str, float]]:
    """Model → parameter → value, with all digits."""
    found: dict[str, dict[str, float]] = {}
    for model, parameter, value in case.warehouse.rows(
        "select model, parameter, value from intermediate.int_value_parameters"
        f" where base_age_days = {base_age} and reason = ''"
    ):
        found.setdefault(model, {})[parameter] = value
    return found


def test_too_few_customers_have_no_model_and_say_so(case: Case) -> None:
    told = set(case.warehouse.rows("select distinct base_date, reason, is_fitted from marts.agg_value_parameters"))
    dates = [D, D - timedelta(days=90)]
    if case.thresholds == Thresholds():
        assert {row for row in told if row[1] == "too_few_customers"} == {
            (d, "too_few_customers", False) for d in dates
        }
        assert case.warehouse.rows(
            "select count(model_id), count(expected_value_90d) from marts.fct_customer_value"
        ) == [(0, 0)]
    else:
        assert told == {(day, None, True) for day in dates}


@pytest.mark.parametrize("base_age", [0, 90])
def test_no_parameters_are_likelier_than_those_of_the_models(case: Case, base_age: int) -> None:
    histories = list(value_reference.repeats(case.tables, base_age).values())
    found = read_parameters(case, base_age)
    likelihoods = {"bg_nbd": value_reference.purchases_likelihood, "gamma_gamma": value_reference.amounts_likelihood}
    for model, parameters in found.items():
        best = likelihoods[model](histories, **parameters)
        relation = f"marts.agg_value_parameters where base_date = '{D - timedelta(days=base_age)}'"
        told = case.warehouse.keyed(
            "model, log_likelihood", 1, f"(select distinct model, log_likelihood from {relation})"
        )
        assert told[model][0] == pytest.approx(best, abs=0.002)
        for name in parameters:
            for factor in (0.95, 1.05):
                other = likelihoods[model](histories, **parameters | {name: parameters[name] * factor})
                at_the_end = not 0.0015 < parameters[name] < 900
                assert other < best + 1e-9 or at_the_end, (model, name, factor)


def test_the_value_of_customers_equals_the_recomputation(case: Case) -> None:
    ours = case.warehouse.keyed(
        "customer_key, repeat_deal_days, recency_days_from_first, customer_age_days, net_amount, average_deal_amount,"
        " p_alive, expected_purchases_90d, expected_average_amount, expected_value_90d",
        1,
        "marts.fct_customer_value",
    )
    histories = value_reference.repeats(case.tables, 0)
    average = {
        key: (own["repeat"] / own["x"]).quantize(Decimal("0.01"), ROUND_HALF_UP) if own["x"] else None
        for key, own in histories.items()
    }
    assert_same(
        {key: own[:5] for key, own in ours.items()},
        {key: (own["x"], own["t_x"], own["t"], own["net"], average[key]) for key, own in histories.items()},
        "histories",
    )
    found = read_parameters(case, 0)
    assert ("bg_nbd" in found) == (case.thresholds != Thresholds())
    for key, own in histories.items():
        if "bg_nbd" not in found:
            assert ours[key][5:] == (None, None, None, None)
            continue
        alive, purchases = value_reference.expectation(own, 90, **found["bg_nbd"])
        p, q, v = (found["gamma_gamma"][name] for name in "pqv")
        amount = p * (v + float(own["repeat"])) / (p * own["x"] + q - 1)
        assert ours[key][5] == pytest.approx(alive, abs=1e-6)
        assert ours[key][6] == pytest.approx(purchases, rel=1e-3, abs=1e-5)
        assert float(ours[key][7]) == pytest.approx(amount, abs=0.005)
        assert float(ours[key][8]) == pytest.approx(amount * ours[key][6], abs=0.006)


def test_the_calibration_equals_the_recomputation(case: Case) -> None:
    ours = case.warehouse.keyed(
        "repeat_deal_days_bucket, customers, actual_purchases, actual_value, predicted_purchases, predicted_value",
        1,
        "marts.agg_value_calibration",
    )
    histories = value_reference.repeats(case.tables, 90)
    assert sum(own[0] for own in ours.values()) == value_reference.known_customers(case.tables, 90)
    found = read_parameters(case, 90)
    expected: dict[str, list[Any]] = {}
    predicted: dict[str, float] = {}
    for own in histories.values():
        counted = expected.setdefault(value_reference.bucket(own["x"]), [0, 0, Decimal(0)])
        counted[:] = [counted[0] + 1, counted[1] + own["later_days"], counted[2] + own["later"]]
        if "bg_nbd" in found:
            key = value_reference.bucket(own["x"])
            more = value_reference.expectation(own, 90, **found["bg_nbd"])[1]
            predicted[key] = predicted.get(key, 0.0) + more
    assert_same({key: own[:3] for key, own in ours.items()}, {k: tuple(v) for k, v in expected.items()}, "calibration")
    for key, own in ours.items():
        assert (own[3] is None) == (own[4] is None) == ("bg_nbd" not in found)
        assert own[3] is None or float(own[3]) == pytest.approx(predicted[key], abs=0.02)


def test_repurchase_rates_equal_the_recomputation(case: Case) -> None:
    columns = "cohort_month, within_days, cohort_size, observable_customers, repurchased_customers, repurchase_rate"
    ours = case.warehouse.keyed(columns, 2, "marts.agg_repurchase_rates__by_month")
    assert_same(ours, reference.repurchase_rates(case.tables), "repurchase rates")


def read_kpis(warehouse: Warehouse) -> dict[date, dict[str, object]]:
    ours = warehouse.keyed(", ".join(["business_date", *reference.KPI_COLUMNS]), 1, "marts.agg_shop_kpis__by_day")
    return {day: dict(zip(reference.KPI_COLUMNS, row, strict=True)) for day, row in ours.items()}


def test_kpis_equal_the_recomputation(case: Case) -> None:
    assert_same(read_kpis(case.warehouse), reference.kpis(case.tables), "kpis")


def assert_kpis_are_explained(warehouse: Warehouse, tables: Tables) -> None:
    """What moved, the gaps to the platform and the anomalies, row by row."""
    figures = ", ".join(
        f"{name}_{period}"
        for period in ("current", "previous")
        for name in ("visitors", "buyers_paid", "paid_amount", "unidentified_amount")
    )
    ours = warehouse.keyed(f"comparison, {figures}, change_amount, is_complete", 1, "marts.agg_kpi_changes__by_period")
    assert_same(ours, kpis_reference.changes(tables), "changes")
    ours = warehouse.keyed(
        "comparison, conversion_rate_current, amount_per_buyer_current, conversion_rate_previous,"
        " amount_per_buyer_previous", 1, "marts.agg_kpi_changes__by_period"
    )  # fmt: skip
    expected = {key: kpis_reference.rates(own) for key, own in kpis_reference.changes(tables).items()}
    assert_same(ours, expected, "rates")
    effects = warehouse.keyed(
        "comparison, dimension, dimension_value, effect, amount", 4, "marts.agg_kpi_change_effects"
    )
    if tables.has_orders:
        assert_same(
            effects, {key: (amount,) for key, amount in kpis_reference.effects(tables).items()}, "change effects"
        )
    else:
        assert effects == {}
    gaps = warehouse.keyed("business_date, measure, reason, known_amount, amount", 3, "marts.agg_kpi_gaps__by_day")
    if tables.has_orders:
        assert_same(gaps, kpis_reference.gaps(tables), "gaps")
    else:
        assert gaps == {}
    promotions = warehouse.rows("select promotion_id, start_date, end_date from reference.promotion_calendar")
    ours = warehouse.keyed(
        "business_date, kpi, basis, promotion_id, value, expected_value, allowed_deviation, baseline_days, is_anomaly,"
        " top_dimension, top_dimension_value, top_contribution", 2, "marts.fct_kpi_anomalies"
    )  # fmt: skip
    assert_same(ours, kpis_reference.anomalies(tables, promotions), "anomalies")


def test_kpis_are_explained_as_recomputed(case: Case) -> None:
    assert_kpis_are_explained(case.warehouse, case.tables)
    found = {effect for _, _, _, effect in kpis_reference.effects(case.tables)}
    assert found >= {"visitors", "volume", "mix", "rate", "unidentified_orders", "unallocated"}
    reasons = {reason: own for (*_, reason), own in kpis_reference.gaps(case.tables).items() if any(own)}
    assert reasons.keys() == {"excluded_orders", "presale", "postage", "refunds", "unexplained"}
    (odd,) = case.warehouse.rows(
        "select count(distinct basis), count(distinct top_dimension) from marts.fct_kpi_anomalies"
    )
    assert odd[0] >= (2 if case.thresholds == Thresholds() else 5)
    assert odd[1] == 3, "the world is too tame: some dimension never contributed most"


@pytest.mark.parametrize("missing", ["orders", "traffic_events"])
def test_measures_are_null_when_the_shop_lacks_the_source(missing: str, tmp_path: Path) -> None:
    tables = without(as_of(make_world(3, D), D), missing)
    warehouse = Warehouse(tmp_path)
    warehouse.build(tables)
    assert_same(read_kpis(warehouse), reference.kpis(tables), "kpis")
    assert_kpis_are_explained(warehouse, tables)
    applicable = warehouse.keyed("segment_id, is_applicable", 1, "marts.agg_segment_sizes__by_day")
    there = {"orders", "traffic_events"} - {missing}
    assert applicable == {segment: (source in there,) for segment, source in NEEDS.items()}


def test_marts_are_empty_when_there_are_no_facts(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    nothing = replace(without(without(as_of(make_world(3, D), D), "orders"), "traffic_events"), customers=set())
    warehouse.build(nothing, tests=True)
    for mart in (
        "fct_customer_rfm",
        "fct_funnel_attempts",
        "agg_funnel_steps__by_day_source",
        "agg_funnel_steps__by_segment",
        "agg_cohort_retention__by_month",
        "agg_shop_kpis__by_day",
        "agg_cohort_retention__by_week",
        "agg_cohort_retention__by_month_dimension",
        "fct_customer_value",
        "agg_value_calibration",
    ):
        assert warehouse.rows(f"select count(*) from marts.{mart}") == [(0,)]
    assert warehouse.rows("select distinct customers, entered, exited from marts.agg_segment_sizes__by_day") == [
        (0, 0, 0)
    ]
    assert warehouse.rows("select count(*) from marts.agg_segment_profiles") == [(0,)]
    assert warehouse.rows("select count(*) from marts.fct_kpi_anomalies") == [(0,)]
    nothing_to_compare = "select count(*) from marts.agg_kpi_changes__by_period where not is_complete"
    assert warehouse.rows(nothing_to_compare) == [(len(kpis_reference.COMPARISONS),)]
    assert warehouse.rows("select max(customers) from marts.agg_segment_overlaps") == [(0,)]
