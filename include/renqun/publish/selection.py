"""The first step of publishing audiences: who is in each of them, as of the date of published marts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from renqun.errors import RequestError
from renqun.lock import exclusive
from renqun.publish import files, layout
from renqun.publish.choosing import Choice, choose_all
from renqun.publish.definitions import Audience, load_audiences
from renqun.publish.delivering import private_files
from renqun.publish.directory import Directory, opened_directory
from renqun.publish.history import AudienceFolder, AudienceVersion
from renqun.publish.manifest import BatchEntry, GateRecord, TriggerEntry, VersionReference, content_key
from renqun.publish.members import Compiler, Marts, require_sound
from renqun.publish.recipients import Reach, needs_consent
from renqun.publish.versions import MartsVersion, find_marts
from renqun.run import RunContext
from renqun.settings import Settings
from renqun.storage import write_text_atomically

State = Literal["selected", "unchanged", "held_back", "not_applicable"]
MEMBER_COLUMNS = (("customer_key", "VARCHAR"), ("entered_on", "DATE"), ("reason", "VARCHAR"))


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Selection(_Record):
    """What was decided on one audience before anything of it was written."""

    audience: Audience
    state: State
    """`selected`: goes on to the gates; `unchanged`: this very content is published already; `held_back`: waits
    for somebody to release it; `not_applicable`: the shop lacks an export that the audience needs."""
    reason: str | None = None
    members: int = 0
    members_sha256: str | None = None
    held_back: dict[str, int] = {}
    """Whom the rules mean and who are no members, by cause."""
    reach: dict[str, Reach] = {}
    """Of each destination that gets identifiers of people: for whom its files are meant."""
    content_sha256: str | None = None
    content_key: str | None = None
    is_released: bool = False
    """Somebody has looked at a change beyond the size window and let it go out."""
    previous: VersionReference | None = None
    trigger: TriggerEntry | None = None
    """Of an audience with a trigger: its list of due messages, which waits beside the members."""
    ledger: str | None = None
    """What of that list was published when it was chosen."""


class SelectionReport(_Record):
    """What `select_members` decided; kept in the work folder for the steps behind it."""

    as_of: date
    marts: VersionReference
    batches: tuple[BatchEntry, ...]
    audiences: tuple[Selection, ...]

    def selected(self) -> tuple[Selection, ...]:
        """The audiences that go on to the gates."""
        return tuple(one for one in self.audiences if one.state == "selected")


class AudienceVerdict(_Record):
    """What a gate said of one audience, and of which rows."""

    members_sha256: str
    gates: tuple[GateRecord, ...]
    failure: str | None = None
    """Why the audience is held back; names checks and counts, never people."""


@dataclass(frozen=True)
class WorkFolder:
    """`<shop>/warehouse/publish/<as_of>/`: what the steps hand to each other; no reader looks here."""

    root: Path

    @classmethod
    def of(cls, ctx: RunContext) -> WorkFolder:
        """The work folder of a run's business date."""
        return cls(ctx.paths.warehouse_dir / "publish" / ctx.ds.isoformat())

    def folder(self, audience_id: str) -> Path:
        """What was chosen for an audience; its recipients are personal data."""
        return self.root / audience_id

    def members_file(self, audience_id: str) -> Path:
        """The selected members of an audience."""
        return self.folder(audience_id) / "members.parquet"

    def forbidden_file(self, audience_id: str) -> Path:
        """Hashes of the cells by which an audience would address people who must be left alone."""
        return self.folder(audience_id) / "forbidden.parquet"

    def verdict(self, audience_id: str, stage: str) -> AudienceVerdict | None:
        """What a gate said of an audience since it was selected; None where it was not asked."""
        file = self._verdict_file(audience_id, stage)
        return AudienceVerdict.model_validate_json(file.read_text(encoding="utf-8")) if file.is_file() else None

    def keep_verdict(self, audience_id: str, stage: str, verdict: AudienceVerdict) -> None:
        """Keep what a gate said of an audience."""
        write_text_atomically(self._verdict_file(audience_id, stage), verdict.model_dump_json(indent=2) + "\n")

    def forget_verdict(self, audience_id: str, stage: str) -> None:
        """A gate has to be asked again."""
        self._verdict_file(audience_id, stage).unlink(missing_ok=True)

    def _verdict_file(self, audience_id: str, stage: str) -> Path:
        return self.root / audience_id / f"gate.{stage}.json"

    @property
    def selection_file(self) -> Path:
        """What was selected."""
        return self.root / "selection.json"

    def selection(self) -> SelectionReport:
        """What `select_members` decided.

        Raises:
            RequestError: it has not run for this date.
        """
        try:
            return SelectionReport.model_validate_json(self.selection_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValidationError) as error:
            raise RequestError(
                "no members were selected for this date",
                where=str(self.selection_file),
                remedy="run publish_audiences from select_members on",
            ) from error


