"""Who was in a published audience or kept out of it to measure it: read from the published folder, once a version.

An exposure begins on the first published date whose lists have a person whom those of the date before had not, and
lasts until a date without. It is what downstream saw, whatever late exports say of segments afterwards.
"""

from __future__ import annotations

import logging
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import duckdb
from pydantic import BaseModel, ConfigDict

from renqun.errors import TechnicalError
from renqun.publish.manifest import MANIFEST_NAME, VERSION_PATTERN, FileEntry
from renqun.settings import ShopPaths
from renqun.storage import sha256_of

logger = logging.getLogger(__name__)

_CREATE = """
create schema if not exists ops;
create table if not exists ops.audience_versions (
    audience_id varchar not null, as_of_date date not null, version varchar not null, purpose_kind varchar not null,
    holdout_share decimal(9, 6) not null
);
create table if not exists ops.audience_exposures (
    audience_id varchar not null, customer_key varchar not null, entered_on date not null, exposed_on date not null,
    is_holdout boolean not null, holdout_share decimal(9, 6) not null
);
"""

# Several versions of one date are one list: whoever was held out by any of them is held out. Where no earlier list is
# left to compare with, whoever was exposed before goes on.
_EXPOSE = """
insert into ops.audience_exposures
with people as (
    select
        list.customer_key, files.as_of_date, min(list.entered_on) as entered_on,
        bool_or(files.is_holdout) as is_holdout, max(files.holdout_share) as holdout_share
    from read_parquet($files, filename = true, hive_partitioning = false, union_by_name = false) as list
    inner join exposure_files as files on list.filename = files.file
    group by all
)
select
    $audience, people.customer_key, people.entered_on, people.as_of_date, people.is_holdout, people.holdout_share
from people
inner join exposure_dates as dates on people.as_of_date = dates.as_of_date
where
    not exists (
        from people as before
        where before.customer_key = people.customer_key and before.as_of_date = dates.previous_date
    )
    and not exists (
        from ops.audience_exposures as known
        where
            dates.previous_date is null and known.audience_id = $audience
            and known.customer_key = people.customer_key and known.exposed_on < people.as_of_date
    )
"""

_DATES_AT_ONCE = 60
"""Dates whose files are read by one statement: some hundred files, whatever the history is."""

_DAY = re.compile(r"as_of=(\d{4}-\d{2}-\d{2})")
_ARMS = {"members.parquet": False, "holdout.parquet": True}


class _Manifest(BaseModel):
    """What of an audience's manifest matters here."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    audience_id: str
    as_of: date
    version: str
    purpose_kind: Literal["marketing", "service", "exclusion"] | None = None
    """Versions from before there were kinds were all made to be addressed."""
    holdout_share: Decimal | None = None
    """Share of the people that was to be held out; versions from before there were holdouts do not say it."""
    files: dict[str, FileEntry]


@dataclass(frozen=True, order=True)
class _Version:
    """One version by its place."""

    as_of: date
    name: str


@dataclass(frozen=True)
class _Lists:
    """The sound files of a version: each with whether its people were held out."""

    purpose_kind: str
    holdout_share: Decimal
    files: tuple[tuple[str, bool], ...]


def ensure(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables where they are absent."""
    connection.execute(_CREATE)


def load_exposures(connection: duckdb.DuckDBPyConnection, paths: ShopPaths) -> int:
    """Bring the warehouse up to what was published: versions that it has not seen, and those withdrawn since.

    A version whose files are not what its manifest says is left out with a warning and tried again by the next build:
    one damaged list must not keep the whole shop from its figures. Exclusion lists address nobody, so nobody is
    exposed by them. The caller holds the writer lock.

    Returns:
        How many versions were read or taken back.

    Raises:
        TechnicalError: a sound list cannot be read, or the disk is full.
    """
    ensure(connection)
    known: dict[str, set[_Version]] = defaultdict(set)
    for audience_id, as_of, version in connection.execute(
        "select audience_id, as_of_date, version from ops.audience_versions"
    ).fetchall():
        known[audience_id].add(_Version(as_of, version))
    changed = 0
    for root in sorted(paths.published_audiences.glob("*")):
        if not root.is_dir():
            continue
        try:
            connection.execute("begin")
            changed += _load_audience(connection, root, known[root.name])
            connection.execute("commit")
        except duckdb.Error as error:
            connection.execute("rollback")
            raise TechnicalError(
                f"what was published of the audience {root.name!r} cannot be read: {error}",
                where=str(root),
                remedy="free disk space or mend what is named above, then run again",
            ) from error
    return changed


def _load_audience(connection: duckdb.DuckDBPyConnection, root: Path, known: set[_Version]) -> int:
    withdrawn = {entry.name for entry in os.scandir(root / "withdrawn")} if (root / "withdrawn").is_dir() else set()
    standing = {version for version in _versions(root) if version.name not in withdrawn}
    gone = {version for version in known if version.name in withdrawn}
    audience = _Audience(root, standing)
    new = {version for version in standing - known if audience.lists(version) is not None}
    if not (gone or new):
        return 0
    _record(connection, audience, gone, new)
    days = _measured_dates(connection, root.name)
    touched = {version.as_of for version in gone | new}
    behind = {min((day for day in days if day > one), default=one) for one in touched}
    wanted = sorted(touched | behind)
    for first in range(0, len(wanted), _DATES_AT_ONCE):
        _expose(connection, audience, wanted[first : first + _DATES_AT_ONCE], days)
    return len(gone) + len(new)


