"""What lies in the drop folders: which files are whole, which are still being written, which lie in a wrong place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from renqun.errors import RequestError
from renqun.ingest import places
from renqun.settings import GROUPS, Group, Shop, ShopPaths

TEMPORARY_SUFFIXES = (".tmp", ".part", ".partial", ".crdownload", ".download", ".filepart", "~")
"""Endings that browsers, editors and transfer tools give to files they are still writing."""

SUCCESS_MARKER = "_SUCCESS"

RECENT_SECONDS = 10.0
"""A file untouched for this long is taken as whole at the first look."""

LOOK_AGAIN_SECONDS = 0.2
"""The default pause between two looks at a file that was touched just now."""


@dataclass(frozen=True)
class Look:
    """A file's size and time of change at one moment."""

    size: int
    changed_ns: int

    @classmethod
    def at(cls, path: Path) -> Look | None:
        """A look at a file now; nothing where it is gone."""
        try:
            state = path.stat()
        except OSError:
            return None
        return cls(state.st_size, state.st_mtime_ns)


@dataclass(frozen=True)
class LandedFile:
    """One whole file in a date folder."""

    group: Group
    ds: date
    path: Path
    look: Look

    @property
    def where(self) -> str:
        """The file's place below the landing folder, for messages."""
        return f"landing/{self.group}/{self.ds}/{self.path.name}"

    def is_unchanged(self) -> bool:
        """Whether the file still is as it was when it was found."""
        return Look.at(self.path) == self.look


@dataclass(frozen=True)
class LeftAlone:
    """A file that is not whole yet."""

    where: str
    why: str


@dataclass(frozen=True)
class LandingScan:
    """What was found for a group and some days."""

    files: tuple[LandedFile, ...]
    left_alone: tuple[LeftAlone, ...]
    days_without_file: tuple[date, ...]
    misplaced: tuple[RequestError, ...]


def scan_landing(
    paths: ShopPaths,
    shop: Shop,
    group: Group,
    days: Sequence[date],
    *,
    look_again_seconds: float = LOOK_AGAIN_SECONDS,
) -> LandingScan:
    """Look for a group's files of some days.

    Files that were touched a moment ago are looked at twice, all together, with one pause in between.

    Args:
        paths: the shop's folders.
        shop: the shop; its `success_marker` says whether a folder is complete only with a `_SUCCESS`.
        group: the group of exports.
        days: the date folders to look into.
        look_again_seconds: the pause between two looks.
    """
    files: list[LandedFile] = []
    left_alone: list[LeftAlone] = []
    without: list[date] = []
    for day in days:
        found, unfinished = _scan_day(places.landing_of(paths, group) / str(day), shop, group, day)
        left_alone += unfinished
        files += found
    files, changing = _look_again(files, look_again_seconds)
    left_alone += changing
    seen = {file.ds for file in files}
    without = [day for day in days if day not in seen]
    return LandingScan(tuple(files), tuple(left_alone), tuple(without), misplaced(paths, group))


def days_in_landing(paths: ShopPaths, group: Group) -> list[date]:
    """The days that have a date folder with at least one visible file, in order."""
    root = places.landing_of(paths, group)
    if not root.is_dir():
        return []
    days = []
    for folder in root.iterdir():
        day = places.day_of(folder.name)
        if day is not None and folder.is_dir() and any(_is_visible(child) for child in folder.iterdir()):
            days.append(day)
    return sorted(days)


def stray_folders(paths: ShopPaths) -> list[Path]:
    """What lies in the drop folder beside the groups: nobody would ever load it."""
    if not paths.landing.is_dir():
        return []
    return sorted(child for child in paths.landing.iterdir() if child.name not in GROUPS and _is_visible(child))


def misplaced(paths: ShopPaths, group: Group) -> tuple[RequestError, ...]:
    """What lies in a group's drop folder where no date folder would find it: nobody would ever load it."""
    root = places.landing_of(paths, group)
    if not root.is_dir():
        return ()
    problems = []
    for child in sorted(root.iterdir()):
        if child.name.startswith((".", "_")) or not _is_visible(child):
            continue
        if child.is_dir() and places.day_of(child.name) is None:
            problems.append(
                RequestError(
                    f"the folder {child.name!r} is not named after a date",
                    where=f"landing/{group}/{child.name}/",
                    remedy="rename it to the export's business date, YYYY-MM-DD, for example 2026-03-31",
                )
            )
        elif child.is_file():
            problems.append(
                RequestError(
                    f"the file {child.name!r} lies in no date folder",
                    where=f"landing/{group}/{child.name}",
                    remedy=f"move it to landing/{group}/<YYYY-MM-DD>/, the export's business date",
                )
            )
    return tuple(problems)


def _scan_day(folder: Path, shop: Shop, group: Group, day: date) -> tuple[list[LandedFile], list[LeftAlone]]:
    if not folder.is_dir():
        return [], []
    files: list[LandedFile] = []
    left_alone: list[LeftAlone] = []
    for path in sorted(folder.iterdir()):
        where = f"landing/{group}/{day}/{path.name}"
        if path.name.startswith(".") or path.name == SUCCESS_MARKER:
            continue
        if path.name.endswith(TEMPORARY_SUFFIXES):
            left_alone.append(LeftAlone(where, "its name says that it is still being written"))
            continue
        if path.is_dir():
            left_alone.append(LeftAlone(where, "it is a folder; only files directly in the date folder are read"))
            continue
        look = Look.at(path)
        if look is not None:
            files.append(LandedFile(group, day, path, look))
    if files and shop.success_marker and not (folder / SUCCESS_MARKER).exists():
        why = f"this shop marks a complete folder with a file {SUCCESS_MARKER}, and there is none"
        left_alone += [LeftAlone(file.where, why) for file in files]
        files = []
    return files, left_alone


def _look_again(files: list[LandedFile], pause: float) -> tuple[list[LandedFile], list[LeftAlone]]:
    now = time.time_ns()
    recent = {file.path for file in files if now - file.look.changed_ns < RECENT_SECONDS * 1e9}
    if not recent:
        return files, []
    time.sleep(pause)
    changing = {file.path for file in files if file.path in recent and not file.is_unchanged()}
    return (
        [file for file in files if file.path not in changing],
        [LeftAlone(file.where, "it is still being written") for file in files if file.path in changing],
    )


def _is_visible(path: Path) -> bool:
    return not path.name.startswith(".") and path.name != SUCCESS_MARKER and not path.name.endswith(TEMPORARY_SUFFIXES)
