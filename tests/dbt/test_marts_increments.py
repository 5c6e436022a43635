"""Day by day, with late facts and relinked visitors, equals all at once; spells and sizes remember."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import funnels_reference
import marts_reference as reference
import pytest
import stages_reference
from marts_reference import Thresholds
from marts_runner import Warehouse, assert_same
from marts_world import Tables, as_of, make_world

FIRST = date(2024, 5, 8)
# Builds skip days; between them facts become known late, and visitors are linked, unlinked or linked anew.
DAYS = [FIRST + timedelta(days=n) for n in (0, 1, 2, 5, 9)]
FUNNELS = funnels_reference.catalogue()
STEPS = "funnel_id, grain, start_date, source, step, attempts, conversion_rate, step_rate, is_complete"
CATEGORIES = "funnel_id, grain, start_date, dimension_value, step, attempts, conversion_rate, step_rate, is_complete"
TIMES = "funnel_id, grain, start_date, step, reached_attempts, median_seconds, p90_seconds, is_complete"
ATTEMPTS = (
    "funnel_id, grain, person_id, item_id, session_id, start_date, started_at, source, device, category_id, max_step,"
    " step_seconds"
)
SPELLS = "segment_id, customer_key, entered_on, exited_on, reason, entered_reason, exited_reason"
SIZES = "as_of_date, segment_id, customers, entered, exited, is_applicable"
STAGE_SPELLS = "stage_kind, customer_key, entered_on, stage, exited_on"
FLOWS = "stage_kind, as_of_date, from_stage, to_stage, customers, previous_as_of_date"
CHANGES = "comparison, dimension, dimension_value, effect, amount"
ANOMALIES = "business_date, kpi, basis, value, expected_value, allowed_deviation, top_dimension_value, top_contribution"
# So few that the models of value are fitted in a small world.
ANY_VALUE = {"value_min_customers": 20, "value_min_repeaters": 5}
KPIS = "business_date, visitors, views, cart_visitors, favourite_visitors"


@dataclass
class Snapshot:
    """What one build left in the marts."""

    tables: Tables
    attempts: dict[Any, Any]
    steps: dict[Any, Any]
    categories: dict[Any, Any]
    times: dict[Any, Any]
    spells: dict[Any, Any]
    sizes: dict[Any, Any]
    stage_spells: dict[Any, Any]
    flows: dict[Any, Any]
    traffic: dict[Any, Any]
    changes: dict[Any, Any]
    anomalies: dict[Any, Any]
    cohorts: dict[Any, Any]
    value: dict[Any, Any]
    parameters: dict[Any, Any]


def snapshot(warehouse: Warehouse, tables: Tables) -> Snapshot:
    return Snapshot(
        tables,
        warehouse.keyed(ATTEMPTS, 6, "intermediate.int_funnel_attempts"),
        warehouse.keyed(STEPS, 5, "marts.agg_funnel_steps__by_day_source"),
        warehouse.keyed(CATEGORIES, 5, "marts.agg_funnel_steps__by_day_dimension where dimension = 'category'"),
        warehouse.keyed(TIMES, 4, "marts.agg_funnel_step_times__by_day"),
        warehouse.keyed(SPELLS, 3, "marts.fct_segment_memberships"),
        warehouse.keyed(SIZES, 2, "marts.agg_segment_sizes__by_day"),
        warehouse.keyed(STAGE_SPELLS, 3, "marts.fct_customer_stage_spells"),
        warehouse.keyed(FLOWS, 4, "marts.agg_stage_flows__by_day"),
        warehouse.keyed(KPIS, 1, "marts.agg_shop_kpis__by_day"),
        warehouse.keyed(CHANGES, 4, "marts.agg_kpi_change_effects"),
        warehouse.keyed(ANOMALIES, 2, "marts.fct_kpi_anomalies"),
        warehouse.keyed("* exclude (shop_id)", 4, "marts.agg_cohort_retention__by_month_dimension"),
        warehouse.keyed("* exclude (shop_id)", 2, "marts.fct_customer_value"),
        warehouse.keyed(
            "base_age_days, model, parameter, * exclude (base_age_days, model, parameter)",
            3,
            "intermediate.int_value_parameters where reason = ''",
        ),
    )


@dataclass
class History:
    """The builds of DAYS one after another; then the last again, then the last as a full refresh."""

    days: list[Snapshot]
    again: Snapshot
    full_refresh: Snapshot


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    warehouse, world = Warehouse(tmp_path_factory.mktemp("increments")), make_world(7, DAYS[-1], event_days=60)
    states = [as_of(world, day) for day in DAYS]
    snapshots = []
    for before, now in zip([None, *states], states, strict=False):
        warehouse.build(now, before, tests=now is states[-1], **ANY_VALUE)
        snapshots.append(snapshot(warehouse, now))
    warehouse.build(states[-1], states[-2], **ANY_VALUE)
    again = snapshot(warehouse, states[-1])
    warehouse.build(states[-1], states[-2], "--full-refresh", **ANY_VALUE)
    return History(snapshots, again, snapshot(warehouse, states[-1]))


def test_the_world_is_hostile_enough(history: History) -> None:
    """Without late events, relinked and unlinked visitors the tests below would prove nothing."""
    links = [{v: row["customer_key"] for v, row in day.tables.visitors.items()} for day in history.days]
    assert any(before.get(v) and not now[v] for before, now in itertools.pairwise(links) for v in now)
    assert any(v in before and not before[v] and now[v] for before, now in itertools.pairwise(links) for v in now)
    late = [
        event for event in history.days[1].tables.events if event["known_on"] > event["event_date"] + timedelta(days=2)
    ]
    assert late


@pytest.mark.parametrize("index", range(len(DAYS)), ids=[str(day) for day in DAYS])
def test_funnels_equal_the_recomputation_after_every_build(history: History, index: int) -> None:
    day = history.days[index]
    expected = {
        key: (one.started_at, one.source, one.device, one.category_id, one.max_step, list(one.seconds) or None)
        for key, one in funnels_reference.attempts(day.tables, FUNNELS).items()
    }
    assert_same(day.attempts, expected, "attempts")
    assert_same(day.steps, funnels_reference.steps_by_day(day.tables, FUNNELS, "source"), "steps")
    assert_same(day.categories, funnels_reference.steps_by_day(day.tables, FUNNELS, "category_id"), "categories")
    assert_same(day.times, funnels_reference.step_times(day.tables, FUNNELS), "times")


@pytest.mark.parametrize("index", range(len(DAYS)), ids=[str(day) for day in DAYS])
def test_traffic_by_day_equals_the_recomputation_after_every_build(history: History, index: int) -> None:
    expected = reference.kpis(history.days[index].tables)
    columns = KPIS.split(", ")[1:]
    assert_same(
        history.days[index].traffic, {d: tuple(row[c] for c in columns) for d, row in expected.items()}, "traffic"
    )


@pytest.mark.parametrize("index", range(len(DAYS)), ids=[str(day) for day in DAYS])
def test_spells_follow_the_members_from_build_to_build(history: History, index: int) -> None:
    # Given the members as of every built date, the spells follow by definition: in from the first built date inside
    # until the first built date outside.
    spells: dict[tuple[str, str], list[list[date | None]]] = {}
    for day in history.days[: index + 1]:
        members = {(s, c) for s, own in reference.segments(day.tables, Thresholds()).items() for c in own}
        for key, own in spells.items():
            if own[-1][1] is None and key not in members:
                own[-1][1] = day.tables.as_of
        for key in members:
            if key not in spells or spells[key][-1][1] is not None:
                spells.setdefault(key, []).append([day.tables.as_of, None])
    expected = {(*key, spell[0]): spell[1] for key, own in spells.items() for spell in own}
    known = set(reference.segments(history.days[index].tables, Thresholds()))
    ours = {key: own[0] for key, own in history.days[index].spells.items() if key[0] in known}
    assert_same(ours, expected, "spells")
    assert index == 0 or any(exited for exited in expected.values())


def test_a_closed_spell_tells_why_it_began_and_an_open_one_why_it_lasts(history: History) -> None:
    reasons = {day.tables.as_of: day.spells for day in history.days}
    for key, (exited_on, reason, entered_reason, exited_reason) in history.days[-1].spells.items():
        assert entered_reason == reasons[key[2]][key][1]  # the reason of the build on which the spell began
        if exited_on:
            assert reason == entered_reason
        assert (exited_reason is not None) == (exited_on is not None)


def test_sizes_add_up_from_build_to_build(history: History) -> None:
    sizes = history.days[-1].sizes
    for before, now in itertools.pairwise(DAYS):
        for segment in {key[1] for key in sizes}:
            inside, entered, exited, _ = sizes[now, segment]
            assert inside == sizes[before, segment][0] + entered - exited
    assert {key[0] for key in sizes} == set(DAYS)


def test_flows_and_stage_spells_follow_the_stages_from_build_to_build(history: History) -> None:
    # Given everybody's stages as of every built date, both follow by definition.
    flows: Counter[tuple[Any, ...]] = Counter()
    spells: dict[tuple[Any, ...], list[Any]] = {}
    places: dict[tuple[str, str], tuple[str, date]] = {}
    for day in history.days:
        today, then = day.tables.as_of, places
        stages = stages_reference.stages(day.tables)
        now = {
            (kind, key): own[n] for key, own in stages.items() for n, kind in enumerate(("aipl", "lifecycle")) if own[n]
        }
        for key in then.keys() | now.keys():
            before = then[key][0] if key in then else None
            flows[key[0], today, before or "(new)", now.get(key, "(lost)")] += 1
            if before != now.get(key):
                if before:
                    spells[(*key, then[key][1])][1] = today
                if key in now:
                    spells[(*key, today)] = [now[key], None]
        places = {key: then[key] if key in then and then[key][0] == own else (own, today) for key, own in now.items()}
    previous = dict(zip(DAYS, [None, *DAYS], strict=False))
    assert any(key[2] not in ("(new)", key[3]) for key in flows)
    assert any(key[3] == "(lost)" for key in flows), "nobody is lost: the world is too tame"
    assert_same(history.days[-1].flows, {key: (n, previous[key[1]]) for key, n in flows.items()}, "flows")
    assert_same(history.days[-1].stage_spells, {key: tuple(own) for key, own in spells.items()}, "stage spells")


SAME: dict[str, Callable[[Snapshot], dict[Any, Any]]] = {
    "attempts": lambda s: s.attempts,
    "steps": lambda s: s.steps,
    "categories": lambda s: s.categories,
    "times": lambda s: s.times,
    "spells": lambda s: s.spells,
    "sizes": lambda s: s.sizes,
    "stage_spells": lambda s: s.stage_spells,
    "flows": lambda s: s.flows,
    "traffic": lambda s: s.traffic,
    "changes": lambda s: s.changes,
    "anomalies": lambda s: s.anomalies,
    "cohorts": lambda s: s.cohorts,
    "value": lambda s: s.value,
    "parameters": lambda s: s.parameters,
}


@pytest.mark.parametrize("what", SAME)
def test_nothing_changes_when_a_day_is_built_again(history: History, what: str) -> None:
    assert_same(SAME[what](history.again), SAME[what](history.days[-1]), what)


@pytest.mark.parametrize("what", SAME)
def test_nothing_changes_in_a_full_refresh(history: History, what: str) -> None:
    assert_same(SAME[what](history.full_refresh), SAME[what](history.days[-1]), what)
