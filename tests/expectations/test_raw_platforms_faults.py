"""Every critical check on a platform's raw files catches its fault, names the file, and says no to nothing else.

Each fault is looked for in plain SQL, alone; Great Expectations is asked twice a source: about good rows, and about
all faults of the source at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pytest
import raw_platforms_world as world
from bench_of_checks import INJECTED, Record, bad_ids, bad_ids_by_sql, report_of

from renqun.ingest.catalogue import METADATA_COLUMNS, all_sources, get_source
from renqun.quality import load_stage
from renqun.quality.suite import Suite

SUITES = {suite.object: suite for suite in load_stage("raw") if suite.object in world.PLATFORMS}
LOST, GUARDED, TABBED = "1.71E+18", '="351"', "351\t"


def _faults(source: str, **changes: str) -> dict[str, str]:
    """Check → what is changed in the first row."""
    return {f"{source}-{rule}": f"update raw_all.{source} set {change} where _source_row = 1"
            for rule, change in changes.items()}  # fmt: skip


def _half(source: str) -> str:
    return (
        f"insert into raw_all.{source} select * replace (9 as _source_row, 'unparsable_value:quantity' as"
        f" _quarantine_reason) from raw_all.{source} where _source_row = 1"
    )


def _ads(source: str, **more: str) -> dict[str, str]:
    return _faults(
        source,
        days_are_dates="stat_date = '20250601'",
        days_in_order="stat_end_date = '2026-03-01'",
        figures_are_numbers="cost = '12.30元'",
        totals_gone="campaign_name = '总计'",
        **more,
    )


FAULTS: dict[str, str] = {
    **_faults(
        "taobao_orders",
        order_id_present="order_id = null",
        ids_clean=f"order_id = '{LOST}'",
        times_are_times="paid_at = '2026/3/9 上午'",
        amounts_are_numbers="order_paid_amount = '￥12.30'",
    ),
    **_faults(
        "taobao_order_items",
        keys_present="item_name = null",
        ids_clean=f"line_id = '{GUARDED}'",
        times_are_times="ordered_at = '2026-02-30 10:00:00'",
        amounts_are_numbers="refunded_amount = '无退款申请'",
    ),
    "taobao_order_items-exported_whole": _half("taobao_order_items"),
    **_faults(
        "taobao_refunds",
        keys_present="refund_status = null",
        ids_clean=f"order_id = '{LOST}'",
        times_are_times="refunded_at = '完结'",
        amounts_are_numbers="refund_amount = null",
    ),
    **_faults("taobao_excluded_orders", order_id_present="order_id = null", ids_clean=f"order_id = '{LOST}'"),
    **_faults(
        "shopify_orders",
        keys_present="item_name = null",
        times_are_times="ordered_at = 'March 9'",
        amounts_are_numbers="unit_price = '$9.90'",
        currency_is_shops="currency = 'USD'",
    ),
    "shopify_orders-exported_whole": _half("shopify_orders"),
    **_faults(
        "shopify_customers",
        somebody_named="customer_id = null, email = null, phone = null",
        totals_are_numbers="total_spent_amount = 'much'",
    ),
    **_faults(
        "woocommerce_orders",
        order_id_present="order_id = null",
        ordered_at_is_time="ordered_at = null",
        amounts_are_numbers="net_sales_amount = '1.234,50 €'",
    ),
    **_faults(
        "amazon_orders",
        keys_present="sku = null",
        times_are_times="ordered_at = null",
        amounts_are_numbers="item_price_amount = 'free'",
        currency_is_shops="currency = 'USD'",
    ),
    "amazon_orders-exported_whole": _half("amazon_orders"),
    **_faults(
        "sycm_items",
        item_id_present="item_id = null",
        ids_clean=f"item_id = '{LOST}'",
        stat_date_is_date="stat_date = null",
        figures_are_numbers="bounce_rate = '78.15%'",
    ),
    **_faults(
        "sycm_shop_sources",
        source_level_1_present="source_level_1 = null",
        stat_date_is_date="stat_date = '2026-03-09~2026-03-09'",
        figures_are_numbers="visitors = '-'",
        totals_gone="source_level_1 = '汇总'",
    ),
    **_faults(
        "sycm_shop_daily",
        stat_date_is_date="stat_date = '汇总'",
        figures_are_numbers="visitors = '11,269'",
    ),
    **_ads("wanxiangtai_reports", ids_clean=f"campaign_id = '{TABBED}'"),
    **_ads("zhitongche", campaign_id_present="campaign_id = null", ids_clean=f"item_id = '{LOST}'"),
    **_ads("yinlimofang", campaign_named="campaign_group_name = null"),
    **_ads("google_ads", campaign_name_present="campaign_name = null", currency_is_shops="currency = 'USD'"),
    **_ads("meta_ads", campaign_name_present="campaign_name = null", currency_is_shops="currency = 'USD'"),
    **_faults(
        "taobaoke_settlements",
        keys_present="line_id = null",
        ids_clean=f"order_id = '{TABBED}'",
        times_are_times="settled_at = null",
        amounts_are_numbers="commission_amount = null",
    ),
    **_faults(
        "taobaoke_overview",
        content_present="content = null",
        stat_date_is_date="stat_date = null",
        figures_are_numbers="conversion_rate = '120%'",
    ),
    **_faults(
        "ga4_events",
        event_name_present="event_name = null",
        times_are_times="event_at = '1709629200000000'",
        nested_is_json='event_params = \'[{"key": "page_loc\'',
    ),
    # A column that no other check reads.
    **{f"{name}-columns": f"alter table raw_all.{name} drop column _row_text" for name in world.PLATFORMS},
}

ABOUT_THE_TABLE = {name for name in FAULTS if name.endswith("-columns")}


@pytest.fixture(scope="module")
def good() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    world.build(connection)
    yield connection
    connection.close()


@pytest.fixture
def rows(good: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The good rows, as they were again after each test."""
    good.execute("begin")
    yield good
    good.execute("rollback")


