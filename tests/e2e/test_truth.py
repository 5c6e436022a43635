"""A simulated shop with planted truth: what the pipeline publishes is what was planted, before and after late files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from workbench import Workbench, differences

import parsed_project
from renqun.ingest.promote import promote_batches
from renqun.ingest.receive import receive_files
from renqun.publish.reader import open_marts
from renqun.run import RunContext
from renqun.settings import Home
from renqun.simulate import Form, simulate, small_config
from renqun.warehouse.layers import build_layer
from renqun.warehouse.memory import MEMORY_TABLES, PUBLICATION_MEMORY
from renqun.warehouse.plan import plan_build
from truth import assert_matches_truth
from truth_of_audiences import assert_audiences_match_truth

pytestmark = pytest.mark.e2e

MEMORY = MEMORY_TABLES + PUBLICATION_MEMORY


def _check(bench: Workbench, truth: dict[str, Any], stage: str) -> None:
    with open_marts(Home(bench.home), "default") as marts:
        assert_matches_truth(marts, truth, truth["as_of"], stage=stage)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exports of a small shop, its late files apart, and its truth."""
    folder = tmp_path_factory.mktemp("simulated")
    simulate(small_config(hold_back=True), folder / "landing", folder / "truth.json", late=folder / "late")
    return folder


def test_published_marts_are_what_was_planted(simulated: Path, tmp_path: Path) -> None:
    truth = json.loads((simulated / "truth.json").read_text(encoding="utf-8"))
    days = sorted(folder.name for folder in (simulated / "landing").glob("*/*"))

    # Most of the history at once, the last days one by one, then what came late.
    bench = Workbench(tmp_path / "home")
    shutil.copytree(simulated / "landing", bench.shop() / "landing")
    bench.done("run", "--from", days[0], "--to", days[-3])
    bench.done("run", "--from", days[-2], "--to", days[-1], "--each-day")
    _check(bench, truth, "before_late")
    late = sorted((simulated / "late").glob("*/*/*"))
    assert late
    shutil.copytree(simulated / "late", bench.shop() / "landing", dirs_exist_ok=True)
    late_days = sorted({file.parent.name for file in late})
    bench.done("run", "--from", late_days[0], "--to", days[-1])
    _check(bench, truth, "after_late")

    # The same files, all there from the start, in one go.
    at_once = Workbench(tmp_path / "at-once")
    shutil.copytree(bench.shop() / "landing", at_once.shop() / "landing")
    at_once.done("run", "--from", days[0], "--to", days[-1])
    _check(at_once, truth, "after_late")
    _check_quarantine(at_once, truth)
    with open_marts(Home(at_once.home), "default") as marts:
        assert_audiences_match_truth(at_once.shop() / "published" / "audiences", marts, truth)
    assert differences(bench, at_once, leave_out=MEMORY) == {}


def test_a_shop_in_taobaos_own_files_is_what_was_planted(tmp_path: Path) -> None:
    """GB18030, guards, heads and lines and refunds in reports of their own: the same facts, to the cent."""
    bench = Workbench(tmp_path / "home")
    landing = bench.shop() / "landing"
    simulate(replace(small_config(), form="taobao"), landing, tmp_path / "truth.json")
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert any(landing.glob("orders/*/*"))
    assert not list(landing.glob("orders/*/orders.csv"))
    bench.done("run", "--from", min(folder.name for folder in landing.glob("*/*")), "--to", truth["as_of"])
    _check(bench, truth, "after_late")
    _check_quarantine(bench, truth)
    with open_marts(Home(bench.home), "default") as marts:
        _check_orders_of_the_shop_itself(marts, truth)


@pytest.mark.parametrize("form", ["taobao_xlsx", "shopify"])
def test_a_shop_in_another_platforms_files_is_what_was_planted(form: Form, tmp_path: Path) -> None:
    """What the models make of such files, without the gates and the publishing around them: both know no form."""
    home = Home(tmp_path / "home")
    paths = home.paths("default")
    simulate(replace(small_config(), form=form), paths.landing, tmp_path / "truth.json")
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert not list(paths.landing.glob("orders/*/orders.csv"))
    with _build(home, truth["as_of"]) as marts:
        assert_matches_truth(marts, truth, truth["as_of"])
        if form == "taobao_xlsx":
            _check_orders_of_the_shop_itself(marts, truth)


@contextmanager
def _build(home: Home, as_of: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Take in all that landed and build the models, in this process; the warehouse, opened to be read."""
    shop = home.shop("default")
    ctx = RunContext(home, shop, date.fromisoformat(as_of), run_id="truth")
    for group in sorted(folder.name for folder in ctx.paths.landing.iterdir()):
        days = sorted(date.fromisoformat(folder.name) for folder in (ctx.paths.landing / group).iterdir())
        receive_files(home, shop, group, days)  # type: ignore[arg-type]
        promote_batches(home, shop, group, days)  # type: ignore[arg-type]
    plan = plan_build(ctx)
    assert plan is not None
    parsed = ctx.paths.warehouse_dir / "dbt" / "partial_parse.msgpack"
    parsed_project.lend("default\n", parsed)
    build_layer(ctx, plan, "staging")
    build_layer(ctx, plan, "marts")
    parsed_project.keep("default\n", parsed)
    with duckdb.connect(str(ctx.paths.warehouse), read_only=True) as connection:
        connection.execute("use marts")
        yield connection


def _check_orders_of_the_shop_itself(marts: duckdb.DuckDBPyConnection, truth: dict[str, Any]) -> None:
    """No mart shows them but as a number; they are what the platform counts more than we do."""
    brushed = {order["paid_date"]: order for order in truth["excluded_orders"]}
    ids = [order["order_id"] for order in brushed.values()]
    assert len(ids) == truth["excluded_order_count"] > 0
    for mart in ("fct_orders", "fct_order_lines", "fct_refunds"):
        assert marts.execute(f"select 1 from {mart} where list_contains(?, order_id)", [ids]).fetchall() == []
    left_out = marts.execute(
        "select business_date, excluded_order_count from agg_customer_coverage__by_day where excluded_order_count > 0"
    ).fetchall()
    assert {str(day): count for day, count in left_out} == dict.fromkeys(brushed, 1)
    compared = marts.execute(
        "select business_date, measure, difference from agg_shop_kpis__reconciled"
        " where measure in ('visitors', 'views', 'orders_paid', 'paid_amount')"
    ).fetchall()
    assert len(compared) == 4 * small_config().traffic_days
    differing = {(str(day), measure): difference for day, measure, difference in compared if difference != 0}
    expected = {(day, "orders_paid"): Decimal(-1) for day in brushed}
    expected |= {(day, "paid_amount"): -Decimal(order["paid_amount"]) for day, order in brushed.items()}
    assert differing == expected
    unexplained = marts.execute("select sum(abs(amount)) from agg_kpi_gaps__by_day where reason = 'unexplained'")
    assert unexplained.fetchall() == [(0,)], "the list of excluded orders is all that the two differ by"


def _check_quarantine(bench: Workbench, truth: dict[str, Any]) -> None:
    """The faults that were planted in each file are those that were set aside."""
    taken_in = {
        f"{batch['group']}/{batch['ds']}/{batch['file_name']}": batch for batch in bench.json("batches", "list")
    }
    checked = 0
    for path, expected in truth["files"].items():
        # A file with the bytes of another one may stand in the ledger under the other's name.
        if path in taken_in:
            assert taken_in[path]["rows_read"] == expected["rows"], path
            assert taken_in[path]["rows_quarantined"] == sum(expected["quarantined"].values()), path
            checked += bool(expected["quarantined"])
    assert checked > 8
