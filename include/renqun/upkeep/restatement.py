"""What late data would change: every published version whose people would be others by what is known today.

Nothing that was published is written again. Compared is who was in then with who would have been in on that date by the
newest published marts: their spells of segments were evaluated anew for every date that late exports touched. See
docs/adr/0025-restatement.md for what cannot be known afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from renqun.publish import files
from renqun.publish.definitions import Audience, load_audiences
from renqun.publish.directory import SUPPRESSION_CAUSES
from renqun.publish.history import AudienceFolder, AudienceVersion, sound_file
from renqun.publish.manifest import VersionReference
from renqun.publish.members import Compiler, Marts
from renqun.publish.rules import AudienceRule, SegmentRule, leaves
from renqun.publish.selection import opened_marts
from renqun.publish.versions import MartsVersion, latest_marts, published_marts
from renqun.settings import ShopPaths
from renqun.storage import write_json_atomically

FOLDER = "restatements"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RestatedSegment(_Record):
    """One segment of a version of the marts."""

    segment_id: str
    added: int
    """Who would be inside on that date, and was not."""
    removed: int


class RestatedMarts(_Record):
    """One version of the marts."""

    as_of: date
    version: str
    segments: tuple[RestatedSegment, ...]
    """Those that differ; none: nobody would be elsewhere."""
    unknown: str | None = None
    """Why it could not be compared."""

    @property
    def differs(self) -> bool:
        """Whether anybody would be elsewhere."""
        return bool(self.segments)


class RestatedAudience(_Record):
    """One version of an audience that was not withdrawn."""

    audience_id: str
    as_of: date
    version: str
    is_latest: bool
    members: int
    added: int | None = None
    """Whom the rules would mean and the version does not name, the holdout counted as named. Who was held back then
    (refused, complained) is among them: nobody is remembered by name who may not be addressed."""
    held_back: int = 0
    """How many were held back by suppression then: so many of `added` may not have been added after all."""
    removed: int | None = None
    """Whom the version names, members and holdout, and the rules would not mean."""
    unknown: str | None = None
    """Why it could not be worked out anew."""

    @property
    def added_for_certain(self) -> int:
        """How many of `added` were not held back then, whoever was."""
        return max((self.added or 0) - self.held_back, 0)

    @property
    def differs(self) -> bool:
        """Whether somebody would certainly be in or out."""
        return bool(self.removed or self.added_for_certain)


class Restatement(_Record):
    """`quality/restatements/<as_of>-<version>.json`."""

    kind: Literal["restatement"] = "restatement"
    schema_version: Literal[1] = 1
    shop_id: str
    by: VersionReference | None
    """The marts that everything was compared with; null: none were published."""
    marts: tuple[RestatedMarts, ...]
    audiences: tuple[RestatedAudience, ...]


def restatement(paths: ShopPaths, shop_id: str, *, definitions: Sequence[Audience] | None = None) -> Restatement:
    """Compare every published version of an earlier date with what is known today.

    Args:
        paths: the shop's folders; only what is published is read.
        shop_id: the shop.
        definitions: the audiences; None = those of the project.
    """
    newest = latest_marts(paths)
    if newest is None:
        return Restatement(shop_id=shop_id, by=None, marts=(), audiences=())
    versions = published_marts(paths)
    with opened_marts(newest) as today:
        _name_today(today)
        marts = tuple(
            _compare_marts(today, one) for one in versions if one.folder != newest.folder and one.as_of <= newest.as_of
        )
        known = definitions if definitions is not None else load_audiences()
        asked = _Asked(today, known, versions)
        audiences = tuple(asked.compare(folder) for folder in _earlier_audiences(paths, newest.as_of))
    return Restatement(
        shop_id=shop_id,
        by=VersionReference(as_of=newest.as_of, version=newest.version),
        marts=marts,
        audiences=audiences,
    )


def keep(paths: ShopPaths, report: Restatement) -> Path | None:
    """Write the report where operators find it; None where there is nothing to compare."""
    if report.by is None:
        return None
    file = paths.quality / FOLDER / f"{report.by.as_of}-{report.by.version}.json"
    write_json_atomically(file, report.model_dump(mode="json"))
    return file


def _earlier_audiences(paths: ShopPaths, until: date) -> Iterable[tuple[AudienceVersion, bool]]:
    root = paths.published_audiences
    for folder in map(AudienceFolder, sorted(root.iterdir()) if root.is_dir() else ()):
        if not folder.root.is_dir():
            continue
        pointer = folder.pointer()
        for version in folder.versions():
            if not version.is_withdrawn and version.manifest.as_of <= until:
                yield version, pointer is not None and pointer.version == version.version


def _name_today(today: Marts) -> None:
    """`keys_today(key, key_today)`: under which key a person who had another one is known today."""
    today.connection.execute(
        """
        create or replace temp table keys_today as
        with recursive moved(key, key_today) as (
            select aliases.from_key, aliases.to_key from published.main.customer_key_aliases as aliases
            where aliases.from_key not in (select customer_key from published.main.dim_customers)
            union
            select moved.key, aliases.to_key
            from moved inner join published.main.customer_key_aliases as aliases on moved.key_today = aliases.from_key
            where moved.key_today not in (select customer_key from published.main.dim_customers)
        )
        select key, min(key_today) as key_today from moved
        where key_today in (select customer_key from published.main.dim_customers) group by key
        """
    )


def _compare_marts(today: Marts, version: MartsVersion) -> RestatedMarts:
    connection = today.connection
    file = version.folder / "fct_segment_memberships.parquet"
    unknown = None if file.is_file() else "it has no segments"
    found: list[RestatedSegment] = []
    if unknown is None:
        inside = "entered_on <= $day and (exited_on is null or exited_on > $day)"
        query = f"""
            with
            before as (
                select distinct earlier.segment_id, coalesce(keys.key_today, earlier.customer_key) as customer_key
                from read_parquet($file, hive_partitioning = false) as earlier
                left join keys_today as keys on earlier.customer_key = keys.key
                where {inside}
            ),
            after as (
                select distinct segment_id, customer_key from published.main.fct_segment_memberships where {inside}
            ),
            changes as (
                select segment_id, 1 as added, 0 as removed from (from after except from before)
                union all
                select segment_id, 0, 1 from (from before except from after)
            )
            select segment_id, sum(added), sum(removed) from changes group by segment_id order by segment_id
        """
        rows = connection.execute(query, {"file": str(file), "day": version.as_of}).fetchall()
        found = [RestatedSegment(segment_id=row[0], added=int(row[1]), removed=int(row[2])) for row in rows]
    return RestatedMarts(as_of=version.as_of, version=version.version, segments=tuple(found), unknown=unknown)


class _Asked:
    """The rules of all audiences, asked of what is known today of a past date."""

    def __init__(self, today: Marts, definitions: Sequence[Audience], versions: Sequence[MartsVersion]) -> None:
        self._today = today
        self._definitions = {one.id: one for one in definitions}
        self._newest_of = {one.as_of: one for one in versions}
        self._built = {
            row[0] for row in today.mart("agg_segment_sizes__by_day").select("as_of_date").distinct().fetchall()
        }

    def compare(self, published: tuple[AudienceVersion, bool]) -> RestatedAudience:
        """One version beside whom its rules mean today for its date."""
        version, is_latest = published
        manifest = version.manifest
        known = RestatedAudience(
            audience_id=manifest.audience_id,
            as_of=manifest.as_of,
            version=version.version,
            is_latest=is_latest,
            members=manifest.counts.members,
            held_back=sum(manifest.held_back.get(cause, 0) for cause in SUPPRESSION_CAUSES),
        )
        definition = self._definitions.get(manifest.audience_id)
        if definition is None or definition.definition_hash != manifest.definition_hash:
            return known.model_copy(update={"unknown": "its definition is another one today"})
        again = self._newest_of.get(manifest.as_of)
        if again is not None and again.version != manifest.marts.version:
            # The date was built anew on purpose: its own marts know more than spells.
            with opened_marts(again) as marts:
                now = self._meant(marts, definition)
        elif not self._only_segments(definition):
            return known.model_copy(
                update={
                    "unknown": "its rules ask for more than segments, of which no past date is kept:"
                    f" 'renqun run --date {manifest.as_of} --as-of {manifest.as_of}' builds that date anew"
                }
            )
        elif manifest.as_of not in self._built:
            return known.model_copy(update={"unknown": "the newest marts do not speak of that date"})
        else:
            now = self._meant(Marts(self._today.connection, manifest.as_of), definition)
        then = self._named(version)
        return known.model_copy(update={"added": len(now - then), "removed": len(then - now)})

    def _meant(self, marts: Marts, definition: Audience) -> set[str]:
        rows = Compiler(marts, list(self._definitions.values())).members(definition).select("customer_key").fetchall()
        return self._keys_today(str(row[0]) for row in rows)

    def _named(self, version: AudienceVersion) -> set[str]:
        names = [name for name in ("members.parquet", "holdout.parquet") if name in version.manifest.files]
        people: set[str] = set()
        with files.workbench() as connection:
            for name in names:
                rows = files.read_parquet(connection, sound_file(version, name)).select("customer_key").fetchall()
                people |= {str(row[0]) for row in rows}
        return self._keys_today(people)

    def _keys_today(self, keys: Iterable[str]) -> set[str]:
        moved = self._moved()
        return {moved.get(key, key) for key in keys}

    def _moved(self) -> dict[str, str]:
        return dict(self._today.connection.execute("select key, key_today from keys_today").fetchall())

    def _only_segments(self, definition: Audience) -> bool:
        asked = [leaf for rule in definition.rules for leaf in leaves(rule)]
        return all(
            isinstance(leaf, SegmentRule)
            or (isinstance(leaf, AudienceRule) and self._only_segments(self._definitions[leaf.audience]))
            for leaf in asked
        )
