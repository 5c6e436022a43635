"""Which source do a header's names belong to, and which column of the file is which canonical one."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from renqun.ingest.catalogue import METADATA_COLUMNS, Column, Source, all_sources
from renqun.ingest.faults import FileRefused
from renqun.ingest.names import CURRENCY_SLOT, folded, slot_pattern, tidied
from renqun.settings import Group

_LOOKS_LIKE_DATA = re.compile(r"@|\d{6,}")
"""A file without a header line shows its first row instead: somebody's phone is not for a message."""
_RESERVED = frozenset(METADATA_COLUMNS) | {"_raw_file"}
_SHOWN_NAME = 40


@dataclass(frozen=True)
class Fit:
    """How a source's columns lie in a file."""

    source: Source
    places: dict[str, int]
    """The place of each canonical column that the file has."""
    currency: str | None
    """The currency that the header names."""
    missing: tuple[str, ...]
    """What the header lacks to be of this source, in words."""
    is_excluded: bool
    """Whether the header has a name that files of this source never have."""

    @property
    def known(self) -> int:
        """How many columns of the file the source knows."""
        return len(self.places)

    @property
    def fits(self) -> bool:
        """Whether a file with this header is of this source."""
        return bool(self.places) and not self.missing and not self.is_excluded


@dataclass(frozen=True)
class _Lookup:
    """The accepted names of a source."""

    exact: dict[str, tuple[Column, int]]
    patterns: tuple[tuple[re.Pattern[str], Column, int], ...]

    def find(self, name: str) -> tuple[Column, int, str | None] | None:
        """The column that a name stands for, the name's rank in it, and the currency it says."""
        if name in self.exact:
            return (*self.exact[name], None)
        for pattern, column, rank in self.patterns:
            if found := pattern.fullmatch(name):
                return column, rank, found["currency"].upper()
        return None


_lookups: dict[int, tuple[Source, _Lookup]] = {}


def _lookup(source: Source) -> _Lookup:
    """Made once for every source; the source is kept beside it, so that its identity stays its own."""
    if id(source) in _lookups:
        return _lookups[id(source)][1]
    exact: dict[str, tuple[Column, int]] = {}
    patterns = []
    for column in source.columns:
        for rank, name in enumerate(column.accepted):
            if CURRENCY_SLOT in name:
                patterns.append((slot_pattern(name), column, rank))
            else:
                exact.setdefault(key_of(source, name), (column, rank))
    made = _Lookup(exact, tuple(patterns))
    _lookups[id(source)] = (source, made)
    return made


def key_of(source: Source, name: str) -> str:
    """What a name is compared by: platforms' names as a person reads them, Renqun's own letter for letter."""
    return name if source.is_generic else folded(name)


def fit(source: Source, names: Sequence[str]) -> Fit:
    """How a source's columns lie in a file with these names."""
    lookup = _lookup(source)
    keys = [key_of(source, name) for name in names]
    best: dict[str, tuple[int, int]] = {}
    currencies = set()
    for place, key in enumerate(keys):
        found = lookup.find(key)
        if found is None:
            continue
        column, rank, currency = found
        if currency:
            currencies.add(currency)
        if column.name not in best or rank < best[column.name][0]:
            best[column.name] = (rank, place)
    places = {column.name: best[column.name][1] for column in source.columns if column.name in best}
    present = set(keys)
    return Fit(
        source,
        places,
        currencies.pop() if len(currencies) == 1 else None,
        tuple(_missing(source, places, present)),
        any(key_of(source, name) in present for name in source.recognise.lacks),
    )


def _missing(source: Source, places: dict[str, int], present: set[str]) -> list[str]:
    from_outside = {source.dates.column, source.dates.last} if source.dates else set()
    missing = [
        " or ".join(dict.fromkeys(column.accepted))
        for column in source.columns
        if column.required and column.name not in places and column.name not in from_outside
    ]
    choice = source.rules.one_of
    if choice and not set(choice) & places.keys():
        missing.append(" or ".join(source.column(name).header_name for name in choice))
    wanted = [(name,) for name in source.recognise.has] + list(source.recognise.has_any)
    for names in wanted:
        said = " or ".join(names)
        if said not in missing and not {key_of(source, name) for name in names} & present:
            missing.append(said)
    return missing


def best_fit(names: Sequence[str], group: Group | None) -> Fit:
    """The source that knows most of a header's names; of equals, one that misses nothing and is of the group."""

    def nearness(candidate: Fit) -> tuple[bool, int, bool, bool, int]:
        source = candidate.source
        return (
            not candidate.is_excluded, candidate.known, not candidate.missing, source.group == group,
            -len(source.columns),
        )  # fmt: skip

    return max((fit(source, names) for source in all_sources()), key=nearness)


