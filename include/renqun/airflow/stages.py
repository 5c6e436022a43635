"""What each task does: the run's context, one call into the pipeline, a small record for XCom and the log.

Heavy packages are imported inside, so that a task pays only for what it uses.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from renqun.airflow.conf import DagRunLike, RunConf, context_of, days_of
from renqun.airflow.recording import recorded
from renqun.errors import AlreadyBuilt, RenqunError
from renqun.settings import Group

if TYPE_CHECKING:
    from renqun.quality.verdict import GateReport
    from renqun.run import RunContext
    from renqun.warehouse.layers import Layer
    from renqun.warehouse.plan import BuildPlan

logger = logging.getLogger(__name__)


class PlanNote(TypedDict):
    """A build, as the tasks of a DAG run pass it on."""

    build_id: str
    as_of: str


class Completeness(TypedDict):
    """Which expected groups a date still misses."""

    date: str
    missing: list[str]


@recorded("receive_files")
def receive(shop_id: str, dag_run: DagRunLike, group: Group) -> dict[str, Any]:
    """Landing → raw/incoming."""
    from renqun.ingest.days import require_last_day
    from renqun.ingest.receive import receive_files

    ctx = context_of(shop_id, dag_run)
    days = days_of(dag_run)
    report = receive_files(ctx.home, ctx.shop, group, days, on_file=lambda where: logger.info("reading %s", where))
    for left in report.left_alone:
        logger.warning("left alone: %s (%s)", left.where, left.why)
    is_expected = group in ctx.shop.expect
    if is_expected:
        require_last_day(ctx.home, ctx.shop, report)
    return {
        "batch_ids": list(report.batch_ids),
        "batches": len(report.batches),
        "rows": sum(batch.rows_read for batch in report.batches),
        "quarantined": sum(batch.rows_quarantined for batch in report.batches),
        "known_already": len(report.duplicates),
        "withdrawn": len(report.withdrawn),
        "left_alone": [left.where for left in report.left_alone],
        "days_without_file": [str(day) for day in report.days_without_file] if is_expected else [],
    }


@recorded("gate_raw")
def check_raw(shop_id: str, dag_run: DagRunLike, group: Group) -> dict[str, Any]:
    """The gate on batches in raw/incoming."""
    from renqun.quality.gates import gate_raw

    return _verdict(gate_raw(context_of(shop_id, dag_run), group, days_of(dag_run)))


@recorded("promote_batches")
def promote_batches(shop_id: str, dag_run: DagRunLike, group: Group, batch_ids: Sequence[str]) -> dict[str, Any]:
    """raw/incoming → accepted raw: what this run received before its gate, and nothing that has come since."""
    from renqun.ingest import promote

    ctx = context_of(shop_id, dag_run)
    report = promote.promote_batches(ctx.home, ctx.shop, group, days_of(dag_run), batch_ids=batch_ids)
    return {"accepted": len(report.promoted), "rows": sum(batch.rows_read for batch in report.promoted)}


@recorded("announce_exports")
def completeness(shop_id: str, dag_run: DagRunLike) -> Completeness:
    """Which groups the run's last date still misses."""
    from renqun.ingest.days import missing_groups

    ctx = context_of(shop_id, dag_run)
    return {"date": str(ctx.ds), "missing": list(missing_groups(ctx.home, ctx.shop, ctx.ds))}


def is_published(shop_id: str, dag_run: DagRunLike) -> bool:
    """Whether marts and audiences of the run's date are published."""
    from renqun.observe.lateness import lacking

    ctx = context_of(shop_id, dag_run)
    return not lacking(ctx.home, ctx.shop, ctx.ds)


@recorded("plan_build")
def plan(shop_id: str, dag_run: DagRunLike) -> PlanNote | None:
    """What to build; None where nothing is new."""
    from renqun.warehouse.plan import plan_build

    conf = RunConf.parse(dag_run.conf)
    planned = plan_build(context_of(shop_id, dag_run), as_of=conf.as_of, full_refresh=conf.full_refresh)
    if planned is None:
        return None
    logger.info("build %s as of %s: %d new batches", planned.build_id, planned.as_of, len(planned.pending))
    return {"build_id": planned.build_id, "as_of": str(planned.as_of)}


@recorded(lambda note, layer: f"build_{layer}")
def build(shop_id: str, dag_run: DagRunLike, note: PlanNote, layer: Layer) -> dict[str, Any]:
    """One layer of models; a next try goes on with what had failed."""
    from renqun.warehouse.layers import build_layer

    ctx, planned = _planned(shop_id, dag_run, note)
    report = build_layer(ctx, planned, layer)
    models = [node for node in report.nodes if node.kind != "test"]
    return {
        "models": len(models),
        "tests": len(report.nodes) - len(models),
        "rows": sum(node.rows or 0 for node in models),
        "resumed": report.resumed,
    }


@recorded("gate_staging")
def check_staging(shop_id: str, dag_run: DagRunLike, note: PlanNote) -> dict[str, Any]:
    """The gate on staging."""
    from renqun.quality.gates import gate_staging

    ctx, planned = _planned(shop_id, dag_run, note)
    return _verdict(gate_staging(planned.context(ctx)))


@recorded("gate_marts")
def check_marts(shop_id: str, dag_run: DagRunLike, note: PlanNote) -> dict[str, Any]:
    """The gate on marts."""
    from renqun.quality.gates import gate_marts

    ctx, planned = _planned(shop_id, dag_run, note)
    return _verdict(gate_marts(planned.context(ctx)))


