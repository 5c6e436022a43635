"""The two audience gates, asked for each audience on its own: one that fails holds back that audience only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from renqun.errors import GateFailed
from renqun.lock import exclusive
from renqun.publish import layout
from renqun.publish.delivering import private_files
from renqun.publish.directory import opened_directory
from renqun.publish.forbidden import write_forbidden
from renqun.publish.history import AudienceFolder
from renqun.publish.manifest import GateRecord
from renqun.publish.rules import SegmentRule
from renqun.publish.selection import AudienceVerdict, Selection, WorkFolder, opened_marts
from renqun.publish.trigger_lists import ledger_of
from renqun.publish.trigger_steps import list_file
from renqun.publish.versions import find_marts
from renqun.publish.writing import staged_folder, staged_selections
from renqun.quality.verdict import GateReport
from renqun.run import RunContext
from renqun.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GatingReport:
    """Which audiences passed a gate and which it holds back, with the reason."""

    stage: str
    passed: tuple[str, ...]
    held_back: dict[str, str]


def gate_members(ctx: RunContext) -> GatingReport:
    """Ask the gate on the rows of every selected audience.

    An audience that fails is held back; the run goes on with the others, and `promote` ends it with exit code 1.
    """
    from renqun.quality.gates import gate_audience

    work = WorkFolder.of(ctx)
    selection = work.selection()
    marts = find_marts(ctx.paths, as_of=selection.marts.as_of, version=selection.marts.version)

    def ask(one: Selection) -> GateReport:
        folder = AudienceFolder.of(ctx.paths, one.audience.id)
        previous = folder.load(one.previous.as_of, one.previous.version) if one.previous else None
        include = one.audience.include
        return gate_audience(
            ctx,
            one.audience.id,
            work.members_file(one.audience.id),
            marts.folder / layout.MARTS_DATABASE,
            previous.members_file if previous else None,
            max_change_share=None if one.is_released else float(one.audience.size_window.max_change_share),
            min_previous=one.audience.size_window.min_previous,
            segment_id=include.segment if isinstance(include, SegmentRule) else None,
        )

    return _ask_all(ctx, "audience", selection.selected(), ask)


def gate_files(ctx: RunContext) -> GatingReport:
    """Ask the gate on the written files of every audience that has some: suppression and consent as they are now.

    Raises:
        GateFailed: consent or suppression has arrived that the warehouse has not read.
    """
    from renqun.quality.gates import gate_published

    work = WorkFolder.of(ctx)
    staged = staged_selections(ctx)
    marts = work.selection().marts
    found = find_marts(ctx.paths, as_of=marts.as_of, version=marts.version)
    timeout = Settings().lock_timeout_seconds
    with (
        exclusive(ctx.paths.writer_lock, f"gate_files {ctx.ds}", timeout_seconds=timeout),
        opened_marts(found) as opened,
        opened_directory(ctx, opened) as directory,
        private_files(),
    ):
        for one in staged:
            write_forbidden(ctx, directory, one.audience, work.forbidden_file(one.audience.id))

    def ask(one: Selection) -> GateReport:
        audience_id = one.audience.id
        members = work.members_file(audience_id)
        forbidden = work.forbidden_file(audience_id)
        if one.trigger is None:
            return gate_published(ctx, audience_id, staged_folder(ctx, one), members, forbidden)
        sent = ledger_of(AudienceFolder.of(ctx.paths, audience_id), one.content_key or "").files
        lists = [Path(file) for file in sent]
        return gate_published(ctx, audience_id, staged_folder(ctx, one), members, forbidden, list_file(members), lists)

    return _ask_all(ctx, "published", staged, ask)


def records_of(report: GateReport) -> tuple[GateRecord, ...]:
    """A gate's report as a manifest keeps it: one record an object."""
    return tuple(
        GateRecord(
            stage=suite.stage,
            object=suite.object,
            verdict="failed"
            if not suite.passed
            else "passed_with_warnings"
            if any(check.is_bad for check in suite.checks)
            else "passed",
            checks=len(suite.checks),
            warnings=tuple(check.id for check in suite.checks if check.is_bad and not check.stops),
        )
        for suite in report.suites
    )


def _ask_all(
    ctx: RunContext, stage: str, selections: tuple[Selection, ...], ask: Callable[[Selection], GateReport]
) -> GatingReport:
    from renqun.quality.gate import render_docs

    work = WorkFolder.of(ctx)
    passed: list[str] = []
    held_back: dict[str, str] = {}
    for one in selections:
        audience_id = one.audience.id
        gates: tuple[GateRecord, ...] = ()
        failure: str | None = None
        try:
            gates = records_of(ask(one))
            passed.append(audience_id)
        except GateFailed as error:
            failure = held_back[audience_id] = error.what
            logger.error("%s", error)
        verdict = AudienceVerdict(members_sha256=one.members_sha256 or "", gates=gates, failure=failure)
        work.keep_verdict(audience_id, stage, verdict)
    render_docs(ctx)
    return GatingReport(stage, tuple(passed), held_back)
