"""What publishing an audience would do: the whole waterfall from the shop's customers to each destination's rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from renqun.lock import exclusive
from renqun.publish import files
from renqun.publish.choosing import RECIPIENTS
from renqun.publish.definitions import Audience, load_audience, load_audiences, require_no_circle
from renqun.publish.delivering import private_files
from renqun.publish.destinations import DESTINATIONS, is_contact
from renqun.publish.destinations.writing import addressees, refusal
from renqun.publish.directory import opened_directory
from renqun.publish.history import AudienceFolder
from renqun.publish.manifest import TriggerEntry
from renqun.publish.members import Compiler, Step, require_sound
from renqun.publish.recipients import has_files_of_people, is_for, shown_to
from renqun.publish.selection import Selection, State, WorkFolder, opened_marts, select_all, size_alarm
from renqun.publish.versions import MartsVersion, find_marts
from renqun.publish.writing import sound_members
from renqun.run import RunContext
from renqun.settings import Home

_LOCK_SECONDS = 30.0
"""Whoever looks waits for a short step of the pipeline, not for a whole build."""


@dataclass(frozen=True)
class DestinationPreview:
    """What one destination would get of the members."""

    destination: str
    steps: tuple[Step, ...]
    """From the members on: each cause, how many it drops, how many are left."""
    rows: int
    """Different rows of those who are left."""
    refused: str | None
    """Why it would get no list."""


@dataclass(frozen=True)
class Preview:
    """What publishing an audience from given marts would do."""

    audience_id: str
    as_of: date
    marts_version: str
    state: State
    reason: str | None
    """Why it does not apply, or would be held back, whatever the gates say."""
    steps: tuple[Step, ...]
    """The waterfall: each rule, then each cause of suppression and the holdout; how many it drops, how many are left.
    Rules only where the audience does not apply."""
    destinations: tuple[DestinationPreview, ...]
    """Of the destinations that get identifiers of people."""
    trigger: TriggerEntry | None
    """The list of due messages."""
    members: int
    previous_members: int
    added: int
    removed: int


def preview(
    home: Home,
    shop_id: str,
    audience_id: str,
    *,
    as_of: date | None = None,
    audience: Audience | None = None,
    audiences: Sequence[Audience] | None = None,
) -> Preview:
    """Choose as publishing does, from published marts and the vault as it is now, and count; nothing is published.

    Args:
        home: the home.
        shop_id: the shop.
        audience_id: the audience.
        as_of: the date of the marts; None = `latest`.
        audience: a definition to try out; None = the one in the project.
        audiences: all definitions; None = those of the project.

    Raises:
        RequestError: no such audience, segment or marts.
        GateFailed: consent or suppression has arrived that the warehouse has not read: nothing would be published.
        ShopBusy: a build is at work.
    """
    definition = audience or load_audience(audience_id)
    others = [one for one in (load_audiences() if audiences is None else audiences) if one.id != definition.id]
    definitions = sorted([*others, definition], key=lambda one: one.id)
    require_no_circle(definitions)
    paths = home.paths(shop_id)
    marts = find_marts(paths, as_of=as_of)
    ctx = RunContext(home, home.shop(shop_id), marts.as_of, "preview")
    with opened_marts(marts) as opened:
        rivals = _rivals(definition, definitions)
        require_sound(opened, rivals)
        compiler = Compiler(opened, definitions)
        rules = compiler.waterfall(definition)
        with (
            exclusive(paths.writer_lock, f"preview {audience_id}", timeout_seconds=_LOCK_SECONDS),
            _scratch(paths.warehouse_dir) as work,
            opened_directory(ctx, opened) as directory,
        ):
            found = select_all(ctx, compiler, directory, marts, rivals, work)
            chosen = next(one for one in found if one.audience.id == definition.id)
            return _counted(compiler.connection, AudienceFolder.of(paths, definition.id), marts, rules, chosen, work)


def _rivals(definition: Audience, definitions: Sequence[Audience]) -> list[Audience]:
    """The audiences that must be chosen together: a person gets a message by one of them only."""
    if not _writes(definition):
        return [definition]
    return [one for one in definitions if _writes(one)]


def _writes(audience: Audience) -> bool:
    return audience.trigger is not None or any(is_contact(DESTINATIONS[one]) for one in audience.destinations)


@contextmanager
def _scratch(warehouse_dir: Path) -> Iterator[WorkFolder]:
    """A work folder for the block; what a killed one left is swept by the next publication."""
    parent = warehouse_dir / "publish"
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".preview-", dir=parent) as folder, private_files():
        yield WorkFolder(Path(folder))


def _counted(
    connection: duckdb.DuckDBPyConnection,
    folder: AudienceFolder,
    marts: MartsVersion,
    rules: Sequence[Step],
    chosen: Selection,
    work: WorkFolder,
) -> Preview:
    audience = chosen.audience
    baseline = folder.baseline(marts.as_of)
    before = baseline.manifest.counts.members if baseline else 0
    then = _keys(connection, sound_members(baseline)) if baseline else set()
    is_chosen = chosen.state in ("selected", "unchanged") or chosen.content_key is not None
    now = _keys(connection, work.members_file(audience.id)) if is_chosen else set()
    state, reason = chosen.state, chosen.reason
    if state == "selected" and not chosen.is_released and (alarm := size_alarm(audience, before, chosen.members)):
        state, reason = "held_back", alarm
    steps = [*rules, *_dropped(rules[-1].people, chosen.held_back)] if is_chosen else rules
    return Preview(
        audience_id=audience.id,
        as_of=marts.as_of,
        marts_version=marts.version,
        state=state,
        reason=reason,
        steps=tuple(steps),
        destinations=tuple(_destinations(connection, chosen, work)) if is_chosen else (),
        trigger=chosen.trigger,
        members=chosen.members,
        previous_members=before,
        added=len(now - then),
        removed=len(then - now) if is_chosen else 0,
    )


def _dropped(people: int, causes: Mapping[str, int]) -> Iterator[Step]:
    for cause, dropped in causes.items():
        people -= dropped
        yield Step(f"without {cause}", people, dropped)


def _destinations(
    connection: duckdb.DuckDBPyConnection, chosen: Selection, work: WorkFolder
) -> Iterator[DestinationPreview]:
    audience = chosen.audience
    for to in has_files_of_people(audience):
        reach = chosen.reach[to.id]
        people = files.read_parquet(connection, work.folder(audience.id) / RECIPIENTS).filter(is_for(to))
        rows = files.rows_of(addressees(shown_to(people, to), to))
        steps = (Step("members", chosen.members, 0), *_dropped(chosen.members, reach.held_back))
        yield DestinationPreview(to.id, steps, rows, refusal(rows, to))


def _keys(connection: duckdb.DuckDBPyConnection, file: Path) -> set[str]:
    return {str(row[0]) for row in files.read_parquet(connection, file).select("customer_key").fetchall()}
