"""The gate functions as the tasks call them: on files and warehouses on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import gates_world
import pytest
import raw_world
import staging_world
from raw_world import RawFault

from renqun.errors import GateFailed, ShopBusy
from renqun.ingest.ledger import BatchRecord, incoming_batches, rejected_batches, write_record
from renqun.lock import exclusive
from renqun.quality import load_stage
from renqun.quality.gates import gate_marts, gate_raw, gate_staging
from renqun.quality.results import stored_results
from renqun.quality.warehouse_relations import absent_groups
from renqun.run import RunContext
from renqun.settings import Home

# A shop that bought no advertisement; what its visits brought stays.
WITHOUT_ADS = (
    "delete from marts.fct_ad_spend__by_day; delete from marts.agg_attribution__by_month_source"
    " where attribution_model = 'platform_ads';"
    " update marts.agg_attribution__by_month_source set cost_amount = null;"
)
DAYS = [date(2026, 3, 9), date(2026, 3, 10)]


@pytest.fixture
def ctx(tmp_path: Path) -> RunContext:
    # The thresholds of the world, which is small.
    shops = (
        "shops: [{id: shop, vars: {customer_coverage_rate_warning: 0.75, tgi_min_count: 2, value_horizon_days: 30,"
        " anomaly_report_days: 2, affinity_min_count: 1, launch_days: 5}}]"
    )
    (tmp_path / "shops.yml").write_text(shops, encoding="utf-8")
    return RunContext.of("shop", "2026-03-10", home=Home(tmp_path), run_id="r1")


@pytest.fixture
def ledger() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema ops; create table ops.batches (source varchar, group_name varchar)")
        yield connection


def _receive(ctx: RunContext, fault: RawFault | None = None) -> None:
    folder = ctx.paths.raw / "incoming"
    folder.mkdir(parents=True)
    with duckdb.connect() as connection:
        raw_world.build(connection, folder, fault)
    for batch_id in ("b1", "b2"):
        write_record(folder / f"{batch_id}.json", BatchRecord.model_validate(raw_world._entry(batch_id)))


def _warehouse(ctx: RunContext, fault: str = "") -> None:
    ctx.paths.warehouse.parent.mkdir(parents=True)
    with duckdb.connect(str(ctx.paths.warehouse)) as warehouse:
        gates_world.build(warehouse)
        warehouse.execute("drop table marts.mart_columns; drop schema run cascade; create schema ops")
        warehouse.execute(
            "create table ops.batches as select * from (values ('b1', 'orders', 'orders', date '2026-03-10', true),"
            " ('b2', 'traffic_events', 'traffic', date '2026-03-10', true))"
            " as t (batch_id, source, group_name, ds, is_pending)"
        )
        warehouse.execute("create table ops.built_dates as select date '2026-03-09' as as_of_date")
        if fault:
            warehouse.execute(fault)


def test_sound_batches_stay_incoming_and_are_promoted_by_the_next_task(ctx: RunContext) -> None:
    _receive(ctx)
    assert gate_raw(ctx, "orders", DAYS).passed
    assert [batch.batch_id for batch in incoming_batches(ctx.paths)] == ["b1", "b2"]


def test_only_the_batch_with_the_fault_is_rejected(ctx: RunContext) -> None:
    _receive(ctx, RawFault("update made.orders set ordered_at = 'once' where order_id = 'o3'"))
    with pytest.raises(GateFailed, match=r"orders-ordered_at_is_time.*in batches 2026-03-10/b2\.csv \(b2\)"):
        gate_raw(ctx, "orders", DAYS)
    assert [batch.batch_id for batch in incoming_batches(ctx.paths)] == ["b1"]
    (rejected,) = rejected_batches(ctx.paths)
    assert rejected.batch_id == "b2"
    assert "orders-ordered_at_is_time" in (rejected.rejected_because or "")


def test_nothing_incoming_is_nothing_to_ask(ctx: RunContext) -> None:
    assert gate_raw(ctx, "orders", DAYS).suites == ()


def test_good_marts_pass_and_a_wrong_cent_stops_the_run(ctx: RunContext) -> None:
    _warehouse(ctx)
    report = gate_marts(ctx)
    assert report.passed
    assert report.warnings == ()
    assert len(list(stored_results(ctx.paths))) == len(report.suites)
    with duckdb.connect(str(ctx.paths.warehouse)) as warehouse:
        warehouse.execute("update marts.fct_orders set unallocated_amount = 4.99 where order_id = 'o1'")
    with pytest.raises(GateFailed, match="fct_orders-lines_and_rest_are_whole"):
        gate_marts(ctx)


def test_a_shop_without_marketing_has_empty_marts_that_say_so(ctx: RunContext) -> None:
    _warehouse(ctx, f"{WITHOUT_ADS} delete from marts.fct_affiliate_orders")
    report = gate_marts(ctx)
    assert report.passed
    for name in ("fct_ad_spend__by_day", "fct_affiliate_orders"):
        assert report.check(f"{name}-is_there").note == (
            "no rows, which is no fault: the shop has no accepted export of the group marketing"
        )
        asked = report.check(f"{name}-key_unique")
        assert (asked.verdict, asked.note) == (
            "not_evaluated",
            "not applicable, looked at zero rows: the shop has no accepted export of the group marketing",
        )


def test_a_shop_that_pays_affiliates_only_is_told_why_nothing_is_advertised(ctx: RunContext) -> None:
    _warehouse(
        ctx,
        f"{WITHOUT_ADS} insert into ops.batches"
        " values ('b3', 'taobaoke_settlements', 'marketing', date '2026-03-10', true)",
    )
    report = gate_marts(ctx)
    assert report.passed
    assert "affiliates only" in (report.check("fct_ad_spend__by_day-is_there").note or "")


@pytest.mark.parametrize(
    ("source", "group", "has_days"),
    [("sycm_items", "traffic", False), ("taobao_refunds", "orders", False), ("amazon_orders", "orders", True)],
)
def test_without_orders_and_visits_there_is_no_first_day(
    ledger: duckdb.DuckDBPyConnection, source: str, group: str, has_days: bool
) -> None:
    """A shop of platform totals only is published, too: what has a row a day has none."""
    ledger.execute(f"insert into ops.batches values ('{source}', '{group}')")
    fine = absent_groups(ledger, load_stage("marts"))
    by_day = {"agg_shop_kpis__by_day", "agg_customer_coverage__by_day", "fct_kpi_anomalies"}
    assert by_day & fine.keys() == (set() if has_days else by_day)


@pytest.mark.parametrize(("orders", "events"), [("taobao_orders", "ga4_events"), ("woocommerce_orders", "ga4_events")])
def test_orders_and_visits_of_any_platform_are_orders_and_traffic(ctx: RunContext, orders: str, events: str) -> None:
    _warehouse(ctx, f"update ops.batches set source = if(source = 'orders', '{orders}', '{events}')")
    assert gate_marts(ctx).check("agg_shop_kpis__by_day-absent_is_not_zero").verdict == "passed"


def test_platform_totals_are_no_visits_and_refunds_no_orders(ctx: RunContext) -> None:
    """Where a shop tells only these, a number in place of nothing stops the run."""
    _warehouse(ctx, "update ops.batches set source = if(source = 'orders', 'taobao_refunds', 'sycm_items')")
    with pytest.raises(GateFailed, match="agg_shop_kpis__by_day-absent_is_not_zero"):
        gate_marts(ctx)


def test_a_column_of_personal_data_outside_the_vault_stops_the_run(ctx: RunContext) -> None:
    _warehouse(ctx, "alter table marts.dim_customers add column phone varchar")
    with pytest.raises(GateFailed, match="mart_columns-no_personal_data"):
        gate_marts(ctx)


def test_marts_as_of_another_day_stop_the_run(ctx: RunContext) -> None:
    _warehouse(ctx)
    later = RunContext(ctx.home, ctx.shop, date(2026, 3, 11), ctx.run_id)
    with pytest.raises(GateFailed, match="as_of"):
        gate_marts(later)


def test_the_staging_gate_asks_what_the_new_batches_feed_and_nothing_else(ctx: RunContext) -> None:
    with duckdb.connect() as connection:
        staging_world.build(ctx, connection, "update ops.batches set is_pending = source = 'members'")
    report = gate_staging(ctx)
    assert [suite.object for suite in report.suites] == ["staged_batches", "staged_groups", "stg_generic__members"]
    assert all(suite.rows for suite in report.suites)


def test_a_lost_row_stops_the_run_before_the_marts(ctx: RunContext) -> None:
    with duckdb.connect() as connection:
        staging_world.build(ctx, connection)
    with duckdb.connect(str(ctx.paths.warehouse)) as warehouse:
        warehouse.execute("delete from staging.stg_generic__events where _source_row = 2")
    with pytest.raises(GateFailed, match="staged_batches-rows_conserved"):
        gate_staging(ctx)


def test_a_warehouse_gate_waits_for_the_writer(ctx: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    _warehouse(ctx)
    monkeypatch.setenv("RENQUN_LOCK_TIMEOUT_SECONDS", "0")
    with exclusive(ctx.paths.writer_lock, "a writer"), pytest.raises(ShopBusy, match="a writer"):
        gate_marts(ctx)
