"""Every critical check on staging catches its fault in a new batch, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import staging_world
from bench_of_checks import bad_ids, bad_ids_by_sql, report_of

from renqun.quality import load_stage
from renqun.quality.warehouse_relations import IN_VAULT
from renqun.run import RunContext
from renqun.settings import Home

SUITES = {
    suite.object: suite for suite in load_stage("staging") if suite.object.startswith(("staged_", "stg_generic__"))
}
LINES, EVENTS = "stg_generic__order_lines", "stg_generic__events"


def _line(change: str) -> tuple[str, set[str]]:
    return f"update staging.{LINES} set {change} where _batch_id = 'b1' and _source_row = 2", set()


def _event(change: str) -> tuple[str, set[str]]:
    return f"update staging.{EVENTS} set {change} where _source_row = 2", set()


FAULTS: dict[str, tuple[str, set[str]]] = {
    "staged_batches-rows_conserved": (f"delete from staging.{EVENTS} where _source_row = 2", set()),
    "staged_batches-quarantine_counted": (
        # The row that was set aside is used instead: nothing is lost, and yet it is wrong.
        "delete from vault.stg_generic__quarantined_rows;"
        f"insert into staging.{LINES} select * replace (3 as _source_row) from staging.{LINES}"
        " where _batch_id = 'b1' and _source_row = 2", set()),
    "staged_batches-not_from_the_future": ("update ops.batches set ds = '2026-03-11' where batch_id = 'b4'", set()),
    f"{LINES}-order_id_present": _line("order_id = null"),
    f"{LINES}-item_id_present": _line("item_id = null"),
    f"{LINES}-ordered_at_present": _line("ordered_at = null"),
    f"{LINES}-quantity_not_negative": _line("quantity = -1"),
    f"{LINES}-unit_price_not_negative": _line("unit_price = null"),
    f"{LINES}-paid_after_ordered": _line("paid_at = timestamp '2026-03-09 23:59:59'"),
    f"{LINES}-ordered_before_export": _line("ordered_at = timestamp '2026-03-11 16:00:01'"),
    f"{LINES}-ids_unmasked": _line("customer_id = 'm**1'"),
    f"{EVENTS}-event_at_present": _event("event_at = null"),
    f"{EVENTS}-visitor_id_present": _event("visitor_id = null"),
    f"{EVENTS}-event_type_known": _event("event_type = null"),
    f"{EVENTS}-happened_before_export": _event("event_at = timestamp '2026-03-11 16:00:01'"),
    f"{EVENTS}-ids_unmasked": _event("customer_id = 'm**1'"),
    "stg_generic__traffic_sources-business_date_present": (
        "update staging.stg_generic__traffic_sources set business_date = null", set()),
    "stg_generic__traffic_sources-visitors_not_negative": (
        "update staging.stg_generic__traffic_sources set visitor_count = -1", set()),
    "stg_generic__members-ids_unmasked": ("update staging.stg_generic__members set customer_id = 'm**1'", set()),
    "stg_generic__consents-is_granted_present": ("update vault.stg_generic__consents set is_granted = null", set()),
    "stg_generic__suppressions-cause_known": ("update vault.stg_generic__suppressions set cause = 'other'", set()),
    "stg_generic__suppressions-recorded_at_present": (
        "update vault.stg_generic__suppressions set recorded_at = null", set()),
    "stg_generic__consents-recorded_at_present": ("update vault.stg_generic__consents set recorded_at = null", set()),
}  # fmt: skip


@pytest.fixture
def ctx(tmp_path: Path) -> RunContext:
    return RunContext.of("default", "2026-03-10", home=Home(tmp_path))


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    opened = duckdb.connect()
    yield opened
    opened.close()


@pytest.mark.parametrize("name", sorted(SUITES))
def test_good_staging_passes_every_check(ctx: RunContext, connection: duckdb.DuckDBPyConnection, name: str) -> None:
    staging_world.build(ctx, connection)
    assert bad_ids(report_of(connection, SUITES[name], {})) == set()


@pytest.mark.parametrize("check_id", sorted(FAULTS))
def test_a_fault_fails_its_check_and_no_other(
    ctx: RunContext, connection: duckdb.DuckDBPyConnection, check_id: str
) -> None:
    fault, implied = FAULTS[check_id]
    staging_world.build(ctx, connection, fault)
    suite = SUITES[check_id.partition("-")[0]]
    others = [other for other in SUITES.values() if other is not suite]
    # A batch of a later date leaves its group without one of today: a warning of its own.
    found = bad_ids(report_of(connection, suite, {})) | bad_ids_by_sql(connection, others, {}) - {"staged_groups-fresh"}
    assert found == {check_id, *implied}


@pytest.mark.parametrize("name", sorted(SUITES))
def test_an_empty_relation_fails_unless_its_suite_or_the_run_says_why(
    ctx: RunContext, connection: duckdb.DuckDBPyConnection, name: str
) -> None:
    schema = "vault" if name in IN_VAULT else "staging"
    emptied = f"delete from {schema}.{name}" if name.startswith("stg_") else ""
    staging_world.build(ctx, connection, emptied)
    if not emptied:
        connection.execute(f"delete from staging.{name}")
    suite = SUITES[name]
    expected = set() if suite.may_be_empty else {suite.is_there_id}
    assert bad_ids(report_of(connection, suite, {})) == expected


def test_only_what_the_new_batches_feed_is_asked(ctx: RunContext, connection: duckdb.DuckDBPyConnection) -> None:
    staged = staging_world.build(ctx, connection, "update ops.batches set is_pending = source = 'traffic_events'")
    assert staged.objects == ("staged_batches", "staged_groups", EVENTS)
    assert staged.empty_is_fine == {}


def test_without_a_new_batch_only_the_batches_and_groups_are_asked(
    ctx: RunContext, connection: duckdb.DuckDBPyConnection
) -> None:
    staged = staging_world.build(ctx, connection, "update ops.batches set is_pending = false")
    assert staged.objects == ("staged_batches", "staged_groups")
    assert set(staged.empty_is_fine) == {"staged_batches"}
    assert connection.execute("select count(*) from staging.staged_batches").fetchone() == (0,)


def test_a_generic_export_without_a_sound_row_is_no_empty_relation_that_is_fine(
    ctx: RunContext, connection: duckdb.DuckDBPyConnection
) -> None:
    staged = staging_world.build(
        ctx,
        connection,
        "delete from staging.stg_generic__members; update ops.batches set rows_quarantined = 1 where batch_id = 'b4';"
        "insert into vault.stg_generic__quarantined_rows select * replace ('b4' as _batch_id, '/raw/b4.parquet' as"
        " _raw_file) from vault.stg_generic__quarantined_rows",
    )
    assert staged.empty_is_fine == {}
    assert bad_ids(report_of(connection, SUITES["stg_generic__members"], {})) == {"stg_generic__members-is_there"}


def test_a_new_batch_of_an_unknown_kind_has_lost_its_rows(
    ctx: RunContext, connection: duckdb.DuckDBPyConnection
) -> None:
    staging_world.build(ctx, connection, "update ops.batches set source = 'leaflets' where batch_id = 'b4'")
    assert bad_ids(report_of(connection, SUITES["staged_batches"], {})) == {"staged_batches-rows_conserved"}