def require_fit(found: Fit, names: Sequence[str], where: str, *, hint: str = "") -> Fit:
    """The same fit, if the header can be used.

    Raises:
        FileRefused: no source knows the header, or it lacks names, or has them twice or slightly wrong.
    """
    source = found.source
    if source.is_generic or not found.fits:
        _refuse_unusable_names(names, where)
    else:
        _refuse_known_names_twice(found, names, where)
    if found.fits:
        _refuse_near_misses(source, names, where)
        return found
    if not found.known:
        shown = "; ".join(
            f"{source.source}: {', '.join(source.required_headers)}" for source in all_sources() if source.is_generic
        )
        raise FileRefused(
            f"no source knows any of its columns ({shortened(names)}){hint}",
            where=where,
            remedy="check that this is the right file, comma separated, with its header line; 'renqun sources list' "
            f"shows the platforms' exports that are understood. Required in a generic one are: {shown}",
        )
    _refuse_near_misses(source, names, where)
    missing = found.missing
    if not missing:
        excluded = [
            name for name in names if key_of(source, name) in {key_of(source, n) for n in source.recognise.lacks}
        ]
        raise FileRefused(
            f"the nearest source is {source.source} ({source.title}), but such a file never has {', '.join(excluded)}",
            where=where,
            remedy="check which report this is; 'renqun sources list' shows what is understood",
        )
    manner = "letter for letter" if source.is_generic else "whatever their blanks, width and case"
    raise FileRefused(
        f"the nearest source is {source.source} ({source.title}), but the header misses {', '.join(missing)}",
        where=where,
        remedy=f"export the file with {'this column' if len(missing) == 1 else 'these columns'}; "
        f"header names are matched {manner}",
    )


def raw_names(found: Fit, names: Sequence[str]) -> dict[str, int]:
    """The columns that the source does not know, by the names that they get in raw, in the file's order.

    A name that raw needs for itself, that stands twice or that is missing is made another one: the data is kept.
    """
    taken = {name.casefold() for name in (*found.source.names, *METADATA_COLUMNS, "date", *_RESERVED)}
    mapped = set(found.places.values())
    unknown: dict[str, int] = {}
    for place, name in enumerate(names):
        if place in mapped:
            continue
        given = name if found.source.is_generic else tidied(name) or f"column {place + 1}"
        free = given
        counter = 1
        while free.casefold() in taken:
            counter += 1
            free = f"{given} ({'in the file' if counter == 2 else counter})"
        taken.add(free.casefold())
        unknown[free] = place
    return unknown


def version_of(found: Fit, names: Sequence[str]) -> str:
    """The header's version: a known one by its name; of an unknown one, equal sets of names have equal versions."""
    source = found.source
    present = {key_of(source, name) for name in names}
    for version in source.versions:
        if all(key_of(source, name) in present for name in version.has):
            return version.name
    told = sorted(names if source.is_generic else (tidied(name) for name in names))
    return hashlib.sha256("\n".join(told).encode(errors="replace")).hexdigest()[:8]


def knows_any(name: str) -> bool:
    """Whether any source accepts this name."""
    return folded(name) in _all_names()


@cache
def _all_names() -> frozenset[str]:
    return frozenset(folded(name) for source in all_sources() for column in source.columns for name in column.accepted)


def shortened(names: Sequence[str]) -> str:
    """Some names for a message, without what may be somebody's data."""
    shown = ", ".join(name[:_SHOWN_NAME] if not _LOOKS_LIKE_DATA.search(name) else "…" for name in names[:8])
    return shown if len(names) <= 8 else f"{shown}, … {len(names) - 8} more"


def _refuse_near_misses(source: Source, names: Sequence[str], where: str) -> None:
    """A name that differs by case or blanks only would be taken for an unknown column, and its data for absent."""
    if not source.is_generic:
        return
    exact = {name.casefold(): name for column in source.columns for name in column.accepted}
    wrong = {name: exact[name.strip().casefold()] for name in names if name.strip().casefold() in exact}
    wrong = {name: right for name, right in wrong.items() if name != right}
    if wrong:
        said = ", ".join(f"{name!r} for {right!r}" for name, right in wrong.items())
        raise FileRefused(
            f"the header writes {said}",
            where=where,
            remedy="write these names exactly as the source has them; they are matched letter for letter",
        )


def _refuse_known_names_twice(found: Fit, names: Sequence[str], where: str) -> None:
    """Of two columns with one name nobody can say which is meant, if the name means anything."""
    count = Counter(key_of(found.source, name) for name in names)
    twice = [names[place] for place in found.places.values() if count[key_of(found.source, names[place])] > 1]
    if twice:
        raise FileRefused(
            f"the header has a name more than once: {', '.join(tidied(name) for name in twice)}",
            where=where,
            remedy="export every column once",
        )


def _refuse_unusable_names(names: Sequence[str], where: str) -> None:
    empty = [str(place) for place, name in enumerate(names, start=1) if not name.strip()]
    if empty:
        raise FileRefused(
            f"the header has no name for column {', '.join(empty[:8])}",
            where=where,
            remedy="name every column, and remove commas at the end of the header line",
        )
    count = Counter(name.strip().casefold() for name in names)
    twice = sorted({name for name in names if count[name.strip().casefold()] > 1})
    if twice:
        raise FileRefused(
            f"the header has a name more than once: {shortened(twice)}",
            where=where,
            remedy="export every column once; names that differ only by case or blanks count as the same",
        )
    reserved = sorted(count.keys() & _RESERVED)
    if reserved:
        raise FileRefused(
            f"the header uses names that Renqun gives to its own columns: {', '.join(reserved)}",
            where=where,
            remedy="drop the export as the platform made it, not a file of raw/",
        )