@pytest.mark.parametrize("check_id", sorted(FAULTS))
def test_a_fault_fails_its_check_and_no_other(rows: duckdb.DuckDBPyConnection, check_id: str) -> None:
    source = check_id.partition("-")[0]
    world.spoil(rows, source, FAULTS[check_id])
    assert bad_ids_by_sql(rows, [SUITES[source]], {}) == {check_id} - ABOUT_THE_TABLE


@pytest.mark.parametrize("source", sorted(world.PLATFORMS))
def test_great_expectations_sees_the_same(source: str, record_property: Record) -> None:
    """In a world of its own: Great Expectations' cursors see committed rows only."""
    suite = SUITES[source]
    of_source = {check_id: fault for check_id, fault in FAULTS.items() if check_id.startswith(f"{source}-")}
    for check_id in of_source:
        record_property(INJECTED, check_id)
    connection = duckdb.connect()
    world.build(connection, [source])
    assert bad_ids(report_of(connection, suite, {})) == set()
    for fault in of_source.values():
        # Every fault in a row of its own, so that none hides another.
        world.add_spoiled_row(connection, source, fault)
    report = report_of(connection, suite, {})
    failures = [check for check in report.checks if check.stops]
    assert {check.id for check in failures} == set(of_source)
    for check in failures:
        assert check.batches == ("p1",) or check.id in ABOUT_THE_TABLE, f"{check.id} does not name the file"
    connection.close()


@pytest.mark.parametrize("source", sorted(world.PLATFORMS))
def test_warnings_are_not_blind(rows: duckdb.DuckDBPyConnection, source: str) -> None:
    """The same row twice is reported, and stops nothing."""
    twice = (
        f"insert into raw_all.{source} select * replace (8 as _source_row) from raw_all.{source} where _source_row = 1"
    )
    world.spoil(rows, source, twice)
    once = {check.id for check in SUITES[source].expectations if check.id.endswith("-once_a_file")}
    assert bad_ids_by_sql(rows, [SUITES[source]], {}) == once


@pytest.mark.parametrize(
    ("columns", "bad"),
    [
        ("clicks = null, link_clicks = '1'", set()),
        ("clicks = '1', link_clicks = null", set()),
        ("clicks = null, link_clicks = null", {"meta_ads-figures_are_numbers"}),
    ],
)
def test_either_of_metas_clicks_is_enough(rows: duckdb.DuckDBPyConnection, columns: str, bad: set[str]) -> None:
    world.spoil(rows, "meta_ads", f"update raw_all.meta_ads set {columns}")
    assert bad_ids_by_sql(rows, [SUITES["meta_ads"]], {}) == bad


WARNINGS = {
    "taobao_orders-some_paid": "update raw_all.taobao_orders set paid_at = null",
    "shopify_orders-orders_have_a_head": "update raw_all.shopify_orders set order_total_amount = null",
    "amazon_orders-sold_has_a_price": "update raw_all.amazon_orders set item_price_amount = null",
    "ga4_events-has_views": "update raw_all.ga4_events set event_name = 'scroll'",
}


@pytest.mark.parametrize("check_id", sorted(WARNINGS))
def test_what_only_a_person_can_judge_is_a_warning(rows: duckdb.DuckDBPyConnection, check_id: str) -> None:
    source = check_id.partition("-")[0]
    world.spoil(rows, source, WARNINGS[check_id])
    assert bad_ids_by_sql(rows, [SUITES[source]], {}) == {check_id}


def test_every_warning_is_tried() -> None:
    warnings = {
        check.id for suite in SUITES.values() for check in suite.expectations if check.severity == "warning"
    }  # fmt: skip
    assert {check_id for check_id in warnings if not check_id.endswith("-once_a_file")} == set(WARNINGS)


def test_every_source_has_a_suite_that_knows_its_columns() -> None:
    assert {suite.object for suite in load_stage("raw")} == {"batches"} | {source.source for source in all_sources()}
    for suite in load_stage("raw"):
        if suite.object == "batches":
            continue
        known = next(check for check in suite.expectations if check.id == f"{suite.object}-columns")
        source = get_source(suite.object)
        assert known.kwargs["column_set"] == [*source.names, *METADATA_COLUMNS], suite.object


@pytest.mark.parametrize("source", sorted(world.PLATFORMS))
def test_every_required_column_number_and_time_is_asked_about(source: str) -> None:
    asked = _columns_asked(SUITES[source])
    described = get_source(source)
    wanted = {name for name in described.names if described.column(name).required}
    wanted |= {name for name in described.names if described.column(name).kind not in {"id", "text", "enum", "boolean"}}
    assert wanted
    assert wanted <= asked


def _columns_asked(suite: Suite) -> set[str]:
    asked = set()
    for check in suite.expectations:
        if check.severity == "critical" and check.type != "expect_table_columns_to_match_set":
            asked |= set(re.findall(r"\w+", check.query or check.kwargs["column"]))
    return asked
