"""Nine days of real behaviour from a marketplace app, with facts that an independent pass over the sample counts."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from convert import TAOBAO_FIRST_DAY, TAOBAO_LAST_DAY, TAOBAO_SHOP, constructed_price, convert_taobao, taobao_lines
from workbench import Workbench

pytestmark = [pytest.mark.e2e, pytest.mark.real_data]

CHINA = timezone(timedelta(hours=8))
WEEK_SECONDS = 7 * 24 * 3600

# A buy is an order that is placed and paid at once: it serves both steps.
REACHED_IN_CLICKHOUSE = """
    with events as (select * from file('{file}', CSVWithNames, 'person UInt32, scope String, type String, at UInt64')),
    attempts as (
        select person, scope, toDate(toDateTime(at, 'Asia/Shanghai'), 'Asia/Shanghai') as day, min(at) as started_at
        from events where type = 'pv' group by person, scope, day
    ),
    reached as (
        select person, scope, day, windowFunnel({window})(
            at, type = 'pv', type in ('cart', 'fav'), type = 'buy', type = 'buy'
        ) as step
        from attempts inner join events using (person, scope)
        where at >= started_at and at <= started_at + {window}
        group by person, scope, day
    )
    select toString(day), step, count() from reached group by all
"""


@pytest.fixture(scope="module")
def lines(taobao_sample: Path) -> list[list[str]]:
    """The whole lines of the sample."""
    return [fields for fields in taobao_lines(taobao_sample) if len(fields) == 5]


@pytest.fixture(scope="module")
def bench(taobao_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """The nine days in one range run."""
    bench = Workbench(tmp_path_factory.mktemp("taobao") / "home")
    bench.shops(TAOBAO_SHOP)
    convert_taobao(taobao_sample, bench.shop() / "landing")
    bench.done("run", "--from", TAOBAO_FIRST_DAY, "--to", TAOBAO_LAST_DAY)
    return bench


def day_of(epoch: str) -> str:
    return f"{datetime.fromtimestamp(int(epoch), CHINA):%Y-%m-%d}"


def test_events_are_those_of_the_sample_by_type_and_day(bench: Workbench, lines: list[list[str]]) -> None:
    names = {"pv": "view", "cart": "cart", "fav": "favourite"}
    expected = Counter((names[line[3]], day_of(line[4])) for line in lines if line[3] != "buy")
    counted = bench.json(
        "sql", "select event_type, event_date::varchar as day, count(*) as events from fct_events group by all"
    )
    assert {(row["event_type"], row["day"]): row["events"] for row in counted} == expected


def test_visitors_of_every_day_are_distinct_people(bench: Workbench, lines: list[list[str]]) -> None:
    people = {(day_of(line[4]), line[0]) for line in lines if line[3] != "buy"}
    expected = Counter(day for day, _ in people)
    with bench.marts() as marts:
        rows = marts.execute("select business_date::varchar, visitors from agg_shop_kpis__by_day").fetchall()
    assert {day: visitors for day, visitors in rows if visitors} == expected
    # The 35 stray timestamps begin on 2017-09-11: every day from there to the last has its row.
    assert len(rows) == 84


def test_only_the_cut_off_line_is_in_quarantine(bench: Workbench, lines: list[list[str]]) -> None:
    batches = bench.json("batches", "list")
    assert sum(batch["rows_read"] for batch in batches) == len(lines) + 1 == 84_476
    reasons = Counter(
        reason for batch in batches for reason, n in batch["quarantine_reasons"].items() for _ in range(n)
    )
    assert sum(reasons.values()) == 1
    assert next(iter(reasons)).startswith("ragged_row")


def test_buys_are_orders_at_the_constructed_price(bench: Workbench, lines: list[list[str]]) -> None:
    buys = [line for line in lines if line[3] == "buy"]
    # Prices end in .90: tenths are whole numbers.
    tenths = sum(round(float(constructed_price(line[1])) * 10) for line in buys)
    with bench.marts() as marts:
        row = marts.execute(
            "select count(*), round(sum(paid_amount) * 10)::bigint, count(distinct customer_key) from fct_orders"
        ).fetchone()
    assert row == (len(buys), tenths, len({line[0] for line in buys}))


def test_people_interested_by_hand_are_the_interest_segment(bench: Workbench, lines: list[list[str]]) -> None:
    last = datetime.fromisoformat(TAOBAO_LAST_DAY).date()
    bought: dict[tuple[str, str], int] = {}
    for user, item, _, behaviour, epoch in lines:
        if behaviour == "buy":
            bought[user, item] = max(bought.get((user, item), 0), int(epoch))
    inside = {
        user
        for user, item, _, behaviour, epoch in lines
        if behaviour in {"cart", "fav"}
        and 3 <= (last - datetime.fromtimestamp(int(epoch), CHINA).date()).days <= 10
        and bought.get((user, item), -1) < int(epoch)
    }
    with bench.marts() as marts:
        members = marts.execute(
            "select unnest(customer_ids) from fct_segment_memberships join dim_customers using (customer_key)"
            " where segment_id = 'interest' and exited_on is null"
        ).fetchall()
    assert {row[0] for row in members} == inside
    assert len(inside) > 100


def test_every_published_audience_verifies(bench: Workbench) -> None:
    pointers = sorted((bench.shop() / "published" / "audiences").glob("*/latest.json"))
    assert {pointer.parent.name for pointer in pointers} >= {"interest", "new_customer", "champions"}
    for pointer in pointers:
        bench.done("verify", str(pointer))


@pytest.mark.parametrize(("grain", "enough"), [("person", 4_000), ("person_item", 30_000)])
def test_attempts_reach_the_steps_that_clickhouse_finds(
    grain: str, enough: int, bench: Workbench, lines: list[list[str]], tmp_path: Path
) -> None:
    # ClickHouse reads the sample's own lines, not our tables; it is there where requirements-bench.lock is installed.
    chdb = pytest.importorskip("chdb", reason="bash include/setup/environment.sh requirements-bench.lock")
    file = tmp_path / "events.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("person", "scope", "type", "at"))
        for user, item, _, behaviour, epoch in lines:
            writer.writerow((user, item if grain == "person_item" else "", behaviour, epoch))
    found = str(chdb.query(REACHED_IN_CLICKHOUSE.format(file=file, window=WEEK_SECONDS), "JSONCompactEachRow"))
    rows = [json.loads(line) for line in found.splitlines()]
    theirs = {(day, int(step)): int(attempts) for day, step, attempts in rows}
    with bench.marts() as marts:
        counted = marts.execute(
            "select start_date::varchar, max_step, count(*) from fct_funnel_attempts"
            " where funnel_id = 'purchase' and grain = $grain group by all",
            {"grain": grain},
        ).fetchall()
    ours = {(day, step): attempts for day, step, attempts in counted}
    assert sum(ours.values()) > enough
    assert ours == theirs
