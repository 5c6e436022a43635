"""A folder with files of every source, none of them named: one run takes all of them in, and the marts tell of them."""

from __future__ import annotations

from collections import Counter

import pytest
from workbench import Workbench

from fixtures.exports.everything import exports
from renqun.ingest.catalogue import all_sources, get_source

pytestmark = pytest.mark.e2e

DAY = "2026-08-02"
SELF_PLACED = "9021000000000000133"
GENERIC = {"orders", "traffic_events", "traffic_sources", "members", "consent", "suppressions"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """One day with a file of every source and version, under names that say nothing."""
    bench = Workbench(tmp_path_factory.mktemp("every-source") / "home")
    # Most of these files name no buyer; a shop without buyers says so.
    bench.shops(
        "shops: [{id: default, vars: {customer_coverage_rate_warning: 0, customer_coverage_rate_critical: 0}}]\n"
    )
    for place, export in enumerate(exports()):
        bench.drop(get_source(export.source).group, DAY, f"{place:03}.bin", export.content)
    bench.done("run", "--date", DAY)
    return bench


def test_nothing_is_unclaimed(bench: Workbench) -> None:
    taken_in = bench.json("batches", "list")
    assert {batch["verdict"] for batch in taken_in} == {"accepted"}
    assert Counter(batch["source"] for batch in taken_in) == Counter(export.source for export in exports())
    assert {export.source for export in exports()} >= {source.source for source in all_sources()} - GENERIC


@pytest.mark.parametrize(
    "mart",
    [
        *("fct_orders", "fct_order_lines", "fct_refunds", "fct_events", "agg_customer_coverage__by_day"),
        *("fct_ad_spend__by_day", "fct_traffic_sources__by_day"),
    ],
)
def test_the_marts_tell_of_it(bench: Workbench, mart: str) -> None:
    (row,) = bench.json("sql", f"select count(*) as rows from {mart}")
    assert row["rows"] > 0


def test_an_excluded_order_is_in_no_mart(bench: Workbench) -> None:
    for mart in ("fct_orders", "fct_order_lines", "fct_refunds", "fct_affiliate_orders"):
        assert bench.json("sql", f"select order_id from {mart} where order_id = '{SELF_PLACED}'") == []
    in_files = [value.value for export in exports() for value in export.planted if value.column == "order_id"]
    assert in_files.count(SELF_PLACED) > 2, "orders, settlements and the shop's own list name it"


def test_personal_data_is_in_no_mart(bench: Workbench) -> None:
    with bench.marts() as marts:
        columns = {row[0] for row in marts.execute("select column_name from duckdb_columns()").fetchall()}
    assert columns
    assert not {column for column in columns if "phone" in column or "email" in column or "address" in column}
