"""What came of audiences, recomputed one person at a time, and how often chance alone would be taken for an effect.

The models' own SQL, compiled by dbt, runs over tables that are made here: exposures, deals and the ledger of batches.
"""

from __future__ import annotations

import math
import random
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from raw_shop import RawShop, Warehouse, run_dbt
from scipy.stats import binomtest, norm

from renqun.publish.holdouts import is_held_out, salt_of

DAY = date(2024, 3, 31)
MODELS = ("fct_audience_outcomes", "int_audience_arms", "agg_audience_lift")
WINDOW = 14
Row = dict[str, Any]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The models' SQL as of the day."""
    folder = tmp_path_factory.mktemp("outcomes")
    warehouse = Warehouse(RawShop(folder), folder / "warehouse.duckdb")
    warehouse.tell(DAY)
    run_dbt(["compile", "--select", *MODELS], warehouse, {"as_of_date": str(DAY)})
    root = Path(folder) / "dbt" / "target" / "compiled" / "renqun" / "models" / "marts" / "audiences"
    return {name: (root / f"{name}.sql").read_text(encoding="utf-8") for name in MODELS}


@pytest.fixture
def bench() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            """
            attach ':memory:' as warehouse; use warehouse;
            create schema marts; create schema intermediate; create schema ops;
            create table ops.batches (batch_id varchar, source varchar, ds date);
            insert into ops.batches values ('b', 'orders', date '2024-01-01');
            create table intermediate.int_audience_exposures (audience_id varchar, customer_key varchar,
                holdout_share decimal(9, 6), is_holdout boolean, entered_on date, exposed_on date);
            create table intermediate.int_customer_deal_days (customer_key varchar, deal_orders bigint,
                net_amount decimal(18, 2), paid_date date);
            """
        )
        yield connection


def make(bench: duckdb.DuckDBPyConnection, compiled: dict[str, str], *models: str) -> None:
    for name in models or MODELS:
        schema = "intermediate" if name.startswith("int_") else "marts"
        bench.execute(f"create or replace table {schema}.{name} as {compiled[name]}")


