"""What an operator meets: each bad input is named, nothing is lost, what was published stays."""

from __future__ import annotations

import shutil

import pytest
from small_shop import DAYS, day, drop_day
from workbench import ORDER_COLUMNS, Workbench, published_bytes

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def good_day(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Two good days, the first of which is published."""
    bench = Workbench(tmp_path_factory.mktemp("good") / "home")
    drop_day(bench, 1)
    bench.done("run", "--date", DAYS[0])
    drop_day(bench, 2)
    return bench


@pytest.fixture
def bench(good_day: Workbench, tmp_path) -> Workbench:
    """A copy of the home with one published day and one that waits."""
    home = tmp_path / "home"
    shutil.copytree(good_day.home, home, symlinks=True)
    return Workbench(home)


ROW = "x1,,customer-01,2026-03-02 10:00:00,2026-03-02 10:00:05,paid,item-1,Tea,c1,1,10.00,,10.00,,,CNY,"

WHOLE_FILES = {
    "unknown file": ("orders", "notes.txt", b"dear all\nsee you tomorrow\n", "no source"),
    "missing required column": (
        "orders",
        "orders2.csv",
        b"order_id,ordered_at,item_id,quantity\n1,2,3,4\n",
        "unit_price",
    ),
    "empty file": ("orders", "orders2.csv", b"", "empty"),
    "header only": ("orders", "orders2.csv", ORDER_COLUMNS.encode() + b"\n", "row"),
    "broken encoding": ("orders", "orders2.csv", ORDER_COLUMNS.encode("utf-32"), "utf-8"),
    "wrong group": ("traffic", "orders2.csv", (ORDER_COLUMNS + "\n" + ROW + "\n").encode(), "landing/orders"),
}


@pytest.mark.parametrize("kind", WHOLE_FILES)
def test_a_bad_file_stops_the_day_and_is_named(bench: Workbench, kind: str) -> None:
    group, name, content, said = WHOLE_FILES[kind]
    before = published_bytes(bench)
    file = bench.drop(group, DAYS[1], name, content)
    outcome = bench.renqun("run", "--date", DAYS[1])
    assert outcome.exit_code in (1, 2), outcome.text
    assert name in outcome.text
    assert said in outcome.text.lower()
    assert "Traceback" not in outcome.text
    assert published_bytes(bench) == before
    assert file.read_bytes() == content, "what was dropped is where it was"


def test_no_file_at_all_is_a_wrong_request(bench: Workbench) -> None:
    before = published_bytes(bench)
    outcome = bench.renqun("run", "--date", "2026-03-09")
    assert outcome.exit_code == 2, outcome.text
    assert "2026-03-09" in outcome.text
    assert published_bytes(bench) == before


def test_a_date_folder_that_is_no_date_is_named(bench: Workbench) -> None:
    bench.drop("orders", "yesterday", "orders.csv", ORDER_COLUMNS + "\n" + ROW + "\n")
    outcome = bench.renqun("run", "--date", DAYS[1])
    assert outcome.exit_code == 2, outcome.text
    assert "yesterday" in outcome.text


@pytest.fixture(scope="module")
def messy_day(good_day: Workbench, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """The second day, built in spite of bad rows, a file that came twice, and an order in two files; a file that
    nobody knows stopped it first, and was taken away."""
    home = tmp_path_factory.mktemp("messy") / "home"
    shutil.copytree(good_day.home, home, symlinks=True)
    bench = Workbench(home)
    good = [ROW.replace("x1", f"x{n}") for n in range(30, 60)]
    bad = [
        ROW.replace("x1", "bad-date").replace("2026-03-02 10:00:00", "31.02.2026"),
        ROW.replace("x1", "bad-number").replace(",1,10.00", ",1,ten"),
        ROW.replace("x1", "bad-quantity").replace(",1,10.00", ",-1,10.00"),
        ROW.replace("x1", "bad-quantity"),
        "truncated,,customer-01,2026-03",
    ]
    bench.drop("orders", DAYS[1], "more.csv", "\n".join([ORDER_COLUMNS, *good, *bad]))
    bench.events(DAYS[1], *day(2).events, name="events (1).csv")
    bench.orders(DAYS[1], ROW, name="a.csv")
    bench.orders(DAYS[1], ROW.replace("paid,item-1", "sent,item-1"), name="b.csv")
    unknown = bench.drop("orders", DAYS[1], "notes.txt", b"dear all\n")
    assert bench.renqun("run", "--date", DAYS[1]).exit_code == 2
    unknown.unlink()
    bench.done("run", "--date", DAYS[1])
    return bench


def test_once_a_bad_file_is_gone_the_day_goes_through_with_its_good_files(messy_day: Workbench) -> None:
    assert messy_day.latest().parent.name == f"as_of={DAYS[1]}"  # type: ignore[union-attr]
    assert {entry["file_name"] for entry in messy_day.json("batches", "list")} >= {"orders.csv", "more.csv", "a.csv"}


def test_bad_rows_are_quarantined_with_their_order_and_the_rest_goes_through(messy_day: Workbench) -> None:
    with messy_day.marts() as marts:
        orders = {row[0] for row in marts.execute("select order_id from fct_orders").fetchall()}
    assert {f"x{n}" for n in range(30, 60)} <= orders
    assert not orders & {"bad-date", "bad-number", "bad-quantity", "truncated"}
    (batch,) = [entry for entry in messy_day.json("batches", "list") if entry["file_name"] == "more.csv"]
    assert (batch["rows_read"], batch["rows_quarantined"]) == (35, 5)


def test_a_file_twice_under_two_names_counts_once(messy_day: Workbench) -> None:
    with messy_day.marts() as marts:
        (views,) = marts.execute(
            f"select views from agg_shop_kpis__by_day where business_date = '{DAYS[1]}'"
        ).fetchall()[0]
    assert views == sum(",view," in row for row in day(2).events)


def test_an_order_in_two_files_counts_once(messy_day: Workbench) -> None:
    with messy_day.marts() as marts:
        rows = marts.execute("select status, paid_amount from fct_orders where order_id = 'x1'").fetchall()
    assert [(row[0], str(row[1])) for row in rows] == [("sent", "10.00")], "of two equally new ones, the later name"