def select_members(
    ctx: RunContext, marts_version: str | None = None, *, audiences: Sequence[Audience] | None = None
) -> SelectionReport:
    """Write the members of every audience, as of `ctx.ds`, into the work folder, and whom destinations may have.

    Suppression, consent and contacts are those of the warehouse now.

    Args:
        ctx: the run; its date is the as-of date of the marts.
        marts_version: which version of the marts; None = the newest of that date.
        audiences: the definitions; None = those of `include/renqun/audiences/`.

    Raises:
        RequestError: no marts of that date, or a definition names what the marts do not have.
        GateFailed: consent or suppression has arrived that the warehouse has not read.
    """
    definitions = load_audiences() if audiences is None else tuple(audiences)
    timeout = Settings().lock_timeout_seconds
    with exclusive(ctx.paths.writer_lock, f"select_members {ctx.ds}", timeout_seconds=timeout):
        marts = find_marts(ctx.paths, as_of=ctx.ds, version=marts_version)
        work = WorkFolder.of(ctx)
        _start_afresh(work)
        with opened_marts(marts) as opened:
            require_sound(opened, definitions)
            compiler = Compiler(opened, definitions)
            with opened_directory(ctx, opened) as directory, private_files():
                decided = select_all(ctx, compiler, directory, marts, definitions, work)
        report = SelectionReport(
            as_of=ctx.ds,
            marts=VersionReference(as_of=marts.as_of, version=marts.version),
            batches=marts.manifest.batches,
            audiences=decided,
        )
        write_text_atomically(work.selection_file, report.model_dump_json(indent=2) + "\n")
    return report


def select_all(
    ctx: RunContext,
    compiler: Compiler,
    directory: Directory,
    marts: MartsVersion,
    definitions: Sequence[Audience],
    work: WorkFolder,
) -> tuple[Selection, ...]:
    """Decide on audiences of a day together, and write whom each of them chooses into its folder of `work`.

    Args:
        ctx: the run.
        compiler: of the rules.
        directory: of contacts, consent and suppression; the caller holds the shop's writer lock.
        marts: the version that the compiler asks.
        definitions: all audiences that could write to the same people, each sound.
        work: where the files go.
    """
    settled: dict[str, Selection] = {}
    for audience in definitions:
        if absent := missing_groups(audience, marts):
            lacks = f"the shop has no export of: {', '.join(absent)}"
            settled[audience.id] = Selection(audience=audience, state="not_applicable", reason=lacks)
        elif directory.consent.is_stale and needs_consent(audience):
            settled[audience.id] = Selection(audience=audience, state="held_back", reason=_stale(ctx, directory))
    open_ones = [audience for audience in definitions if audience.id not in settled]
    for audience in open_ones:
        work.folder(audience.id).mkdir(parents=True, exist_ok=True)
    choices = choose_all(ctx, compiler, directory, open_ones, {one.id: work.folder(one.id) for one in open_ones})
    for audience in open_ones:
        written = work.members_file(audience.id)
        columns = files.columns_of(files.read_parquet(compiler.connection, written))
        files.require_equal(columns, MEMBER_COLUMNS, what=f"columns of {audience.id}", where=[written])
        settled[audience.id] = _selection(ctx, audience, choices[audience.id])
    return tuple(settled[audience.id] for audience in definitions)


@contextmanager
def opened_marts(marts: MartsVersion) -> Iterator[Marts]:
    """The relations of a version, read-only, for the block."""
    with files.workbench() as connection:
        files.attach(connection, marts.folder / layout.MARTS_DATABASE, "published")
        yield Marts(connection, marts.as_of)


def missing_groups(audience: Audience, marts: MartsVersion) -> list[str]:
    """The export groups that an audience needs and the shop does not have."""
    return [group for group in audience.needs if group not in marts.manifest.groups]


def size_alarm(audience: Audience, previous: int, current: int) -> str | None:
    """Why a change of size must be looked at before it is published; None where it is as usual."""
    if previous > 0 and current == 0:
        return f"it had {previous} members and is suddenly empty"
    window = audience.size_window
    if previous >= window.min_previous and abs(current - previous) > window.max_change_share * previous:
        return (
            f"it goes from {previous} to {current} members, more than its window of"
            f" {window.max_change_share:.0%} allows"
        )
    if 0 < current < window.min_members:
        return f"it has {current} members, fewer than the {window.min_members} of its window"
    if window.max_members is not None and current > window.max_members:
        return f"it has {current} members, more than the {window.max_members} of its window"
    return None


def _stale(ctx: RunContext, directory: Directory) -> str:
    return (
        f"the newest export of consent is of {directory.consent.newest}: more than"
        f" {ctx.shop.publishing.consent_max_age_days} days old, it says too little of who still agrees"
    )


def _selection(ctx: RunContext, audience: Audience, choice: Choice) -> Selection:
    key = content_key(audience.definition_hash, ctx.ds, choice.content_sha256)
    folder = AudienceFolder.of(ctx.paths, audience.id)
    baseline = folder.baseline(ctx.ds)
    state, reason = _decide(folder, baseline, key)
    return Selection(
        audience=audience,
        state=state,
        reason=reason,
        members=choice.members,
        members_sha256=choice.members_sha256,
        held_back=choice.held_back,
        reach=choice.reach,
        content_sha256=choice.content_sha256,
        content_key=key,
        is_released=folder.is_released(key),
        previous=VersionReference(as_of=baseline.manifest.as_of, version=baseline.version) if baseline else None,
        trigger=choice.trigger,
        ledger=choice.ledger,
    )


def _decide(folder: AudienceFolder, baseline: AudienceVersion | None, key: str) -> tuple[State, str | None]:
    if baseline and baseline.manifest.content_key() == key:
        return "unchanged", None
    if not folder.is_released(key):
        for version in folder.versions():
            if version.is_withdrawn and version.manifest.content_key() == key:
                return "held_back", f"the same people were withdrawn as version {version.version}"
    return "selected", None


def _start_afresh(work: WorkFolder) -> None:
    """Clear this date's folder and those of older dates: they name customers and are of no use any more."""
    if work.root.parent.is_dir():
        for folder in work.root.parent.iterdir():
            if folder.name <= work.root.name:
                shutil.rmtree(folder, ignore_errors=True)
    work.root.mkdir(parents=True, exist_ok=True)