def insert(bench: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        columns = list(zip(*rows, strict=True))
        names = [f"c{number}" for number in range(len(columns))]
        values = ", ".join(f"unnest(?) as {name}" for name in names)
        bench.execute(f"insert into {table} select {values}", [list(column) for column in columns])


def rows_of(bench: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    cursor = bench.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


# --- by hand, one person at a time --------------------------------------------------------------------------


@dataclass(frozen=True)
class Exposure:
    audience: str
    customer: str
    share: Decimal
    is_holdout: bool
    on: date


def _world() -> tuple[list[Exposure], list[tuple[str, int, Decimal, date]]]:
    """Three months of exposures, some of them again and again, and deals around their windows' ends."""
    chance = random.Random(7)
    exposures, deals = [], []
    for number in range(260):
        customer = f"k{number}"
        for audience, share in (("a", Decimal("0.3")), ("b", Decimal("0.5")), ("c", Decimal(0))):
            for on in sorted({date(2024, 1, 1) + timedelta(days=chance.randrange(88)) for _ in range(2)}):
                planned = share if audience != "b" or on.month > 1 else Decimal(0)
                is_holdout = is_held_out([customer], salt_of("default", audience), planned)
                exposures.append(Exposure(audience, customer, planned, is_holdout, on))
                for days in (0, 1, WINDOW, WINDOW + 1):
                    if chance.random() < 0.12:
                        amount = Decimal(chance.randrange(-500, 20_000)) / 100
                        deals.append((customer, chance.randint(1, 2), amount, on + timedelta(days=days)))
    daily: dict[tuple[str, date], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for customer, orders, amount, on in deals:
        if on <= DAY:
            count, total = daily[customer, on]
            daily[customer, on] = (count + orders, total + amount)
    return exposures, [(customer, *told, on) for (customer, on), told in daily.items()]


def test_the_marts_are_what_counting_one_by_one_gives(
    bench: duckdb.DuckDBPyConnection, compiled: dict[str, str]
) -> None:
    exposures, deals = _world()
    insert(
        bench,
        "intermediate.int_audience_exposures",
        [(one.audience, one.customer, one.share, one.is_holdout, one.on, one.on) for one in exposures],
    )
    insert(bench, "intermediate.int_customer_deal_days", deals)
    make(bench, compiled)
    bought: dict[str, list[tuple[int, Decimal, date]]] = defaultdict(list)
    for customer, orders, amount, on in deals:
        bought[customer].append((orders, amount, on))

    def outcome(one: Exposure) -> tuple[int, Decimal, bool]:
        inside = [deal for deal in bought[one.customer] if 1 <= (deal[2] - one.on).days <= WINDOW]
        complete = (DAY - one.on).days >= WINDOW
        return sum(deal[0] for deal in inside), sum((deal[1] for deal in inside), Decimal(0)), complete

    found = {
        (row["audience_id"], row["customer_key"], row["exposed_on"]): (
            row["deals"], row["net_amount"], row["is_complete"],
        )
        for row in rows_of(bench, "select * from marts.fct_audience_outcomes")
    }  # fmt: skip
    assert found == {(one.audience, one.customer, one.on): outcome(one) for one in exposures}

    lift = {(row["audience_id"], row["period"]): row for row in rows_of(bench, "from marts.agg_audience_lift")}
    expected: dict[tuple[str, str], dict[str, Exposure]] = defaultdict(dict)
    for one in sorted(exposures, key=lambda each: each.on):
        if outcome(one)[2]:
            for period in ("all", f"{one.on:%Y-%m}"):
                expected[one.audience, period].setdefault(one.customer, one)
    assert lift.keys() == expected.keys()
    assert {row["verdict"] for row in lift.values()} > {"no_holdout", "none_seen"}
    for place, firsts in expected.items():
        _compare(lift[place], list(firsts.values()), outcome)


def _compare(row: Row, firsts: list[Exposure], outcome: Any) -> None:
    planned = [one for one in firsts if one.share > 0]
    measured = planned or firsts
    arms = {
        "contacted": [outcome(one) for one in measured if not one.is_holdout],
        "holdout": [outcome(one) for one in measured if one.is_holdout],
    }
    assert row["unmeasured_customers"] == len(firsts) - len(measured)
    assert row["planned_holdout_customers"] == sum(one.share for one in measured)
    ends = {}
    for name, outcomes in arms.items():
        converted = sum(deals > 0 for deals, _, _ in outcomes)
        assert (row[f"{name}_customers"], row[f"{name}_converted"]) == (len(outcomes), converted)
        assert row[f"{name}_net_amount"] == sum((amount for _, amount, _ in outcomes), Decimal(0))
        if outcomes:
            # The quantile of the project has six decimals.
            level = 2 * norm.cdf(1.959964) - 1
            interval = binomtest(converted, len(outcomes)).proportion_ci(level, method="wilson")
            ends[name] = (converted / len(outcomes), interval.low, interval.high)
    if len(ends) < 2:
        assert row["rate_difference"] is None
        assert row["average_amount_difference"] is None
        return
    (rate, low, high), (other, other_low, other_high) = ends["contacted"], ends["holdout"]
    assert row["rate_difference"] == pytest.approx(rate - other)
    assert row["rate_difference_low"] == pytest.approx(rate - other - math.hypot(rate - low, other_high - other))
    assert row["rate_difference_high"] == pytest.approx(rate - other + math.hypot(high - rate, other - other_low))
    amounts = {name: [amount for _, amount, _ in outcomes] for name, outcomes in arms.items()}
    difference = statistics.mean(amounts["contacted"]) - statistics.mean(amounts["holdout"])
    spread = sum(statistics.variance(each) / len(each) for each in amounts.values())
    reach = Decimal("1.959964") * spread.sqrt()
    cent = Decimal("0.01")
    assert abs(row["average_amount_difference"] - difference) <= cent
    assert abs(row["average_amount_difference_low"] - (difference - reach)) <= cent
    assert abs(row["average_amount_difference_high"] - (difference + reach)) <= cent
    held_out, plan = len(arms["holdout"]), sum(one.share for one in measured)
    variance = sum(one.share * (1 - one.share) for one in measured)
    assert row["sample_ratio_chi_square"] == pytest.approx(float((held_out - plan) ** 2 / variance))


# --- what every interval is like ----------------------------------------------------------------------------

ARMS = """
create or replace table intermediate.int_audience_arms (audience_id varchar, period varchar,
    contacted_customers bigint, contacted_converted bigint, contacted_cents decimal(38, 0),
    contacted_square_cents decimal(38, 0), holdout_customers bigint, holdout_converted bigint,
    holdout_cents decimal(38, 0), holdout_square_cents decimal(38, 0), unmeasured_customers bigint,
    planned_holdout decimal(18, 6), planned_variance decimal(18, 12))
"""


def test_intervals_hold_their_difference_and_know_no_side(
    bench: duckdb.DuckDBPyConnection, compiled: dict[str, str]
) -> None:
    chance = random.Random(11)
    sizes = (1, 2, 3, 29, 30, 31, 500, 10**5, 10**7)
    rows: list[tuple[Any, ...]] = []
    for number in range(1_500):
        pair = []
        for _ in range(2):
            size = chance.choice(sizes)
            converted = chance.choice((0, size, chance.randint(0, size)))
            # Amounts up to a hundred million each: squares and products with them have up to 34 of 38 digits.
            amount = chance.choice((0, 1, 10**4, 10**10)) if converted else 0
            pair.append((size, converted, converted * amount, converted * amount * amount))
        for name, (one, other) in (("x", pair), ("swapped", pair[::-1])):
            rows.append((f"{name}{number}", "all", *one, *other, 0, Decimal(one[0] + other[0]) / 2, Decimal(10**5)))
    bench.execute(ARMS)
    insert(bench, "intermediate.int_audience_arms", rows)
    make(bench, compiled, "agg_audience_lift")
    found = {row["audience_id"]: row for row in rows_of(bench, "from marts.agg_audience_lift")}
    assert len(found) == 3_000
    for number in range(1_500):
        one, other = found[f"x{number}"], found[f"swapped{number}"]
        low, high = one["rate_difference_low"], one["rate_difference_high"]
        assert -1 <= low <= one["rate_difference"] <= high <= 1
        # Who is called contacted is a matter of names.
        assert other["rate_difference_low"] == pytest.approx(-high, abs=1e-12)
        assert other["rate_difference_high"] == pytest.approx(-low, abs=1e-12)
        assert {"gain": "loss", "loss": "gain"}.get(one["verdict"], one["verdict"]) == other["verdict"]
        if one["average_amount_difference_low"] is not None:
            assert one["average_amount_difference_low"] <= one["average_amount_difference"]
            assert one["average_amount_difference"] <= one["average_amount_difference_high"]
        assert (one["average_amount_difference_low"] is None) == (
            min(one["contacted_customers"], one["holdout_customers"]) < 2
        )


# --- chance alone -------------------------------------------------------------------------------------------

CAMPAIGNS, PEOPLE, SHARE = 300, 300, Decimal("0.3")


@pytest.mark.parametrize("effect", [0.0, 0.25], ids=["A/A", "A/B"])
def test_chance_is_seldom_taken_for_an_effect_and_an_effect_seldom_for_chance(
    bench: duckdb.DuckDBPyConnection, compiled: dict[str, str], effect: float
) -> None:
    """Three hundred campaigns of three hundred people, held out by the very hash that publishing uses."""
    chance = random.Random(2024)
    on = DAY - timedelta(days=WINDOW)
    exposures, deals = [], []
    for campaign in range(CAMPAIGNS):
        audience, base = f"a{campaign}", chance.choice((0.05, 0.2, 0.5))
        salt = salt_of("default", audience)
        for person in range(PEOPLE):
            customer = f"k{campaign}-{person}"
            is_holdout = is_held_out([customer], salt, SHARE)
            exposures.append((audience, customer, SHARE, is_holdout, on, on))
            if chance.random() < base + (0 if is_holdout else effect):
                deals.append((customer, 1, Decimal(chance.randrange(100, 30_000)) / 100, on + timedelta(days=1)))
    insert(bench, "intermediate.int_audience_exposures", exposures)
    insert(bench, "intermediate.int_customer_deal_days", deals)
    make(bench, compiled)
    rows = rows_of(bench, "select * from marts.agg_audience_lift where period = 'all'")
    assert len(rows) == CAMPAIGNS
    covered = sum(row["rate_difference_low"] <= effect <= row["rate_difference_high"] for row in rows)
    # 95 in a hundred, give or take four standard deviations of three hundred draws.
    assert 0.95 * CAMPAIGNS - 4 * math.sqrt(CAMPAIGNS * 0.95 * 0.05) <= covered
    assert sum(row["is_sample_ratio_broken"] for row in rows) <= 5, "one in a thousand by chance"
    verdicts = [row["verdict"] for row in rows]
    if effect:
        assert verdicts.count("gain") >= 0.97 * CAMPAIGNS
        assert verdicts.count("loss") == 0
    else:
        assert verdicts.count("gain") + verdicts.count("loss") <= CAMPAIGNS - covered
        assert min(verdicts.count("gain"), verdicts.count("loss")) >= 1, "chance has two sides"
        amounts = [row["average_amount_difference_low"] <= 0 <= row["average_amount_difference_high"] for row in rows]
        assert sum(amounts) >= 0.95 * CAMPAIGNS - 4 * math.sqrt(CAMPAIGNS * 0.95 * 0.05)
