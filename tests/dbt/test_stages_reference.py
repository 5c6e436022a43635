"""Stages, tags, categories and measures equal a brute-force recomputation, whatever the order of rows."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
import stages_reference as reference
from marts_reference import Thresholds
from marts_runner import Warehouse, assert_same
from marts_world import Tables, World, as_of, make_world, without

D = date(2024, 5, 17)
STAGES = (
    "customer_key, aipl_stage, lifecycle_stage, is_churn_risk, shop_gap_median_days, shop_gap_p90_days, "
    "own_gap_median_days"
)
TAGS = "customer_key, tag_id, matching_line_count, judged_line_count, score"
CATEGORIES = "customer_key, category_id, view_count, favourite_count, cart_count, deal_line_count, weight, share"
OWN = ("fct_customer_stages", "fct_customer_tags", "fct_customer_categories", "fct_item_repurchase")


@dataclass(frozen=True)
class Case:
    """A built warehouse and what it was built from."""

    warehouse: Warehouse
    tables: Tables
    thresholds: Thresholds
    min_gaps: int


def build(folder: Path, seed: int, thresholds: Thresholds, min_gaps: int) -> Case:
    warehouse, tables = Warehouse(folder), as_of(make_world(seed, D, event_days=60), D)
    warehouse.build(
        tables,
        tests=True,
        rfm_method=thresholds.rfm_method,
        repurchase_item_min_buyers=thresholds.item_min_buyers,
        repurchase_cycle_min_gaps=thresholds.cycle_min_gaps,
        lifecycle_min_gaps=min_gaps,
    )
    return Case(warehouse, tables, thresholds, min_gaps)


@pytest.fixture(scope="module", params=["defaults", "own_gaps_too_few"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("stages")
    if request.param == "defaults":
        return build(folder, 11, Thresholds(), 100)
    return build(folder, 12, Thresholds(3, 2, "fixed"), 10**6)


def test_stages_equal_the_recomputation(case: Case) -> None:
    ours = case.warehouse.keyed(STAGES, 1, "marts.fct_customer_stages")
    expected = reference.stages(case.tables, case.min_gaps)
    assert {own[0] for own in expected.values()} >= {"loyalty", "purchase", "interest"}
    assert {own[1] for own in expected.values()} >= {"prospect", "new", "active", "cooling", "at_risk"}
    assert_same(ours, expected, "stages")


def test_tags_equal_the_recomputation(case: Case) -> None:
    expected = reference.tags(case.tables)
    assert {tag for _, tag in expected} == {"price_sensitive", "quality_seeker", "trend_follower"}
    assert_same(case.warehouse.keyed(TAGS, 2, "marts.fct_customer_tags"), expected, "tags")


def test_categories_equal_the_recomputation(case: Case) -> None:
    ours = case.warehouse.keyed(CATEGORIES, 2, "marts.fct_customer_categories")
    assert_same(ours, reference.categories(case.tables), "categories")


def test_measures_equal_the_recomputation(case: Case) -> None:
    expected = reference.measures(case.tables, case.thresholds)
    names = list(next(iter(expected.values())))
    for name in names:
        assert len({str(own[name]) for own in expected.values()}) > 1, f"{name}: the world does not vary it"
    ours = case.warehouse.keyed(", ".join(["customer_key", *names]), 1, "intermediate.int_customer_measures")
    assert_same(ours, {key: tuple(own[name] for name in names) for key, own in expected.items()}, "measures")


def test_nothing_depends_on_the_order_of_rows(case: Case, tmp_path: Path) -> None:
    shuffled = replace(
        case.tables,
        **{name: random.Random(5).sample(own, len(own)) for name in ("events", "orders", "lines")
           for own in [getattr(case.tables, name)]},
    )  # fmt: skip
    warehouse = Warehouse(tmp_path)
    warehouse.build(
        shuffled,
        rfm_method=case.thresholds.rfm_method,
        repurchase_item_min_buyers=case.thresholds.item_min_buyers,
        repurchase_cycle_min_gaps=case.thresholds.cycle_min_gaps,
        lifecycle_min_gaps=case.min_gaps,
    )
    for mart in (*(f"marts.{name}" for name in OWN), "marts.fct_customer_rfm", "intermediate.int_customer_measures"):
        rows = [one.rows(f"select * from {mart} order by all") for one in (case.warehouse, warehouse)]
        assert rows[0], f"{mart}: nothing to compare"
        assert rows[0] == rows[1], mart


@pytest.mark.parametrize("missing", ["orders", "traffic_events"])
def test_a_shop_without_a_source_has_measures_all_the_same(missing: str, tmp_path: Path) -> None:
    tables = without(as_of(make_world(13, D), D), missing)
    warehouse = Warehouse(tmp_path)
    warehouse.build(tables, tests=True)
    expected = reference.stages(tables)
    assert_same(warehouse.keyed(STAGES, 1, "marts.fct_customer_stages"), expected, "stages")
    assert warehouse.rows("select count(*) from intermediate.int_customer_measures") == [(len(expected),)]


def test_a_shop_where_everybody_bought_once_has_no_repurchase(tmp_path: Path) -> None:
    world = make_world(14, D)
    first: dict[str | None, object] = {}
    once = [order for order in world.orders if first.setdefault(order.customer_key, order) is order]
    tables = as_of(World(world.events, [replace(order, refunds=()) for order in once]), D)
    warehouse = Warehouse(tmp_path)
    warehouse.build(tables, tests=True, repurchase_item_min_buyers=1)
    counts = "select count(*) > 3, max(repeat_buyers), bool_or(is_rate_high) from marts.fct_item_repurchase"
    assert warehouse.rows(counts) == [(True, 0, False)]
    assert warehouse.rows("select count(*) from marts.fct_item_repurchase_due") == [(0,)]
    assert_same(warehouse.keyed(STAGES, 1, "marts.fct_customer_stages"), reference.stages(tables), "stages")


def test_a_shop_with_one_customer_is_built(tmp_path: Path) -> None:
    world = make_world(15, D)
    orders = [order for order in world.orders if order.order_id == "edge3" or order.customer_key is None]
    tables = as_of(World([], orders), D)
    warehouse = Warehouse(tmp_path)
    warehouse.build(tables, tests=True)
    assert len(tables.customers) == 1
    assert warehouse.rows("select r_score, f_score, m_score from marts.fct_customer_rfm") == [(1, 1, 1)]
    assert warehouse.rows("select aipl_stage, lifecycle_stage from marts.fct_customer_stages") == [("purchase", "new")]
