"""The last step of publishing audiences: audited files become visible, the pointer moves last."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from renqun.errors import GateFailed, TechnicalError
from renqun.lock import exclusive
from renqun.publish import files
from renqun.publish.catalogue_file import refresh_catalogue
from renqun.publish.contracts import write_contract
from renqun.publish.history import AudienceFolder, AudienceVersion, Outcome
from renqun.publish.manifest import MANIFEST_NAME, AudienceManifest, GateRecord, read_audience_manifest, to_text
from renqun.publish.selection import Selection, WorkFolder, size_alarm
from renqun.publish.trigger_steps import require_same_ledger
from renqun.publish.withdrawal import finish_withdrawal
from renqun.publish.writing import STAGING_PREFIX, staged_folder
from renqun.run import RunContext
from renqun.settings import Settings
from renqun.storage import sha256_of

GATE_STAGES = ("audience", "published")
"""No version is visible without a verdict of both."""

_GATE_NAMES = {"audience": "the gate on its rows", "published": "the gate on its written files"}


@dataclass(frozen=True)
class PromotionReport:
    """What became of every audience."""

    as_of: date
    outcomes: tuple[Outcome, ...]
    new_versions: tuple[str, ...]
    """`<audience>/<version>` of what was not published before."""

    @property
    def held_back(self) -> tuple[Outcome, ...]:
        """The audiences that wait for somebody to look at them."""
        return tuple(one for one in self.outcomes if one.status == "held_back")

    def require_none_held_back(self) -> None:
        """End the run with exit code 1 where an audience was held back; the others are published.

        Raises:
            GateFailed: one was.
        """
        if self.held_back:
            lines = [f"  - {one.audience_id}: {one.reason}" for one in self.held_back]
            raise GateFailed(
                "\n".join([f"held back as of {self.as_of}, all other audiences are published:", *lines]),
                where=f"published/audiences/<audience>/as_of={self.as_of}/outcome.json",
                remedy="look at 'renqun audience preview'; where the change is right, release the audience"
                " and run again; what was published of it before still stands",
            )


def promote(
    ctx: RunContext, *, provenance: Mapping[str, Any] | None = None, move_pointer: bool = True
) -> PromotionReport:
    """Make every audited version visible.

    An audience without a verdict of both gates, with a failed one, or with a change beyond its size window is held
    back; the others are published. A version that is there already is not written again. The pointer never moves
    back to an older business date.

    Args:
        ctx: the run.
        provenance: code revision, times and whatever else explains the run; no version depends on it.
        move_pointer: False for a build of a past date on purpose.

    Raises:
        TechnicalError: the disk is full, files changed behind the gate's back, or another run was faster.
    """
    timeout = Settings().lock_timeout_seconds
    with exclusive(ctx.paths.writer_lock, f"promote_audiences {ctx.ds}", timeout_seconds=timeout):
        work = WorkFolder.of(ctx)
        outcomes: list[Outcome] = []
        new: list[str] = []
        for one in work.selection().audiences:
            folder = AudienceFolder.of(ctx.paths, one.audience.id)
            try:
                finish_withdrawal(folder)
                outcome, is_new = _settle(ctx, one, folder, work, provenance or {}, move_pointer)
            except OSError as error:
                raise TechnicalError(
                    f"the audience {one.audience.id!r} was not published: {error}",
                    where=str(folder.root),
                    remedy="free disk space or mend what is named above, then run again;"
                    " what was published before is untouched",
                ) from error
            outcomes.append(outcome)
            if is_new:
                new.append(f"{outcome.audience_id}/{outcome.version}")
            _sweep(folder, ctx.ds)
        refresh_catalogue(ctx.paths, ctx.shop.id)
    return PromotionReport(ctx.ds, tuple(outcomes), tuple(new))


def _settle(
    ctx: RunContext,
    one: Selection,
    folder: AudienceFolder,
    work: WorkFolder,
    provenance: Mapping[str, Any],
    move_pointer: bool,
) -> tuple[Outcome, bool]:
    """Bring one audience to its end: what became of it, and whether a version is new."""
    baseline = folder.baseline(ctx.ds)
    # Equal content may have come from a run that was faster, or from this task before it was cleared.
    if baseline and baseline.manifest.content_key() == one.content_key:
        return _record_version(folder, one, baseline.manifest), False
    if one.state == "not_applicable":
        return _record(folder, ctx, one, "not_applicable", one.reason), False
    objection = one.reason if one.state == "held_back" else _objection(one, work, baseline)
    if objection:
        return _record(folder, ctx, one, "held_back", objection), False
    _require_same_baseline(one, baseline, folder)
    require_same_ledger(one.audience, folder, one.content_key or "", one.ledger)
    version, is_new = _publish(ctx, one, folder, work, provenance)
    outcome = _record_version(folder, one, version.manifest)
    if move_pointer and _may_point(folder, ctx.ds):
        folder.point_to(version)
        files.flush_folder(folder.root)
    return outcome, is_new


def _objection(one: Selection, work: WorkFolder, baseline: AudienceVersion | None) -> str | None:
    for stage in GATE_STAGES:
        verdict = work.verdict(one.audience.id, stage)
        if verdict is not None and verdict.failure:
            return verdict.failure
        if verdict is None or not verdict.gates or verdict.members_sha256 != one.members_sha256:
            return f"{_GATE_NAMES[stage]} was not asked"
        if any(gate.verdict == "failed" for gate in verdict.gates):
            return f"{_GATE_NAMES[stage]} failed"
    if one.is_released:
        return None
    return size_alarm(one.audience, baseline.manifest.counts.members if baseline else 0, one.members)


def _require_same_baseline(one: Selection, baseline: AudienceVersion | None, folder: AudienceFolder) -> None:
    expected = one.previous.version if one.previous else None
    found = baseline.version if baseline else None
    if found != expected:
        raise TechnicalError(
            f"the audience {one.audience.id!r} was published or withdrawn by somebody else meanwhile",
            where=str(folder.root),
            remedy="run publish_audiences again: what is added and removed has to be compared anew",
        )


def _publish(
    ctx: RunContext, one: Selection, folder: AudienceFolder, work: WorkFolder, provenance: Mapping[str, Any]
) -> tuple[AudienceVersion, bool]:
    staging = staged_folder(ctx, one)
    draft = _audited_draft(staging, one)
    target = folder.day(ctx.ds) / draft.version
    if target.is_dir():
        shutil.rmtree(staging, ignore_errors=True)
        folder.lift_withdrawal(draft.version)
        return folder.load(ctx.ds, draft.version), False
    gates: list[GateRecord] = []
    for stage in GATE_STAGES:
        verdict = work.verdict(one.audience.id, stage)
        gates.extend(verdict.gates if verdict else ())
    stands_apart = {"run_id": ctx.run_id, "sequence": folder.next_sequence()}
    manifest = draft.model_copy(update={"gates": tuple(gates), "provenance": dict(provenance) | stands_apart})
    (staging / MANIFEST_NAME).write_text(to_text(manifest), encoding="utf-8", newline="\n")
    files.seal(staging)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging.rename(target)
    files.flush_folder(target.parent)
    version = folder.load(ctx.ds, manifest.version)
    write_contract(folder, version)
    return version, True


def _audited_draft(staging: Path, one: Selection) -> AudienceManifest:
    """The draft of the staged files, which must still be the ones that were audited."""
    draft = read_audience_manifest(staging)
    found = {file.name: sha256_of(file) for file in staging.iterdir() if file.name != MANIFEST_NAME}
    files.require_equal(
        found,
        {name: entry.sha256 for name, entry in draft.files.items()},
        what=f"files of {one.audience.id}",
        where=[staging],
    )
    files.require_equal(draft.computed_version(), draft.version, what="version", where=[staging])
    return draft


def _may_point(folder: AudienceFolder, as_of: date) -> bool:
    pointer = folder.pointer()
    return pointer is None or pointer.as_of <= as_of


def _record_version(folder: AudienceFolder, one: Selection, manifest: AudienceManifest) -> Outcome:
    outcome = Outcome(
        audience_id=one.audience.id,
        as_of=manifest.as_of,
        status=manifest.status,
        version=manifest.version,
        members=manifest.counts.members,
        reason="nobody is in it" if manifest.status == "empty" else None,
        content_key=one.content_key,
    )
    folder.record(outcome)
    return outcome


def _record(folder: AudienceFolder, ctx: RunContext, one: Selection, status: Any, reason: str | None) -> Outcome:
    outcome = Outcome(
        audience_id=one.audience.id,
        as_of=ctx.ds,
        status=status,
        members=one.members if status == "held_back" else None,
        reason=reason,
        content_key=one.content_key,
    )
    folder.record(outcome)
    return outcome


def _sweep(folder: AudienceFolder, as_of: date) -> None:
    """Remove staged files of this date and of older ones: held-back content is written anew when it is released."""
    for staging in folder.root.glob(f"{STAGING_PREFIX}*"):
        if staging.name.removeprefix(STAGING_PREFIX)[:10] <= as_of.isoformat():
            shutil.rmtree(staging, ignore_errors=True)
