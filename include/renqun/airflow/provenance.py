"""What a published version says of where it comes from: code, times, gates. No version depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from renqun.observe.watching import code_revision
from renqun.run import RunContext

if TYPE_CHECKING:
    from renqun.publish.manifest import GateRecord
    from renqun.quality.suite import Stage


def origin() -> dict[str, str | None]:
    """When, and by which code."""
    return {"published_at": datetime.now(UTC).isoformat(timespec="seconds"), "code_revision": code_revision()}


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
