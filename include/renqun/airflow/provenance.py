"""What a published version says of where it comes from: code, times, gates. No version depends on it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from renqun.run import RunContext
from renqun.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from renqun.publish.manifest import GateRecord
    from renqun.quality.suite import Stage
    from renqun.warehouse.plan import BuildPlan


def origin() -> dict[str, str | None]:
    """When, and by which code."""
    return {"published_at": datetime.now(UTC).isoformat(timespec="seconds"), "code_revision": _code_revision()}


def gate_records(ctx: RunContext, stages: Sequence[Stage]) -> list[GateRecord]:
    """What this run's gates said of each object."""
    from renqun.publish.manifest import GateRecord
    from renqun.quality.results import load, stored_results

    reports = [load(file) for file in stored_results(ctx.paths) if file.parent.parent.name == str(ctx.ds)]
    return [
        GateRecord(
            stage=report.stage,
            object=report.object,
            verdict="failed" if not report.passed else "passed_with_warnings" if warned else "passed",
            checks=len(report.checks),
            warnings=warned,
        )
        for report in reports
        if report.run_id == ctx.run_id and report.stage in stages
        for warned in [tuple(check.id for check in report.checks if check.is_bad and not check.stops)]
    ]


def touched_dates(ctx: RunContext, plan: BuildPlan) -> set[date] | None:
    """Business dates whose events may differ from those published before; None where any may."""
    from renqun.lock import exclusive
    from renqun.settings import Settings
    from renqun.warehouse.connection import connect, has_table

    if plan.full_refresh or not plan.is_latest:
        return None
    timeout = Settings().lock_timeout_seconds
    with (
        exclusive(ctx.paths.writer_lock, f"touched dates {plan.as_of}", timeout_seconds=timeout),
        connect(ctx.paths.warehouse, read_only=True) as connection,
    ):
        if not has_table(connection, "intermediate", "int_touched_dates"):
            return None
        rows = connection.execute("select touched_date from intermediate.int_touched_dates").fetchall()
    return {row[0] for row in rows}


def _code_revision() -> str | None:
    if revision := os.environ.get("RENQUN_REVISION"):
        return revision
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True, timeout=5
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