@recorded("publish_marts")
def publish(shop_id: str, dag_run: DagRunLike, note: PlanNote) -> dict[str, Any]:
    """Audited marts → an immutable version; the build is finished once it is visible."""
    from renqun.airflow.provenance import gate_records, origin
    from renqun.publish.marts import publish_marts
    from renqun.warehouse.plan import finish_build, require_batches
    from renqun.warehouse.touched import touched_dates

    ctx, planned = _planned(shop_id, dag_run, note)
    build_ctx = planned.context(ctx)
    require_batches(ctx, planned)
    version = publish_marts(
        build_ctx,
        build_id=planned.build_id,
        as_of=planned.as_of,
        provenance=origin(),
        is_latest=planned.is_latest,
        touched_dates=touched_dates(build_ctx, planned),
        gates=gate_records(build_ctx, ("staging", "marts")),
    )
    finish_build(ctx, planned)
    if planned.reevaluate:
        _restate(ctx)
    rows = sum(entry.rows for entry in version.manifest.tables.values())
    return {"as_of": str(planned.as_of), "version": version.version, "is_new": version.is_new, "rows": rows}


def maintain(shop_id: str) -> dict[str, Any]:
    """What has had its time goes, by the shop's rules."""
    from datetime import UTC, datetime

    from renqun.settings import Home
    from renqun.upkeep.maintenance import maintain as apply_rules

    home = Home.from_environment()
    report = apply_rules(home, home.shop(shop_id), now=datetime.now(UTC))
    for one in report.removals:
        logger.info("removed by %s: %s", one.rule, one.path)
    return {"removed": len(report.removals), "bytes": report.bytes, "compacted": report.compacted is not None}


def _restate(ctx: RunContext) -> None:
    """Say which published versions would be others by now; the marts are published, whatever comes of this."""
    from renqun.upkeep import restatement

    try:
        file = restatement.keep(ctx.paths, restatement.restatement(ctx.paths, ctx.shop.id))
        logger.info("late exports touched earlier dates; what would differ: %s", file)
    except RenqunError as error:
        logger.warning("what late exports changed was not worked out: %s", error.what)


@recorded("select_members")
def select(shop_id: str, dag_run: DagRunLike) -> dict[str, Any]:
    """Published marts → the members of every audience."""
    from renqun.publish.audiences import select_members

    report = select_members(context_of(shop_id, dag_run))
    chosen = {one.audience.id: one.members if one.state == "selected" else one.state for one in report.audiences}
    return {"rows": sum(one for one in chosen.values() if isinstance(one, int)), **chosen}


@recorded("gate_audience")
def check_audience(shop_id: str, dag_run: DagRunLike) -> dict[str, Any]:
    """The gate on the selected rows; an audience that fails is held back, the others go on."""
    from renqun.publish.audiences import gate_members

    report = gate_members(context_of(shop_id, dag_run))
    return {"passed": len(report.passed), "held_back": sorted(report.held_back)}


@recorded("write_files")
def write(shop_id: str, dag_run: DagRunLike) -> dict[str, Any]:
    """Members → files, not yet visible."""
    from renqun.publish.audiences import write_files

    return {"written": len(write_files(context_of(shop_id, dag_run)).written)}


@recorded("gate_published")
def check_published(shop_id: str, dag_run: DagRunLike) -> dict[str, Any]:
    """The gate on the written files; an audience that fails is held back, the others go on."""
    from renqun.publish.audiences import gate_files

    report = gate_files(context_of(shop_id, dag_run))
    return {"passed": len(report.passed), "held_back": sorted(report.held_back)}


@recorded("promote_audiences")
def promote_audiences(shop_id: str, dag_run: DagRunLike) -> dict[str, Any]:
    """Audited files → visible versions, in the object store too where the shop has one; ends with an error where an
    audience was held back."""
    from renqun.airflow.provenance import origin
    from renqun.publish.audiences import promote
    from renqun.publish.mirror import mirror_audiences
    from renqun.publish.versions import latest_marts

    ctx = context_of(shop_id, dag_run)
    latest = latest_marts(ctx.paths)
    is_newest = latest is None or latest.as_of <= ctx.ds
    report = promote(ctx, provenance=origin(), move_pointer=is_newest)
    if mirrored := mirror_audiences(ctx.paths, ctx.shop):
        logger.info("%s: %d new versions", mirrored.url, len(mirrored.versions))
    report.require_none_held_back()
    members = {one.audience_id: one.members if one.status == "published" else one.status for one in report.outcomes}
    rows = sum(one for one in members.values() if isinstance(one, int))
    return {"as_of": str(ctx.ds), "new_versions": len(report.new_versions), "rows": rows, **members}


def _planned(shop_id: str, dag_run: DagRunLike, note: PlanNote) -> tuple[RunContext, BuildPlan]:
    from airflow.sdk.exceptions import AirflowSkipException

    from renqun.warehouse.plan import load_plan

    ctx = context_of(shop_id, dag_run)
    try:
        return ctx, load_plan(ctx, note["build_id"])
    except AlreadyBuilt as done:
        # The operator's command and the scheduler may work on the same exports: who is second has nothing left to do.
        raise AirflowSkipException(str(done)) from done


def _verdict(report: GateReport) -> dict[str, Any]:
    rows = sum(suite.rows or 0 for suite in report.suites)
    return {name: value for name, value in report.summary().items() if name != "stage"} | {"rows": rows}
