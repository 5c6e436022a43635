"""Who came to an audience and who left it between two versions, or since the newest one, and by which rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from renqun.errors import RequestError
from renqun.publish import files
from renqun.publish.definitions import Audience, load_audience, load_audiences, require_no_circle
from renqun.publish.history import AudienceFolder, AudienceVersion
from renqun.publish.manifest import VersionReference
from renqun.publish.members import Compiler, require_sound
from renqun.publish.selection import opened_marts
from renqun.publish.versions import MartsVersion, find_marts
from renqun.publish.writing import sound_members
from renqun.settings import Home, ShopPaths

NOW = "now"
"""In place of a version: whom the rules mean by the newest marts, before suppression and holdout."""
KEPT_BACK = "(suppression or holdout)"
STRANGER = "(no customer by this key)"
UNKNOWN = "(the marts of that date are gone)"


@dataclass(frozen=True)
class RuleChange:
    """What one rule did: the first that somebody does not meet."""

    rule: str
    added: int
    """People who came and did not meet it before."""
    removed: int
    """People who left and do not meet it any more."""


@dataclass(frozen=True)
class AudienceDiff:
    """Who came and who left."""

    audience_id: str
    older: str | None
    newer: str
    older_members: int
    newer_members: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    by_rule: tuple[RuleChange, ...]
    """In the order of the definition, as it is now."""


def diff(
    home: Home,
    shop_id: str,
    audience_id: str,
    older: str | None = None,
    newer: str | None = None,
    *,
    audience: Audience | None = None,
) -> AudienceDiff:
    """Who is in one version and not in the other.

    Args:
        home: the home.
        shop_id: the shop.
        audience_id: the audience.
        older: a version; None = the one that `newer` led on from, before `now` the one that the pointer names.
        newer: a version, or `now`; None = the one that the pointer names.
        audience: the definition whose rules are asked; None = the one in the project.

    Raises:
        RequestError: no such version.
    """
    paths = home.paths(shop_id)
    folder = AudienceFolder.of(paths, audience_id)
    right = None if newer == NOW else _find(folder, newer) if newer else _latest(folder)
    left = _find(folder, older) if older else _before(folder, right)
    definition = audience or load_audience(audience_id)
    others = [one for one in load_audiences() if one.id != audience_id]
    require_no_circle([*others, definition])
    rules = _Rules(paths, definition, others)
    before = _people(left)
    newest = find_marts(paths) if right is None else None
    after = _people(right) if newest is None else rules.members(newest)
    if newest is not None and left is not None:
        # Whom the rules mean and the holdout keeps has not come.
        after -= _people(left, "holdout.parquet")
    added, removed = after - before, before - after
    then = rules.first_failed(left.manifest.marts if left else None, added)
    now = rules.first_failed(right.manifest.marts if right else newest, removed)
    return AudienceDiff(
        audience_id=audience_id,
        older=left.version if left else None,
        newer=right.version if right else NOW,
        older_members=len(before),
        newer_members=len(after),
        added=tuple(sorted(added)),
        removed=tuple(sorted(removed)),
        by_rule=tuple(
            RuleChange(rule, then[rule], now[rule])
            for rule in (*rules.names, KEPT_BACK, STRANGER, UNKNOWN)
            if then[rule] or now[rule]
        ),
    )


def find_version(home: Home, shop_id: str, audience_id: str, version: str | None = None) -> AudienceVersion:
    """A published version of an audience; None = the one that the pointer names.

    Raises:
        RequestError: there is none.
    """
    folder = AudienceFolder.of(home.paths(shop_id), audience_id)
    return _find(folder, version) if version else _latest(folder)


class _Rules:
    """The rules of a definition, asked of several versions of the marts."""

    def __init__(self, paths: ShopPaths, definition: Audience, others: Sequence[Audience]) -> None:
        self._paths = paths
        self._definition = definition
        self._all = [*others, definition]

    @property
    def names(self) -> list[str]:
        """The rules as people say them, in the order in which they are asked."""
        return [name for name, _ in Compiler.questions(self._definition)]

    def members(self, marts: MartsVersion) -> set[str]:
        """Whom the rules mean."""
        with opened_marts(marts) as opened:
            require_sound(opened, [self._definition])
            found = Compiler(opened, self._all).members(self._definition).select("customer_key").fetchall()
        return {str(row[0]) for row in found}

    def first_failed(self, marts: VersionReference | MartsVersion | None, people: Iterable[str]) -> Counter[str]:
        """How many of some people fail at which rule first; before there was a version, everybody is simply new."""
        wanted = set(people)
        if marts is None or not wanted:
            return Counter()
        try:
            found = find_marts(self._paths, as_of=marts.as_of, version=marts.version)
        except RequestError:
            return Counter({UNKNOWN: len(wanted)})
        with opened_marts(found) as opened:
            rows = Compiler(opened, self._all).first_failed(self._definition).fetchall()
        failed = {str(key): KEPT_BACK if rule is None else str(rule) for key, rule in rows if key in wanted}
        return Counter(failed.get(key, STRANGER) for key in wanted)


def _find(folder: AudienceFolder, version: str) -> AudienceVersion:
    for one in folder.versions():
        if one.version == version:
            return one
    raise _unknown(folder, version)


def _latest(folder: AudienceFolder) -> AudienceVersion:
    latest = folder.latest()
    if latest is None:
        raise _unknown(folder, None)
    return latest


def _before(folder: AudienceFolder, version: AudienceVersion | None) -> AudienceVersion | None:
    if version is None:
        return _latest(folder)
    previous = version.manifest.previous
    return folder.load(previous.as_of, previous.version) if previous else None


def _unknown(folder: AudienceFolder, version: str | None) -> RequestError:
    wanted = f"version {version}" if version else "published version"
    return RequestError(
        f"the audience {folder.root.name!r} has no {wanted}",
        where=str(folder.root),
        remedy="'renqun audience list' shows what there is",
    )


def _people(version: AudienceVersion | None, name: str = "members.parquet") -> set[str]:
    if version is None or (name != "members.parquet" and name not in version.manifest.files):
        return set()
    file = sound_members(version) if name == "members.parquet" else version.folder / name
    with files.workbench() as connection:
        rows = files.read_parquet(connection, file).select("customer_key").fetchall()
    return {str(row[0]) for row in rows}
