"""What there is of each audience: lists, previews and differences for people who ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from renqun.errors import RequestError
from renqun.publish import files
from renqun.publish.definitions import Audience, load_audience, load_audiences, require_no_circle
from renqun.publish.history import AudienceFolder, AudienceVersion, Status
from renqun.publish.members import Compiler, Step, require_sound
from renqun.publish.selection import missing_groups, opened_marts, size_alarm
from renqun.publish.versions import find_marts
from renqun.publish.writing import sound_members
from renqun.settings import Home


@dataclass(frozen=True)
class AudienceSummary:
    """One audience, as `renqun audience list` shows it."""

    audience_id: str
    name_en: str
    name_zh: str
    owner: str
    as_of: date | None
    version: str | None
    members: int | None
    expires_on: date | None
    last_tried: date | None
    status: Status | None
    """What became of the newest date that was tried; None where none was."""
    reason: str | None
    versions: int
    withdrawn: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """What publishing an audience from given marts would do."""

    audience_id: str
    as_of: date
    marts_version: str
    not_applicable: str | None
    steps: tuple[Step, ...]
    """The waterfall: each rule, how many it drops, how many are left."""
    previous_members: int
    added: int
    removed: int
    alarm: str | None
    """Why it would be held back for its size."""


@dataclass(frozen=True)
class AudienceDiff:
    """Who came and who left between two versions."""

    audience_id: str
    older: str | None
    newer: str
    older_members: int
    newer_members: int
    added: tuple[str, ...]
    removed: tuple[str, ...]


def list_audiences(home: Home, shop_id: str, *, audiences: Sequence[Audience] | None = None) -> list[AudienceSummary]:
    """Every defined audience of a shop: what its pointer names, and what became of the newest try."""
    definitions = load_audiences() if audiences is None else audiences
    return [_summary(AudienceFolder.of(home.paths(shop_id), one.id), one) for one in definitions]


def preview(
    home: Home, shop_id: str, audience_id: str, *, as_of: date | None = None, audience: Audience | None = None
) -> Preview:
    """Count an audience step by step from published marts; nothing is written.

    Args:
        home: the home.
        shop_id: the shop.
        audience_id: the audience.
        as_of: the date of the marts; None = `latest`.
        audience: a definition to try out; None = the one in the project.

    Raises:
        RequestError: no such audience, segment or marts.
    """
    definition = audience or load_audience(audience_id)
    others = [one for one in load_audiences() if one.id != definition.id]
    require_no_circle([*others, definition])
    paths = home.paths(shop_id)
    marts = find_marts(paths, as_of=as_of)
    baseline = AudienceFolder.of(paths, definition.id).baseline(marts.as_of)
    previous = baseline.manifest.counts.members if baseline else 0
    absent = missing_groups(definition, marts)
    with opened_marts(marts) as opened:
        require_sound(opened, [definition])
        compiler = Compiler(opened, [*others, definition])
        steps = compiler.waterfall(definition)
        now = {str(row[0]) for row in compiler.members(definition).select("customer_key").fetchall()}
    then = set(_keys(baseline)) if baseline else set()
    return Preview(
        audience_id=definition.id,
        as_of=marts.as_of,
        marts_version=marts.version,
        not_applicable=f"the shop has no export of: {', '.join(absent)}" if absent else None,
        steps=tuple(steps),
        previous_members=previous,
        added=len(now - then),
        removed=len(then - now),
        alarm=None if absent else size_alarm(definition, previous, len(now)),
    )


def diff(
    home: Home, shop_id: str, audience_id: str, older: str | None = None, newer: str | None = None
) -> AudienceDiff:
    """Who is in one version and not in the other.

    Args:
        home: the home.
        shop_id: the shop.
        audience_id: the audience.
        older: a version; None = the one that `newer` led on from.
        newer: a version; None = the one that the pointer names.

    Raises:
        RequestError: no such version.
    """
    folder = AudienceFolder.of(home.paths(shop_id), audience_id)
    right = _find(folder, newer) if newer else folder.latest()
    if right is None:
        raise _unknown(folder, None)
    previous = right.manifest.previous
    left = _find(folder, older) if older else folder.load(previous.as_of, previous.version) if previous else None
    before, after = (set(_keys(left)) if left else set()), set(_keys(right))
    return AudienceDiff(
        audience_id=audience_id,
        older=left.version if left else None,
        newer=right.version,
        older_members=len(before),
        newer_members=len(after),
        added=tuple(sorted(after - before)),
        removed=tuple(sorted(before - after)),
    )


def _summary(folder: AudienceFolder, audience: Audience) -> AudienceSummary:
    latest = folder.latest()
    outcomes = folder.outcomes()
    versions = folder.versions()
    newest = outcomes[-1] if outcomes else None
    return AudienceSummary(
        audience_id=audience.id,
        name_en=audience.name.en,
        name_zh=audience.name.zh,
        owner=audience.owner,
        as_of=latest.manifest.as_of if latest else None,
        version=latest.version if latest else None,
        members=latest.manifest.counts.members if latest else None,
        expires_on=latest.manifest.expires_on if latest else None,
        last_tried=newest.as_of if newest else None,
        status=newest.status if newest else None,
        reason=newest.reason if newest else None,
        versions=len(versions),
        withdrawn=tuple(version.version for version in versions if version.is_withdrawn),
    )


def _find(folder: AudienceFolder, version: str) -> AudienceVersion:
    for one in folder.versions():
        if one.version == version:
            return one
    raise _unknown(folder, version)


def _unknown(folder: AudienceFolder, version: str | None) -> RequestError:
    wanted = f"version {version}" if version else "published version"
    return RequestError(
        f"the audience {folder.root.name!r} has no {wanted}",
        where=str(folder.root),
        remedy="'renqun audience list' shows what there is",
    )


def _keys(version: AudienceVersion) -> list[str]:
    with files.workbench() as connection:
        rows = files.read_parquet(connection, sound_members(version)).select("customer_key").fetchall()
    return [str(row[0]) for row in rows]
