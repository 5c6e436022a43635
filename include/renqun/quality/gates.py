"""The five gates, one function for each gate task: raw, staging, marts, audience rows, written files."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from renqun.lock import exclusive
from renqun.quality import audience_files, list_files, warehouse_relations
from renqun.quality.gate import GateInput, ask, conclude, render_docs, run_gate, workbench
from renqun.quality.raw_batches import make_raw
from renqun.quality.relations import attach, make_run, mirror
from renqun.quality.suite import load_stage, load_suite
from renqun.quality.verdict import GateReport
from renqun.run import RunContext
from renqun.settings import Group, Settings
from renqun.thresholds import shop_vars

logger = logging.getLogger(__name__)


def gate_raw(ctx: RunContext, group: Group, days: Collection[date]) -> GateReport:
    """Look at all incoming batches of a group and these days at once; refuse those that fail.

    A batch that fails moves to `raw/rejected/`, the others stay incoming. Where a failure cannot be pinned on a
    batch, none is moved and none is accepted. Without incoming batches there is nothing to ask.

    Raises:
        GateFailed: after the verdicts were stored and the failed batches moved.
    """
    from renqun.ingest.ledger import accepted_batches, incoming_batches, incoming_parquet
    from renqun.ingest.refusals import ingesting, reject_batches

    # Another run of this shop (the scheduler's, the operator's) must not move the files that are looked at.
    with ingesting(ctx.paths, f"gate_raw {group} {ctx.ds}"):
        incoming = incoming_batches(ctx.paths, group, days)
        if not incoming:
            return GateReport(stage="raw", shop_id=ctx.shop.id, ds=ctx.ds, run_id=ctx.run_id, subject=group, suites=())
        accepted = [record for record in accepted_batches(ctx.paths) if record.group == group]
        with workbench() as connection:
            make_run(connection, ctx, shop_vars(ctx.shop))
            sources = make_raw(connection, [(one, incoming_parquet(ctx.paths, one)) for one in incoming], accepted)
            suites = tuple(load_suite("raw", name) for name in ("batches", *sources))
            # A file whose rows are all set aside is judged by its quarantined share, not by the rows that are left.
            fine = dict.fromkeys(sources, "every row was set aside; the quarantined share decides")
            report = ask("raw", ctx, GateInput(connection, suites, fine, subject=group))
    for reason, batch_ids in _refused(report).items():
        reject_batches(ctx.home, ctx.shop, group, batch_ids, reason)
        logger.error("rejected %s: %s", ", ".join(batch_ids), reason)
    render_docs(ctx)
    conclude(ctx, report, {one.batch_id: f"{one.ds}/{one.file_name}" for one in incoming})
    return report


def gate_staging(ctx: RunContext) -> GateReport:
    """Look at what the build's new batches became in staging, and whether any of their rows was lost.

    Asked are the suites of the staging models that the new batches feed.

    Raises:
        GateFailed: after the verdicts were stored.
    """
    with _warehouse(ctx, "gate_staging") as connection:
        database = attach(connection, ctx.paths.warehouse, "the warehouse")
        warehouse_relations.make_context(connection, ctx, database)
        staged = warehouse_relations.make_staging(connection, ctx, database)
        suites = tuple(load_suite("staging", name) for name in staged.objects)
        report = ask("staging", ctx, GateInput(connection, suites, staged.empty_is_fine))
    render_docs(ctx)
    conclude(ctx, report)
    return report


def gate_marts(ctx: RunContext) -> GateReport:
    """Look at the marts as of `ctx.ds`: keys, domains, the conservation laws, and the days before.

    Raises:
        GateFailed: after the verdicts were stored.
    """
    suites = load_stage("marts")
    with _warehouse(ctx, "gate_marts") as connection:
        database = attach(connection, ctx.paths.warehouse, "the warehouse")
        warehouse_relations.make_context(connection, ctx, database)
        mirror(connection, database, ("intermediate", "marts", "reference", "ops"), suites)
        warehouse_relations.make_mart_columns(connection, database)
        fine = warehouse_relations.absent_groups(connection, suites)
        report = ask("marts", ctx, GateInput(connection, suites, fine))
    render_docs(ctx)
    conclude(ctx, report)
    return report


def gate_audience(
    ctx: RunContext,
    audience_id: str,
    members_parquet: Path,
    marts_file: Path,
    previous_members: Path | None = None,
    *,
    max_change_share: float | None = None,
    min_previous: int = 1,
    segment_id: str | None = None,
) -> GateReport:
    """Look at the members of an audience before a file is written.

    Args:
        ctx: the run.
        audience_id: the audience.
        members_parquet: its members: `customer_key, entered_on, reason`.
        marts_file: the published `marts.duckdb` that they were selected from.
        previous_members: the members published last, if any were.
        max_change_share: how far the number of members may change, as a share of the previous number;
            None where the size was released.
        min_previous: below this many previous members the share is not looked at.
        segment_id: the segment that lets people in, where the rules ask for nothing else.

    Raises:
        GateFailed: after the verdicts were stored.
    """
    with workbench() as connection:
        database = attach(connection, marts_file, "the published marts")
        make_run(connection, ctx, shop_vars(ctx.shop))
        mirror(connection, database, ("marts",))
        audience_files.make_audience(
            connection, audience_id, members_parquet, previous_members, max_change_share, min_previous, segment_id
        )
        given = GateInput(connection, load_stage("audience"), subject=audience_id)
        return run_gate("audience", ctx, given)


def gate_published(
    ctx: RunContext,
    audience_id: str,
    folder: Path,
    members_parquet: Path,
    forbidden_parquet: Path,
    list_parquet: Path | None = None,
    sent: Sequence[Path] = (),
) -> GateReport:
    """Read the written files of an audience back from the disk and look at those.

    Args:
        ctx: the run.
        audience_id: the audience.
        folder: the staging folder with the files and, where it is there already, `manifest.json`.
        members_parquet: the members that the audience gate has passed.
        forbidden_parquet: hashes of the cells that would address somebody who must be left alone:
            `destination, cell_sha256`.
        list_parquet: the trigger list that was chosen; None where the audience has none.
        sent: the trigger lists that were published of the audience before.

    Raises:
        GateFailed: after the verdicts were stored.
    """
    with workbench() as connection:
        make_run(connection, ctx, shop_vars(ctx.shop))
        audience_files.make_published(connection, folder, members_parquet, forbidden_parquet)
        list_files.make_list(connection, folder, list_parquet, sent)
        given = GateInput(connection, load_stage("published"), subject=audience_id)
        return run_gate("published", ctx, given)


@contextmanager
def _warehouse(ctx: RunContext, purpose: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The gate's own connection, for as long as nobody else works on the shop's warehouse."""
    timeout = Settings().lock_timeout_seconds
    with exclusive(ctx.paths.writer_lock, f"{purpose} {ctx.ds}", timeout_seconds=timeout), workbench() as connection:
        yield connection


def _refused(report: GateReport) -> dict[str, list[str]]:
    """Reason → batches to reject: for each batch, all checks that it failed."""
    failed: dict[str, list[str]] = defaultdict(list)
    for check in report.failures:
        for batch_id in check.batches:
            failed[batch_id].append(f"{check.id}: {check.why}")
    reasons: dict[str, list[str]] = defaultdict(list)
    for batch_id, why in failed.items():
        reasons["the raw gate refused it; " + "; ".join(why)].append(batch_id)
    return dict(reasons)