class _Audience:
    """The sound lists of one audience, each looked at once."""

    def __init__(self, root: Path, standing: Iterable[_Version]) -> None:
        self.root = root
        self._of_date: dict[date, list[_Version]] = defaultdict(list)
        for version in sorted(standing):
            self._of_date[version.as_of].append(version)
        self._lists: dict[_Version, _Lists | None] = {}

    def lists(self, version: _Version) -> _Lists | None:
        """The lists of a version; None where they are damaged."""
        if version not in self._lists:
            self._lists[version] = _read_lists(self.root, version)
        return self._lists[version]

    def on(self, day: date) -> list[_Lists]:
        """The lists of a date that address somebody."""
        found = [self.lists(version) for version in self._of_date.get(day, ())]
        return [one for one in found if one is not None and one.purpose_kind != "exclusion"]


def _record(
    connection: duckdb.DuckDBPyConnection, audience: _Audience, gone: Iterable[_Version], new: Iterable[_Version]
) -> None:
    for version in gone:
        connection.execute(
            "delete from ops.audience_versions where audience_id = ? and version = ?",
            [audience.root.name, version.name],
        )
    for version in sorted(new):
        lists = audience.lists(version)
        if lists is not None:
            connection.execute(
                "insert into ops.audience_versions values (?, ?, ?, ?, ?)",
                [audience.root.name, version.as_of, version.name, lists.purpose_kind, lists.holdout_share],
            )


def _measured_dates(connection: duckdb.DuckDBPyConnection, audience_id: str) -> list[date]:
    rows = connection.execute(
        "select distinct as_of_date from ops.audience_versions where audience_id = ? and purpose_kind <> 'exclusion'"
        " order by 1",
        [audience_id],
    ).fetchall()
    return [row[0] for row in rows]


def _expose(
    connection: duckdb.DuckDBPyConnection, audience: _Audience, wanted: Iterable[date], measured: Sequence[date]
) -> None:
    """Work out anew who was first exposed on these dates."""
    # A date whose folders were removed keeps its exposures; one that was withdrawn as a whole has none.
    dates = [day for day in wanted if audience.on(day) or day not in measured]
    for day in dates:
        connection.execute(
            "delete from ops.audience_exposures where audience_id = ? and exposed_on = ?", [audience.root.name, day]
        )
    pairs = {
        day: next((other for other in reversed(measured) if other < day and audience.on(other)), None)
        for day in dates
        if audience.on(day)
    }
    files = [
        [file, day, is_holdout, lists.holdout_share]
        for day in sorted({*pairs, *(before for before in pairs.values() if before)})
        for lists in audience.on(day)
        for file, is_holdout in lists.files
    ]
    if not pairs:
        return
    connection.execute(
        "create or replace temp table exposure_files"
        " (file varchar, as_of_date date, is_holdout boolean, holdout_share decimal(9, 6))"
    )
    connection.execute("create or replace temp table exposure_dates (as_of_date date, previous_date date)")
    connection.executemany("insert into exposure_files values (?, ?, ?, ?)", files)
    connection.executemany("insert into exposure_dates values (?, ?)", [list(pair) for pair in pairs.items()])
    connection.execute(_EXPOSE, {"files": [row[0] for row in files], "audience": audience.root.name})


def _versions(root: Path) -> Iterator[_Version]:
    """What stands in the folder of an audience, by names alone: nothing is opened."""
    for day in os.scandir(root):
        found = _DAY.fullmatch(day.name)
        if found and day.is_dir():
            as_of = date.fromisoformat(found[1])
            yield from (_Version(as_of, one.name) for one in os.scandir(day) if VERSION_PATTERN.fullmatch(one.name))


def _read_lists(root: Path, version: _Version) -> _Lists | None:
    folder = root / f"as_of={version.as_of}" / version.name
    try:
        manifest = _Manifest.model_validate_json((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
        if (manifest.audience_id, manifest.as_of, manifest.version) != (root.name, version.as_of, version.name):
            raise ValueError("the manifest is of another version")
        names = [name for name in _ARMS if name in manifest.files or name == "members.parquet"]
        altered = [name for name in names if sha256_of(folder / name) != manifest.files[name].sha256]
        if altered:
            raise ValueError(f"{', '.join(altered)} is not what the manifest says")
    except (OSError, ValueError, KeyError) as error:
        logger.warning(
            "%s: what became of this version is not measured: %s; 'renqun verify' says what is wrong, and the next"
            " build tries again",
            folder,
            str(error).partition("\n")[0],
        )
        return None
    files = tuple((str(folder / name), _ARMS[name]) for name in names)
    return _Lists(manifest.purpose_kind or "marketing", manifest.holdout_share or Decimal(0), files)
