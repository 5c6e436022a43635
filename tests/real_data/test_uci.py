"""Ten months of a real gift shop, 305 daily files: at once, and the last five days one by one."""

from __future__ import annotations

import csv
import io
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from convert import UCI_SHOP, convert_uci
from workbench import Workbench, differences

from renqun.warehouse.memory import MEMORY_TABLES, PUBLICATION_MEMORY

pytestmark = [pytest.mark.e2e, pytest.mark.real_data]

MEMORY = MEMORY_TABLES + PUBLICATION_MEMORY
"""Spells and sizes exist for the dates that were built: they differ between one build and six."""


@dataclass
class Facts:
    """What an independent pass over the archive finds."""

    lines: int = 0
    bad_lines: Counter[str] = field(default_factory=Counter)
    paid_by_day: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    orders_by_day: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    buyers_by_day: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def lines_of(archive: Path) -> Iterator[tuple[str, list[dict[str, str]]]]:
    with tarfile.open(archive) as files:
        for member in files.getmembers():
            if member.name.endswith(".csv"):
                content = files.extractfile(member)
                assert content is not None
                yield Path(member.name).stem, list(csv.DictReader(io.TextIOWrapper(content, "utf-8", newline="")))


@pytest.fixture(scope="module")
def facts(uci_archive: Path) -> Facts:
    """An order counts unless one of its lines is impossible; a line is worth price × quantity, to the penny."""
    found = Facts()
    for day, lines in lines_of(uci_archive):
        found.lines += len(lines)
        bad = set()
        for line in lines:
            reason = (
                "negative_quantity:quantity" if line["Quantity"].startswith("-")
                else "negative_price:unit_price" if line["UnitPrice"].startswith("-")
                else None
            )  # fmt: skip
            if reason:
                found.bad_lines[reason] += 1
                bad.add(line["InvoiceNo"])
        for line in lines:
            if line["InvoiceNo"] not in bad:
                worth = Decimal(line["UnitPrice"]) * Decimal(line["Quantity"])
                found.paid_by_day[day] += worth.quantize(Decimal("0.01"), ROUND_HALF_UP)
                found.orders_by_day[day].add(line["InvoiceNo"])
                if line["CustomerID"]:
                    found.buyers_by_day[day].add(line["CustomerID"])
    return found


def home_with(archive: Path, home: Path) -> tuple[Workbench, list[str]]:
    bench = Workbench(home)
    bench.shops(UCI_SHOP)
    return bench, convert_uci(archive, bench.shop() / "landing")


@pytest.fixture(scope="module")
def at_once(uci_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """All days in one range run."""
    bench, days = home_with(uci_archive, tmp_path_factory.mktemp("uci-at-once") / "home")
    assert len(days) == 305
    bench.done("run", "--from", days[0], "--to", days[-1])
    return bench


@pytest.fixture(scope="module")
def in_pieces(uci_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """All days but the last five in one range run, those five one by one."""
    bench, days = home_with(uci_archive, tmp_path_factory.mktemp("uci-in-pieces") / "home")
    bench.done("run", "--from", days[0], "--to", days[-6])
    bench.done("run", "--from", days[-5], "--to", days[-1], "--each-day")
    return bench


def test_every_line_is_staged_or_in_quarantine_with_its_reason(at_once: Workbench, facts: Facts) -> None:
    batches = at_once.json("batches", "list")
    assert len(batches) == 305
    assert sum(batch["rows_read"] for batch in batches) == facts.lines == 541_909
    reasons: Counter[str] = Counter()
    for batch in batches:
        reasons.update(batch["quarantine_reasons"])
    assert reasons == facts.bad_lines == {"negative_quantity:quantity": 10_624, "negative_price:unit_price": 2}
    with at_once.marts() as marts:
        assert marts.execute("select count(*) from fct_order_lines").fetchall() == [(facts.lines - 10_626,)]


def test_sales_of_every_day_are_those_of_the_archive(at_once: Workbench, facts: Facts) -> None:
    with at_once.marts() as marts:
        rows = marts.execute(
            "select business_date::varchar, orders_paid, paid_amount, buyers_paid from agg_shop_kpis__by_day"
        ).fetchall()
    sold = {day: (orders, paid, buyers) for day, orders, paid, buyers in rows if orders}
    expected = {
        day: (len(orders), facts.paid_by_day[day], len(facts.buyers_by_day[day]))
        for day, orders in facts.orders_by_day.items()
    }
    assert sold == expected


def test_a_shop_without_traffic_has_no_visitors_rather_than_zero(at_once: Workbench) -> None:
    with at_once.marts() as marts:
        counted = marts.execute(
            "select count(*), count(visitors), count(views), count(cart_visitors) from agg_shop_kpis__by_day"
        ).fetchall()
    # 2010-12-01 to 2011-12-09 are 374 calendar days, closed days included.
    assert counted == [(374, 0, 0, 0)]


def test_days_one_by_one_give_the_marts_of_one_range(at_once: Workbench, in_pieces: Workbench) -> None:
    assert differences(at_once, in_pieces, leave_out=MEMORY) == {}


def test_the_same_people_are_inside_each_segment_now(at_once: Workbench, in_pieces: Workbench) -> None:
    query = "select segment_id, customer_key, reason from fct_segment_memberships where exited_on is null order by all"
    members = []
    for bench in (at_once, in_pieces):
        with bench.marts() as marts:
            members.append(marts.execute(query).fetchall())
    assert members[0]
    assert members[0] == members[1]
