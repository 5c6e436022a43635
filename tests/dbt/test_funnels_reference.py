"""Every mart of funnels equals a brute-force recomputation, row by row, on hostile random shops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import funnels_reference as reference
import pytest
from funnels_reference import Funnel
from marts_runner import Warehouse, assert_same
from marts_world import Tables, as_of, make_world, without

D = date(2024, 5, 17)
ALL_GRAINS = ("person", "person_item", "session")
DEFAULT = reference.catalogue()
# Events that could serve two steps; the same type in a row; a funnel that starts with an order; one step only; an event
# of two types; other windows.
ADDED = {
    "twice": Funnel([{"view", "cart"}, {"cart", "view", "favourite"}, {"cart"}], ALL_GRAINS),
    "thrice": Funnel([{"view"}, {"cart"}, {"view"}, {"view", "order_paid"}, {"order_paid", "view"}], ALL_GRAINS, 3),
    "orders_first": Funnel([{"order_placed", "order_paid"}, {"order_paid", "order_placed"}, {"view"}], ("person",), 20),
    "content_twice": Funnel([{"view", "content_view"}, {"content_view"}, {"coupon_order_paid", "view"}], ALL_GRAINS),
    "looks": Funnel([{"view"}], ("session",), 1),
}
STEPS = "attempts, conversion_rate, step_rate, is_complete"


@dataclass(frozen=True)
class Case:
    """A built warehouse and what it was built from."""

    warehouse: Warehouse
    tables: Tables
    funnels: dict[str, Funnel]
    most_values: int = 30


def build_defaults(folder: Path) -> Case:
    """The catalogue as it is; the data tests of the project run, too."""
    warehouse, tables = Warehouse(folder), as_of(make_world(1, D), D)
    warehouse.build(tables, tests=True)
    return Case(warehouse, tables, DEFAULT)


def build_added(folder: Path) -> Case:
    """Rows in the seeds are new funnels, and nothing else is needed; few values of a dimension are told apart."""
    warehouse, tables = Warehouse(folder), as_of(make_world(2, D), D)
    warehouse.seed(D)
    for name, funnel in ADDED.items():
        grains = "|".join(funnel.grains)
        warehouse.execute(
            f"insert into reference.funnels values ('{name}', 'n', 'n', 'd', 'o', '{grains}', {funnel.window_days})"
        )
        for n, types in enumerate(funnel.steps, 1):
            warehouse.execute(
                f"insert into reference.funnel_steps values ('{name}', {n}, 's{n}', '{'|'.join(sorted(types))}')"
            )
    warehouse.build(tables, tests=True, funnel_dimension_values=2)
    return Case(warehouse, tables, DEFAULT | ADDED, most_values=2)


@pytest.fixture(scope="module", params=[build_defaults, build_added], ids=["defaults", "added"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return request.param(tmp_path_factory.mktemp("funnels"))


def test_attempts_equal_the_recomputation(case: Case) -> None:
    columns = (
        "funnel_id, grain, person_id, item_id, session_id, start_date, started_at, source, device, category_id,"
        " max_step, is_complete"
    )
    ours = case.warehouse.keyed(columns, 6, "marts.fct_funnel_attempts")
    found = reference.attempts(case.tables, case.funnels)
    expected = {
        key: (one.started_at, one.source, one.device, one.category_id, one.max_step, one.is_complete)
        for key, one in found.items()
        if key[5] > D - timedelta(days=90)
    }
    # Every funnel is tried at every grain, and gone through to its end at one at least: the world is hostile enough.
    assert {key[:2] for key in found} == {(name, grain) for name, own in case.funnels.items() for grain in own.grains}
    gone_through = {key[0] for key, one in found.items() if one.max_step == len(case.funnels[key[0]].steps)}
    assert gone_through == set(case.funnels)
    assert any(key[1] == "session" and key[5] != one.started_at.date() for key, one in found.items())
    assert_same(ours, expected, "attempts")


def test_seconds_between_steps_equal_the_recomputation(case: Case) -> None:
    columns = "funnel_id, grain, person_id, item_id, session_id, start_date, step_seconds"
    ours = case.warehouse.keyed(columns, 6, "intermediate.int_funnel_attempts")
    expected = {key: one.seconds for key, one in reference.attempts(case.tables, case.funnels).items()}
    assert_same({key: tuple(own[0] or ()) for key, own in ours.items()}, expected, "seconds")


def test_steps_by_source_are_dense_and_equal_the_recomputation(case: Case) -> None:
    columns = f"funnel_id, grain, start_date, source, step, {STEPS}"
    ours = case.warehouse.keyed(columns, 5, "marts.agg_funnel_steps__by_day_source")
    assert_same(ours, reference.steps_by_day(case.tables, case.funnels, "source"), "steps by source")


@pytest.mark.parametrize(("dimension", "field"), [("device", "device"), ("category", "category_id")])
def test_steps_by_dimension_are_dense_and_equal_the_recomputation(case: Case, dimension: str, field: str) -> None:
    columns = f"funnel_id, grain, start_date, dimension_value, step, {STEPS}"
    relation = f"marts.agg_funnel_steps__by_day_dimension where dimension = '{dimension}'"
    ours = case.warehouse.keyed(columns, 5, relation)
    assert_same(ours, reference.steps_by_day(case.tables, case.funnels, field, case.most_values), dimension)


def test_step_times_are_dense_and_equal_the_recomputation(case: Case) -> None:
    columns = "funnel_id, grain, start_date, step, reached_attempts, median_seconds, p90_seconds, is_complete"
    ours = case.warehouse.keyed(columns, 4, "marts.agg_funnel_step_times__by_day")
    assert_same(ours, reference.step_times(case.tables, case.funnels), "step times")


def test_steps_by_segment_equal_the_recomputation(case: Case) -> None:
    members: dict[str, set[str]] = {}
    for segment, customer in case.warehouse.rows(
        "select segment_id, customer_key from marts.fct_segment_memberships where exited_on is null"
    ):
        members.setdefault(segment, set()).add(customer)
    columns = "funnel_id, grain, segment_id, step, attempts, conversion_rate, step_rate"
    ours = case.warehouse.keyed(columns, 4, "marts.agg_funnel_steps__by_segment")
    assert len(members) > 10
    assert_same(ours, reference.steps_by_segment(case.tables, case.funnels, members), "steps by segment")


def test_abandoned_carts_equal_the_recomputation_and_the_segment(case: Case) -> None:
    columns = "person_id, item_id, customer_key, cart_count, first_carted_at, carted_at, due_at"
    ours = case.warehouse.keyed(columns, 2, "marts.fct_abandoned_carts")
    assert_same(ours, reference.abandoned_carts(case.tables), "abandoned carts")
    assert {own[0] for own in ours.values()} - {None} == members_of(case.warehouse, "cart_abandoners")
    assert any(own[0] is None for own in ours.values()), "no visitor's cart: the world is too tame"


def test_unpaid_orders_equal_the_recomputation_and_the_segment(case: Case) -> None:
    ours = case.warehouse.keyed(
        "order_id, item_id, customer_key, quantity, ordered_at, due_at", 2, "marts.fct_unpaid_orders"
    )
    assert_same(ours, reference.unpaid_orders(case.tables), "unpaid orders")
    assert {own[0] for own in ours.values()} == members_of(case.warehouse, "unpaid_order")
    assert any(order["status_code"] and order["ordered_date"] > D - timedelta(days=7) for order in case.tables.orders)


def members_of(warehouse: Warehouse, segment: str) -> set[str]:
    """The customers inside a segment."""
    found = warehouse.rows(
        f"select customer_key from marts.fct_segment_memberships where segment_id = '{segment}' and exited_on is null"
    )
    assert found, segment
    return {customer for (customer,) in found}


def test_a_shop_without_orders_has_zeros_in_the_funnels_of_orders(tmp_path: Path) -> None:
    tables, warehouse = without(as_of(make_world(3, D), D), "orders"), Warehouse(tmp_path)
    warehouse.build(tables)
    columns = f"funnel_id, grain, start_date, source, step, {STEPS}"
    ours = warehouse.keyed(columns, 5, "marts.agg_funnel_steps__by_day_source")
    assert {key[0] for key in ours} == set(DEFAULT)
    assert {row[0] for key, row in ours.items() if key[0] in ("presale", "coupon")} == {0}
    assert_same(ours, reference.steps_by_day(tables, DEFAULT, "source"), "steps")
    assert warehouse.rows("select count(*) from marts.fct_unpaid_orders") == [(0,)]


def test_a_shop_without_traffic_has_the_days_of_its_orders_only(tmp_path: Path) -> None:
    tables, warehouse = without(as_of(make_world(3, D), D), "traffic_events"), Warehouse(tmp_path)
    warehouse.build(tables)
    columns = f"funnel_id, grain, start_date, source, step, {STEPS}"
    ours = warehouse.keyed(columns, 5, "marts.agg_funnel_steps__by_day_source")
    assert {key[0] for key in ours} == {"presale", "coupon"}
    assert_same(ours, reference.steps_by_day(tables, DEFAULT, "source"), "steps")
    assert warehouse.rows("select count(*) from marts.fct_abandoned_carts") == [(0,)]
