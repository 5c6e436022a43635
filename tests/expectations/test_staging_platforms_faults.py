"""Every critical check on a platform's staging model catches its fault, and only that.

Each fault is looked for in plain SQL, alone; Great Expectations is asked twice a model: about good rows, and about
all faults of the model at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import staging_platforms_world as world
import yaml
from bench_of_checks import INJECTED, Record, bad_ids, bad_ids_by_sql, report_of

from renqun.errors import GateFailed
from renqun.quality import load_stage
from renqun.quality.gates import gate_staging
from renqun.quality.warehouse_relations import EVENT_SOURCES, IN_VAULT, ORDER_SOURCES, STAGED
from renqun.run import RunContext
from renqun.settings import PROJECT_ROOT, Home

SUITES = {suite.object: suite for suite in load_stage("staging") if suite.object in world.MODELS}
MACROS = PROJECT_ROOT / "dbt_project" / "macros"
# A second after the latest time that an export of the day may tell; a day after the latest day.
LATE, FUTURE = "timestamp '2026-03-11 16:00:01'", "date '2026-03-13'"


def _faults(model: str, **changes: str) -> dict[str, str]:
    """Check → what is changed in a row."""
    return {f"{model}-{rule}": change for rule, change in changes.items()}


def _ads(model: str) -> dict[str, str]:
    return _faults(
        model,
        days_known="last_date = first_date - 1",
        counts_not_negative="impression_count = -1",
        cost_amount_present="cost_amount = null",
        told_before_export=f"first_date = {FUTURE}, last_date = {FUTURE}",
    )


ADS = sorted(
    STAGED[source] for source in ("wanxiangtai_reports", "zhitongche", "yinlimofang", "google_ads", "meta_ads")
)

FAULTS: dict[str, str] = {
    **_faults(
        "stg_taobao__orders",
        order_id_present="order_id = null",
        order_paid_amount_present="order_paid_amount = null",
        paid_after_ordered="paid_at = ordered_at - interval 1 second",
        told_before_export=f"paid_at = {LATE}",
        ids_unmasked="customer_id = 'm**1'",
    ),
    **_faults(
        "stg_taobao__order_items",
        keys_present="item_id = null",
        quantity_not_negative="quantity = null",
        unit_price_not_negative="unit_price = -0.01",
        paid_after_ordered="paid_at = ordered_at - interval 1 second",
        told_before_export=f"ordered_at = {LATE}, paid_at = null",
        refunds_succeeded="refund_status = '没有申请退款'",
    ),
    **_faults(
        "stg_taobao__refunds",
        keys_present="order_id = null",
        amount_not_negative="refund_amount = -0.01",
        succeeded_by_status="refund_status = '退款关闭'",
        told_before_export=f"refunded_at = {LATE}",
    ),
    **_faults("stg_taobao__excluded_orders", order_id_present="order_id = null"),
    **_faults(
        "stg_shopify__orders",
        keys_present="item_id = null",
        quantity_not_negative="quantity = -1",
        unit_price_not_negative="unit_price = null",
        ids_hashed="customer_id = 'someone@example.com'",
        told_before_export=f"cancelled_at = {LATE}",
    ),
    **_faults("stg_shopify__customers", ids_hashed="customer_id = 'someone@example.com'"),
    **_faults(
        "stg_woocommerce__orders",
        keys_present="order_paid_amount = null",
        told_before_export=f"ordered_at = {LATE}",
    ),
    **_faults(
        "stg_amazon__orders",
        keys_present="ordered_at = null",
        quantity_not_negative="quantity = -1",
        told_before_export=f"updated_at = {LATE}",
    ),
    **_faults(
        "stg_ga4__events",
        keys_present="event_at = null",
        happened_before_export=f"event_at = {LATE}",
        ids_unmasked="customer_id = 'm**1'",
    ),
    **_faults(
        "stg_sycm__items",
        keys_present="item_id = null",
        counts_not_negative="search_buyers_paid = -1",
        bounce_rate_is_fraction="bounce_rate = 78.15",
        told_before_export=f"business_date = {FUTURE}",
    ),
    **_faults(
        "stg_sycm__shop_sources",
        keys_present="business_date = null",
        totals_gone="source_level_1 = '汇总'",
        counts_not_negative="visitor_count = -1",
        told_before_export=f"business_date = {FUTURE}",
    ),
    **_faults(
        "stg_sycm__shop_daily",
        business_date_present="business_date = null",
        counts_not_negative="members = -1",
        bounce_rate_is_fraction="bounce_rate = -0.1",
        told_before_export=f"business_date = {FUTURE}",
    ),
    **{check_id: change for model in ADS for check_id, change in _ads(model).items()},
    **_faults(
        "stg_taobaoke__settlements",
        keys_present="settled_at = null",
        told_before_export=f"settled_at = {LATE}",
        affiliates_hashed="affiliate_id = '某某推广'",
    ),
    **_faults(
        "stg_taobaoke__overview",
        keys_present="content = null",
        counts_not_negative="click_count = -1",
        told_before_export=f"business_date = {FUTURE}",
    ),
}

WARNINGS = {
    "stg_taobao__orders-amounts_not_negative": "order_refunded_amount = -1",
    "stg_taobao__refunds-succeeded_has_a_time": "refunded_at = null",
    "stg_shopify__customers-customer_id_present": "customer_id = null",
    "stg_woocommerce__orders-amount_not_negative": "order_paid_amount = -1",
    "stg_amazon__orders-amounts_not_negative": "unit_price = -1",
    **{f"{model}-one_day": "first_date = last_date - 1" for model in ADS},
}


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


@pytest.fixture
def ctx(tmp_path: Path) -> RunContext:
    return RunContext.of("default", "2026-03-10", home=Home(tmp_path))


@pytest.mark.parametrize("check_id", sorted(FAULTS | WARNINGS))
def test_a_fault_fails_its_check_and_no_other(rows: duckdb.DuckDBPyConnection, check_id: str) -> None:
    model = check_id.partition("-")[0]
    rows.execute(f"update staging.{model} set {(FAULTS | WARNINGS)[check_id]} where _source_row = 1")
    assert bad_ids_by_sql(rows, list(SUITES.values()), {}) == {check_id}


@pytest.mark.parametrize("model", sorted(world.MODELS))
def test_great_expectations_sees_the_same(model: str, record_property: Record) -> None:
    """In a world of its own: Great Expectations' cursors see committed rows only."""
    suite = SUITES[model]
    faults = {check_id: change for check_id, change in FAULTS.items() if check_id.startswith(f"{model}-")}
    for check_id in faults:
        record_property(INJECTED, check_id)
    connection = duckdb.connect()
    world.build(connection, [model])
    assert bad_ids(report_of(connection, suite, {})) == set()
    for number, change in enumerate(faults.values(), start=3):
        # Every fault in a row of its own, so that none hides another.
        connection.execute(
            f"insert into staging.{model} select * replace ({number} as _source_row) from staging.{model}"
            " where _source_row = 1"
        )
        connection.execute(f"update staging.{model} set {change} where _source_row = {number}")
    report = report_of(connection, suite, {})
    failures = [check for check in report.checks if check.stops]
    assert {check.id for check in failures} == set(faults)
    assert all(check.batches == (f"b_{model}",) for check in failures)
    connection.execute(f"delete from staging.{model}")
    assert bad_ids(report_of(connection, suite, {})) == {suite.is_there_id}
    connection.close()


