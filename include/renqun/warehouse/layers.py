"""The two layers of a build, each one dbt process that resumes where it failed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from renqun.errors import RenqunError
from renqun.ingest.catalogue import get_source
from renqun.lock import exclusive
from renqun.publish.layout import SOURCES_WITHOUT_PEOPLE
from renqun.run import RunContext
from renqun.settings import Settings
from renqun.storage import write_json_atomically
from renqun.warehouse.dbt import NodeResult, read_results, run_dbt
from renqun.warehouse.plan import BuildPlan, progress_file, require_current
from renqun.warehouse.reevaluate import reevaluate

Layer = Literal["staging", "marts"]

# A test that compares models of both layers runs once, in the layer that has all of them.
_TESTS_ONCE = ("--indirect-selection", "buildable")
_BELOW_MARTS = ("seeds", "models/staging", "models/intermediate")
_FED_ONLY_BY: dict[str, Callable[[str], bool]] = {
    "path:models/*/ga4": lambda source: source == "ga4_events",
    "path:models/*/marketing": lambda source: get_source(source).group == "marketing",
    "path:models/*/traffic": lambda source: source in SOURCES_WITHOUT_PEOPLE,
    "agg_shop_kpis__reconciled": lambda source: source == "sycm_shop_daily",
    "agg_kpi_gaps__by_day": lambda source: source == "sycm_shop_daily",
}
"""Models, and the exports that feed them: without these they have no row."""
_UNHEALTHY = {"error", "fail", "runtime error", "skipped"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LayerReport:
    """What a layer's run made: every node's state, rows and seconds, and whether it went on from a failed try."""

    layer: Layer
    resumed: bool
    seconds: float
    nodes: tuple[NodeResult, ...]


class _Progress(BaseModel):
    """How far a layer of a build has come; kept beside dbt's own files, so that a next try can go on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    build_id: str
    is_done: bool


def build_layer(ctx: RunContext, plan: BuildPlan, layer: Layer) -> LayerReport:
    """Run dbt for one layer of a build.

    Where an earlier try of the same build failed in this layer, only what failed or was skipped is run
    (`dbt retry`); where it was done already, and nothing else has touched the warehouse since, nothing is.

    Raises:
        BuildSuperseded: another run has claimed the warehouse.
        GateFailed: a test of a model failed.
        TechnicalError: a model or dbt itself failed.
    """
    build = plan.context(ctx)
    progress = progress_file(ctx, layer)
    work = progress.parent
    with exclusive(
        ctx.paths.writer_lock,
        f"build_layer {layer} as of {plan.as_of}",
        timeout_seconds=Settings().lock_timeout_seconds,
    ) as lock:
        require_current(ctx, plan)
        started = time.monotonic()
        earlier = _load_progress(progress)
        resumes = earlier is not None and earlier.build_id == plan.build_id
        if resumes and earlier is not None and earlier.is_done:
            logger.info("layer %s of build %s is built already", layer, plan.build_id)
            done = tuple(read_results(work / "target", build.paths.warehouse))
            return LayerReport(layer, True, 0.0, done)
        if layer == "marts" and plan.reevaluate and not resumes:
            reevaluate(ctx, plan)
        retries = resumes and _has_failed_nodes(work, build.paths.warehouse)
        command = ["retry"] if retries else ["build", *_TESTS_ONCE, "--select", *selection(plan, layer)]
        if plan.full_refresh and not retries:
            command.append("--full-refresh")
        _save_progress(progress, _Progress(build_id=plan.build_id, is_done=False))
        try:
            nodes = run_dbt(
                build,
                warehouse=build.paths.warehouse,
                work=work,
                command=command,
                lock=lock,
            )
        except RenqunError:
            failed = tuple(read_results(work / "target", build.paths.warehouse))
            _record(build, plan, LayerReport(layer, retries, time.monotonic() - started, failed))
            raise
        _save_progress(progress, _Progress(build_id=plan.build_id, is_done=True))
        report = LayerReport(layer, retries, round(time.monotonic() - started, 3), tuple(nodes))
        _record(build, plan, report)
    return report


def selection(plan: BuildPlan, layer: Layer) -> list[str]:
    """What dbt is told to build for a layer.

    A build that continues leaves out what cannot have changed: seeds, the staging of sources that the shop has no file
    of, and the models that only such sources feed (relations without a row). A node costs dbt more than a small shop's
    rows do.
    """
    if not plan.continues:
        return ["path:models/marts"] if layer == "marts" else [f"path:{it}" for it in _BELOW_MARTS]
    unfed = [models for models, feeds in _FED_ONLY_BY.items() if not any(map(feeds, plan.sources))]
    without = ["--exclude", *unfed] if unfed else []
    if layer == "marts":
        return ["path:models/marts", *without]
    staging = [f"source:raw.{source}+1,path:models/staging" for source in plan.sources]
    return [*staging, "path:models/intermediate", *without]


def _has_failed_nodes(work: Path, warehouse: Path) -> bool:
    return any(node.state in _UNHEALTHY for node in read_results(work / "target", warehouse))


def _load_progress(file: Path) -> _Progress | None:
    return _Progress.model_validate_json(file.read_text(encoding="utf-8")) if file.exists() else None


def _save_progress(file: Path, progress: _Progress) -> None:
    write_json_atomically(file, progress.model_dump())


def _record(ctx: RunContext, plan: BuildPlan, report: LayerReport) -> None:
    """Keep the report for `renqun status`, and log each model's state, rows and seconds."""
    for node in report.nodes:
        if node.kind != "test":
            logger.info("%-45s %-8s %10s rows %8.2f s", node.name, node.state, node.rows, node.seconds)
    folder = ctx.paths.quality / "builds" / plan.as_of.isoformat() / plan.build_id
    write_json_atomically(folder / f"{report.layer}.json", {**asdict(report), "run_id": ctx.run_id})
