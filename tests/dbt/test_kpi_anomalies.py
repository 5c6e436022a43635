"""A shop with a rhythm: what was planted is found and named, a weekend and a promotion are none."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from marts_runner import Warehouse
from marts_world import ZONE_OFFSET, Event, Order, World, as_of, write_tables

D = date(2024, 11, 15)
FIRST = date(2024, 7, 1)
ADS_DAY, DIAPERS_DAY, NO_SEARCH_DAY = date(2024, 10, 3), date(2024, 10, 9), date(2024, 9, 25)
DOUBLE_11 = date(2024, 11, 11)
SNACKS, DIAPERS = "i1", "i2"


def make_shop() -> World:
    """
    A weekday has 10 visitors by search and 5 by ads, of whom 3 buy: diapers 10.00 twice, snacks 20.00 once.

    Weekends have twice as much of all, 双11 five times. Planted: 40 more visitors by ads; 13 orders of diapers and
    none of snacks; a day without visitors by search.
    """
    world = World()
    for n in range((D - FIRST).days + 1):
        day = FIRST + timedelta(days=n)
        at = datetime(day.year, day.month, day.day, 12) - ZONE_OFFSET
        times = 5 if day == DOUBLE_11 else 2 if day.weekday() >= 5 else 1
        by_search = 0 if day == NO_SEARCH_DAY else 10 * times
        by_ads = 45 if day == ADS_DAY else 5 * times
        sources = {f"ads{i}": "ads" for i in range(by_ads)} | {f"search{i}": "search" for i in range(by_search)}
        for visitor, source in sources.items():
            event = Event(day, f"{day}{visitor}", None, "view", visitor, f"c-{visitor}", SNACKS, source, at)
            world.events.append(event)
        goods = [DIAPERS] * 13 if day == DIAPERS_DAY else [DIAPERS] * 2 * times + [SNACKS] * times
        for i, item in enumerate(goods):
            cents = 1000 if item == DIAPERS else 2000
            buyer = f"c-{sorted(sources)[(i + n) % len(sources)]}"  # everybody's turn comes
            world.orders.append(Order(day, f"{day}-{i}", buyer, at, at, 0, ((item, 1, cents),), ()))
    return world


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[date, str], tuple[Any, ...]]:
    """(day, figure) -> basis, direction, top dimension, its value, whether it is an anomaly"""
    folder: Path = tmp_path_factory.mktemp("anomalies")
    warehouse = Warehouse(folder)
    warehouse.seed(D)
    write_tables(warehouse.path, as_of(make_shop(), D), None)
    warehouse.dbt(["models/marts/kpis"], ["unit_test"], D, None)
    columns = "business_date, kpi, basis, direction, top_dimension, top_dimension_value, is_anomaly"
    return warehouse.keyed(columns, 2, "marts.fct_kpi_anomalies")


def test_what_was_planted_is_found_and_its_part_is_named(judged: dict[tuple[date, str], tuple[Any, ...]]) -> None:
    found = {key: own[1:4] for key, own in judged.items() if own[-1]}
    assert found == {
        (ADS_DAY, "visitors"): ("above", "source", "ads"),
        (ADS_DAY, "conversion_rate"): ("below", None, None),  # 3 of 55, not of 15
        # 13 diapers are 110.00 more than usual, the money of returning buyers only 90.00.
        (DIAPERS_DAY, "paid_amount"): ("above", "category", "cat_diapers"),
        (DIAPERS_DAY, "orders_paid"): ("above", "customer_kind", "returning"),
        (DIAPERS_DAY, "buyers_paid"): ("above", "customer_kind", "returning"),
        (DIAPERS_DAY, "conversion_rate"): ("above", None, None),
        (NO_SEARCH_DAY, "visitors"): ("below", "source", "search"),
        (NO_SEARCH_DAY, "conversion_rate"): ("above", None, None),
    }


def test_a_weekend_is_measured_by_weekends(judged: dict[tuple[date, str], tuple[Any, ...]]) -> None:
    weekends = [own for (day, _), own in judged.items() if day.weekday() >= 5 and own[0] == "weekday"]
    assert len(weekends) > 7 * 15
    assert not any(own[-1] for own in weekends)


def test_a_promotion_is_not_measured_by_ordinary_days(judged: dict[tuple[date, str], tuple[Any, ...]]) -> None:
    # Five times the usual, and no alarm: the shop was not there at the last 双11.
    assert {judged[DOUBLE_11, kpi][0] for kpi in ("visitors", "paid_amount")} == {"no_baseline"}
    # Nor are the days after it measured by it: a week later the Mondays before the promotion are the usual ones.
    assert judged[D, "paid_amount"][0] == "weekday"