def test_every_warning_is_tried() -> None:
    warnings = {check.id for suite in SUITES.values() for check in suite.expectations if check.severity == "warning"}
    assert warnings == set(WARNINGS)


def test_the_gate_asks_every_platform_that_has_a_new_batch_and_a_lost_row_stops_it(ctx: RunContext) -> None:
    file = world.build_warehouse(ctx)
    report = gate_staging(ctx)
    assert report.passed
    assert {suite.object for suite in report.suites} == {"staged_batches", "staged_groups", *world.MODELS}
    with duckdb.connect(str(file)) as warehouse:
        warehouse.execute("delete from staging.stg_sycm__items where _source_row = 2")
    with pytest.raises(GateFailed, match="staged_batches-rows_conserved"):
        gate_staging(ctx)


def test_a_platforms_file_of_damaged_rows_only_leaves_its_model_empty_and_says_so(ctx: RunContext) -> None:
    world.build_warehouse(
        ctx,
        "insert into vault.stg_generic__quarantined_rows select _batch_id, _source_row, _raw_file"
        " from staging.stg_taobao__excluded_orders; delete from staging.stg_taobao__excluded_orders;"
        "update ops.batches set rows_quarantined = 2 where source = 'taobao_excluded_orders';"
        "update ops.batches set is_pending = source = 'taobao_excluded_orders'",
    )
    report = gate_staging(ctx)
    assert report.passed
    notes = {check.id: check.note or "" for suite in report.suites for check in suite.checks}
    assert "set aside when it was received" in notes["stg_taobao__excluded_orders-is_there"]
    assert "not applicable" in notes["stg_taobao__excluded_orders-order_id_present"]


def test_the_gate_and_dbt_mean_the_same_models_and_sources() -> None:
    raw = (MACROS / "raw.sql").read_text(encoding="utf-8")
    staged = raw.partition("macro staged_models")[2].partition("endmacro")[0]
    assert dict(re.findall(r'"(\w+)": "(\w+)"', staged)) == STAGED
    orders = (MACROS / "orders.sql").read_text(encoding="utf-8").partition("macro order_sources")[2]
    assert tuple(re.findall(r'"(\w+)": \{', orders.partition("endmacro")[0])) == ORDER_SOURCES
    events = (MACROS / "traffic.sql").read_text(encoding="utf-8").partition("macro event_source_names")[2]
    assert tuple(re.findall(r'"(\w+)"', events.partition("endmacro")[0])) == EVENT_SOURCES


def test_every_staged_model_has_a_suite_and_the_columns_that_it_asks() -> None:
    suites = {suite.object for suite in load_stage("staging")}
    assert suites == {"staged_batches", "staged_groups", *STAGED.values()}
    assert set(world.MODELS) == set(world.PLATFORMS.values())
    for file in (PROJECT_ROOT / "dbt_project" / "models" / "staging").glob("*/*.yml"):
        if file.stem in world.MODELS:
            (model,) = yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
            documented = {column["name"] for column in model["columns"]}
            assert set(world.MODELS[file.stem]) <= documented, file.stem


def test_what_lies_in_the_vault_is_looked_for_there() -> None:
    staging = PROJECT_ROOT / "dbt_project" / "models" / "staging"
    in_vault = {file.stem for file in staging.glob("*/*.sql") if "schema='vault'" in file.read_text(encoding="utf-8")}
    assert in_vault & set(STAGED.values()) == IN_VAULT
