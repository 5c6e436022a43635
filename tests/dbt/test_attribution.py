"""Attribution, pairs and launches equal a brute-force recomputation; day by day equals at once, whatever changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import attribution_reference as reference
import pytest
from attribution_world import AttributionWarehouse, disturbed, with_new_items
from marts_runner import assert_same
from marts_world import Tables, as_of, make_world, without

D = date(2024, 5, 17)
# Builds skip days; between them orders move, visitors are relinked, facts become known late and events are taken back.
DAYS = [D - timedelta(days=n) for n in (9, 8, 7, 4, 0)]
SMALL: dict[str, int] = {
    "affinity_days": 15,
    "affinity_min_count": 1,
    "affinity_max_pairs_per_item": 2,
    "affinity_max_items": 3,
    "launch_min_history_days": 10,
    "markov_days": 20,
}
LARGE = SMALL | {"affinity_days": 180, "affinity_min_count": 2, "affinity_max_items": 50, "markov_days": 90}
RELATIONS = {
    "credits": (
        "attribution_model, order_id, source, campaign, touch_count, credit_amount, credit_net_amount, credit_orders,"
        " paid_date",
        4,
        "marts.fct_attribution_credits",
    ),
    "all credits": (
        "attribution_model, order_id, source, campaign, touch_count, credit_amount, credit_net_amount, credit_orders,"
        " paid_date",
        4,
        "intermediate.int_attribution_credits",
    ),
    "effects": (
        "source, visits, paths, converting_paths, removal_effect, removal_share",
        1,
        "marts.agg_markov_removal_effects",
    ),
    "months": (
        "attribution_model, paid_month, source, basis, orders, paid_amount, net_amount, new_customers, cost_amount,"
        " roas, cac, payback_months",
        3,
        "marts.agg_attribution__by_month_source",
    ),
    "pairs": (
        "kind, item_id, other_item_id, support_count, item_count, other_item_count, basket_count, support, confidence,"
        " lift, pair_rank",
        3,
        "marts.agg_item_pairs",
    ),
    "launches": (
        "item_id, day_number, views, visitors, cart_visitors, buyers, quantity, paid_amount, cumulative_paid_amount,"
        " is_complete, launch_date, business_date",
        2,
        "marts.agg_item_launches__by_day",
    ),
}
Snapshot = dict[str, dict[Any, Any]]


def expected(tables: Tables, thresholds: dict[str, int]) -> Snapshot:
    effects = reference.removal_effects(tables, thresholds["markov_days"])
    credits, start = reference.credits(tables, effects), reference.first_visit(tables)
    kept = {k: v for k, v in credits.items() if start and max(start, tables.as_of - timedelta(days=89)) <= v[4]}
    return {
        "credits": kept,
        "all credits": {key: value for key, value in credits.items() if key[0] != "markov"},
        "effects": reference.removal_rows(tables, thresholds["markov_days"]),
        "months": reference.by_month(tables, credits),
        "pairs": reference.pairs(
            tables,
            *(thresholds[f"affinity_{name}"] for name in ("days", "min_count", "max_pairs_per_item", "max_items")),
        ),
        "launches": reference.launches(tables, thresholds["launch_min_history_days"]),
    }


def observed(warehouse: AttributionWarehouse) -> Snapshot:
    return {what: warehouse.keyed(*relation) for what, relation in RELATIONS.items()}


@dataclass
class History:
    """The builds of DAYS one after another, then the last again, then as a full refresh; and what they should be."""

    days: list[Snapshot]
    expected: list[Snapshot]
    again: Snapshot
    full_refresh: Snapshot


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    warehouse = AttributionWarehouse(tmp_path_factory.mktemp("attribution"))
    world = make_world(21, D, event_days=45)
    states = [
        disturbed(with_new_items(as_of(world, day), DAYS[0] - timedelta(days=8)), n) for n, day in enumerate(DAYS)
    ]
    snapshots = []
    for before, now in zip([None, *states], states, strict=False):
        warehouse.build(now, before, tests=now is states[-1], **SMALL)
        snapshots.append(observed(warehouse))
    warehouse.build(states[-1], states[-2], **SMALL)
    again = observed(warehouse)
    warehouse.build(states[-1], states[-2], "--full-refresh", **SMALL)
    return History(snapshots, [expected(now, SMALL) for now in states], again, observed(warehouse))


@pytest.mark.parametrize("what", RELATIONS)
@pytest.mark.parametrize("index", range(len(DAYS)), ids=[str(day) for day in DAYS])
def test_marts_equal_the_recomputation_after_every_build(history: History, index: int, what: str) -> None:
    assert_same(history.days[index][what], history.expected[index][what], what)


@pytest.mark.parametrize("what", RELATIONS)
def test_nothing_changes_when_a_day_is_built_again_or_all_at_once(history: History, what: str) -> None:
    assert_same(history.again[what], history.days[-1][what], what)
    assert_same(history.full_refresh[what], history.days[-1][what], what)


def test_the_world_is_hostile_enough(history: History) -> None:
    credits = history.expected[-1]["credits"]
    several = {key[1] for key, own in credits.items() if key[0] == "linear" and own[3] < 1}
    assert len(several) > 50, "too few orders have several sources"
    assert {key[2] for key in credits} >= {"(no touch)", "(unknown)", "ads"}
    assert any(own[2] < 0 for own in credits.values()), "no order gave back more than it paid"
    months = history.expected[-1]["months"]
    assert {own[0] for own in months.values()} == {"touches", "platform_aggregate"}
    assert any(own[8] is not None for own in months.values()), "nothing was paid back"
    assert any(own[5] and own[0] == "touches" and own[8] is None for own in months.values()), "everything was paid back"
    assert {key[0] for key in history.expected[-1]["pairs"]} == {"bought", "viewed"}
    launches = history.expected[-1]["launches"]
    assert len(launches) >= 60
    assert {own[7] for own in launches.values()} == {True, False}


def test_credits_of_an_order_are_what_it_paid(history: History) -> None:
    sums: dict[tuple[str, str], list[Any]] = {}
    for (model, order, *_), own in history.days[-1]["credits"].items():
        row = sums.setdefault((model, order), [0, 0, 0])
        for n in range(3):
            row[n] += own[n + 1]
    by_order: dict[str, set[tuple[Any, ...]]] = {}
    for (_, order), row in sums.items():
        by_order.setdefault(order, set()).add(tuple(row))
    assert by_order
    assert all(len(found) == 1 for found in by_order.values()), "models give different amounts away"
    assert {next(iter(found))[2] for found in by_order.values()} == {1}


def test_marts_equal_the_recomputation_with_the_projects_windows(tmp_path: Path) -> None:
    tables = with_new_items(as_of(make_world(22, D, event_days=60), D), D - timedelta(days=12))
    warehouse = AttributionWarehouse(tmp_path)
    warehouse.build(tables, **LARGE)
    ours = observed(warehouse)
    for what, rows in expected(tables, LARGE).items():
        assert_same(ours[what], rows, what)


@pytest.mark.parametrize("missing", ["orders", "traffic_events"])
def test_what_the_shop_does_not_export_is_empty_or_null(missing: str, tmp_path: Path) -> None:
    tables = without(with_new_items(as_of(make_world(22, D), D), D - timedelta(days=12)), missing)
    warehouse = AttributionWarehouse(tmp_path)
    warehouse.build(tables, tests=True, **LARGE)
    ours, theirs = observed(warehouse), expected(tables, LARGE)
    empty = {what for what, rows in theirs.items() if not rows}
    assert empty == ({"credits", "all credits"} if missing == "orders" else {"credits", "effects"})
    for what, rows in theirs.items():
        if rows:
            assert_same(ours[what], rows, what)
        else:
            assert ours[what] == {}, what
    if missing == "traffic_events":
        assert {own[0] for own in ours["months"].values()} == {"platform_aggregate"}


def test_marts_are_empty_when_there_are_no_facts(tmp_path: Path) -> None:
    nothing = without(without(as_of(make_world(23, D), D), "orders"), "traffic_events")
    warehouse = AttributionWarehouse(tmp_path)
    warehouse.build(nothing, tests=True)
    assert [what for what, rows in observed(warehouse).items() if rows] == ["months"]  # what platforms claim
