"""What is this file? Decided by its bytes (magic numbers, encoding, header names), never by its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

import duckdb

from renqun.ingest import jsonlines
from renqun.ingest.catalogue import FileFormat, Source
from renqun.ingest.days_in_text import Days, days_in, days_in_lines
from renqun.ingest.encodings import encoding_of, mark_length, read_as_utf8
from renqun.ingest.engine import Workbench
from renqun.ingest.faults import FileRefused
from renqun.ingest.match import Fit, best_fit, fit, knows_any, raw_names, require_fit, shortened, version_of
from renqun.ingest.names import folded, tidied
from renqun.ingest.records import split_record
from renqun.ingest.spreadsheet import Sheet, open_sheets
from renqun.ingest.unpack import Body, open_bodies
from renqun.settings import Group

__all__ = ["Detection", "FileRefused", "Header", "Part", "detect"]

_HEAD_BYTES = 256 * 1024
_HEADER_WITHIN = 30
"""The header stands among the first so many rows: platforms put a title, a period and remarks above it."""
_ROWS_LOOKED_AT = 60
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Control characters that no text has."""
DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True)
class Header:
    """The names of a file's columns and, for CSV, where and how its rows begin."""

    names: tuple[str, ...]
    format: FileFormat
    encoding: str
    data_start: int = 0
    """For text: where the first row begins, in the bytes of a file in UTF-8, in the text of any other."""
    is_first_line: bool = True
    delimiter: str = ","
    surplus: int = 0
    """How many empty cells the rows have beyond the header's."""
    sheet: str = ""
    preamble: tuple[str, ...] = ()
    """The lines above the header."""


@dataclass(frozen=True)
class Part:
    """One table of a delivered file: an archive may hold several of one kind."""

    body: Body
    header: Header
    sheet: Sheet | None = None
    skip_rows: int = 0
    """For a sheet: how many rows stand before the first row of data."""


@dataclass(frozen=True)
class Detection:
    """A file that is known: its source and how its columns map."""

    source: Source
    header: Header
    parts: tuple[Part, ...] = ()
    """Where its rows are; the file itself, as plain text, where not given."""
    days: Days | None = None
    """The days that the file is about, where its rows do not say it."""
    notes: tuple[str, ...] = ()
    """What an operator should know: sheets that were left."""

    @cached_property
    def _fit(self) -> Fit:
        return fit(self.source, self.header.names)

    @cached_property
    def places(self) -> dict[str, int]:
        """The place in the file of each canonical column that it has."""
        return self._fit.places

    @cached_property
    def unknown_places(self) -> dict[str, int]:
        """The place of each column that the source does not describe, by its name in raw."""
        return raw_names(self._fit, self.header.names)

    @property
    def currency(self) -> str | None:
        """The currency that the header names."""
        return self._fit.currency

    @property
    def columns(self) -> tuple[str, ...]:
        """Canonical columns that the file has, in raw's order."""
        given = self.given_from_outside
        return tuple(name for name in self.source.names if self._is_there(name) or name in given)

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """Canonical columns that the file does not have."""
        present = set(self.columns)
        return tuple(name for name in self.source.names if name not in present)

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """Columns of the file that the source does not describe, in the file's order, by their names in raw."""
        return tuple(self.unknown_places)

    @property
    def given_from_outside(self) -> dict[str, str]:
        """Canonical columns whose value stands beside the rows (preamble, name, folder, header), with the value."""
        given = {}
        dates = self.source.dates
        if dates and self.days and dates.column not in self.places:
            given[dates.column] = str(self.days[0])
            if dates.last:
                given[dates.last] = str(self.days[1])
        named = self.source.rules.shop_currency or "currency"
        if self.currency and named in self.source.names and named not in self.places:
            given[named] = self.currency
        return given

    @property
    def header_version(self) -> str:
        """Names the set of columns: equal headers, equal versions, whatever their order."""
        return version_of(self._fit, self.header.names)

    def _is_there(self, name: str) -> bool:
        return name in self.places or any(
            column.last == name and column.name in self.places for column in self.source.columns
        )


@dataclass(frozen=True)
class _Candidate:
    """One way to read a table: a row of it taken for its header."""

    part: Part
    found: Fit

    @property
    def rank(self) -> tuple[bool, int]:
        return self.found.fits, self.found.known


def detect(bench: Workbench, path: Path, *, group: Group | None, where: str, day: date | None = None) -> Detection:
    """Recognise a file.

    Args:
        bench: unpacks archives and reads a Parquet file's footer.
        path: the file.
        group: the group of the folder it lies in; any where not given.
        where: the file's place, for messages.
        day: the folder's date, for exports that say their day nowhere else.

    Raises:
        FileRefused: it is none of the described sources, or lies in another group's folder.
    """
    bodies = open_bodies(bench, path, where)
    chosen: list[_Candidate] = []
    notes: list[str] = []
    for body in bodies:
        inside = f"{where} ({body.name})" if len(bodies) > 1 else where
        candidates = _candidates(bench, body, group, inside)
        best, left = _choose(candidates, inside)
        require_fit(best.found, best.part.header.names, inside)
        chosen.append(best)
        notes += left
    _refuse_mixed_parts(chosen, where)
    source, header = chosen[0].found.source, chosen[0].part.header
    _refuse_wrong_format(source, header, where)
    if group is not None and source.group != group:
        folder = where.rsplit("/", 2)[-2] if "/" in where else "<YYYY-MM-DD>"
        raise FileRefused(
            f"this file holds {source.title} ({source.source}), which belong to the group {source.group!r}",
            where=where,
            remedy=f"move it to landing/{source.group}/{folder}/",
        )
    detection = Detection(source, header, tuple(candidate.part for candidate in chosen), notes=tuple(notes))
    return replace(detection, days=_days(detection, where, day)) if source.dates else detection


def _candidates(bench: Workbench, body: Body, group: Group | None, where: str) -> list[_Candidate]:
    """Every sheet of a workbook, or the one table of any other file, with the best header that is found in it."""
    match body.kind:
        case "parquet":
            header = Header(_parquet_names(bench, body.path, where), "parquet", "parquet")
            return [_Candidate(Part(body, header), best_fit(header.names, group))]
        case "jsonl":
            names = jsonlines.head_names(body.path)
            if names is None:
                raise FileRefused(
                    "this looks like JSON, but its lines are no JSON objects",
                    where=where,
                    remedy="export it as JSON lines: one object a line, in UTF-8",
                )
            header = Header(names, "jsonl", "utf-8")
            return [_Candidate(Part(body, header), best_fit(names, group))]
        case "xlsx" | "xls":
            sheets = [found for sheet in open_sheets(body.path, where) if (found := _in_sheet(body, sheet, group))]
            if not sheets:
                raise FileRefused(
                    "the workbook is empty", where=where, remedy="export it again; if the day has no data, "
                    "remove the file and run 'renqun close-day'"
                )  # fmt: skip
            return sheets
        case _:
            return [_in_text(body, group, where)]


def _in_sheet(body: Body, sheet: Sheet, group: Group | None) -> _Candidate | None:
    rows = sheet.head()
    place = _header_place(rows, group)
    if place is None:
        return None
    names = _without_empty_end(rows[place])
    form: FileFormat = "xls" if body.kind == "xls" else "xlsx"
    preamble = tuple(" ".join(cell for cell in row if cell) for row in rows[:place])
    header = Header(names, form, form, sheet=sheet.name, is_first_line=place == 0, preamble=preamble)
    return _Candidate(Part(body, header, sheet, skip_rows=place + 1), best_fit(names, group))


def _in_text(body: Body, group: Group | None, where: str) -> _Candidate:
    encoding = encoding_of(body.path)
    if encoding is None:
        raise _binary(where)
    head = b"".join(read_as_utf8(body.path, encoding, limit=_HEAD_BYTES))
    size = body.path.stat().st_size
    is_whole = size <= _HEAD_BYTES
    if not head.strip():
        raise FileRefused("the file is empty", where=where, remedy="export it again; if the day has no data, "
                          "remove the file and run 'renqun close-day'")  # fmt: skip
    with body.path.open("rb") as stream:
        mark = mark_length(encoding, stream.read(4))
    offset = mark if encoding in {"utf-8", "utf-8-sig"} else 0
    readings = [
        reading
        for delimiter in DELIMITERS
        if delimiter == "," or delimiter.encode() in head
        if (reading := _split_head(body, head, delimiter, encoding, offset, is_whole, group))
    ]
    best = max(readings, key=lambda reading: reading.rank, default=None)
    if (best is None or not best.found.known) and _NO_TEXT.search(head):
        raise _binary(where)
    first = split_record(head, len(head) - len(head.lstrip(b"\r\n")))
    if best is None or (first.cells is None and not best.found.fits):
        raise FileRefused(
            "the first line is no CSV header: its quotes do not close or it has no end",
            where=where,
            remedy="export the file again as CSV with one header line",
        )
    return best


def _binary(where: str) -> FileRefused:
    return FileRefused(
        "this is a binary file, neither text nor a workbook nor Parquet",
        where=where,
        remedy="export the data as CSV in UTF-8",
    )


def _split_head(
    body: Body, head: bytes, delimiter: str, encoding: str, offset: int, is_whole: bool, group: Group | None
) -> _Candidate | None:
    """The best header of a text, if its cells are separated like this."""
    rows: list[tuple[str, ...] | None] = []
    starts, ends = [], []
    position = 0
    while position < len(head) and len(rows) < _ROWS_LOOKED_AT:
        record = split_record(head, position, delimiter.encode())
        start, position = position, record.end
        if record.end >= len(head) and not is_whole:
            break  # cut by the end of what was read
        if not record.text:
            continue
        starts.append(start)
        ends.append(record.end)
        rows.append(None if record.cells is None else tuple(cell.decode(errors="replace") for cell in record.cells))
    place = _header_place(rows, group)
    cells = None if place is None else rows[place]
    if place is None or cells is None:
        return None
    found = best_fit(cells, group)
    surplus = 0
    if not found.source.is_generic:
        cells = _without_empty_end(cells)
        found = best_fit(cells, group)
        surplus = _surplus(rows[place + 1 :], len(cells))
    header = Header(
        names=tuple(cells),
        format="csv",
        encoding=encoding,
        data_start=offset + ends[place],
        is_first_line=starts[place] == 0,
        delimiter=delimiter,
        surplus=surplus,
        preamble=tuple(" ".join(row or ()) for row in rows[:place]),
    )
    return _Candidate(Part(body, header), found)


def _header_place(rows: Sequence[Sequence[str] | None], group: Group | None) -> int | None:
    """Which row is the header: one that is whole for a source, or else the one that knows most names, or the first."""
    best: tuple[tuple[bool, int], int] | None = None
    first: int | None = None
    for place, cells in enumerate(rows[:_HEADER_WITHIN]):
        if cells is None or not any(cells):
            continue
        first = place if first is None else first
        if not any(knows_any(cell) for cell in cells):
            continue
        found = best_fit(_without_empty_end(cells), group)
        rank = (found.fits, found.known)
        if best is None or rank > best[0]:
            best = (rank, place)
    return best[1] if best and best[0][1] else first


def _surplus(rows: Sequence[Sequence[str] | None], width: int) -> int:
    """How many cells most rows have beyond the header's, if these are always empty: the classic item report ends
    every row with a comma, but not its header."""
    wider = [row for row in rows if row is not None and len(row) > width]
    sound = [row for row in wider if not any(cell.strip() for cell in row[width:])]
    if not sound or len(sound) * 2 < len([row for row in rows if row]):
        return 0
    return max(len(row) for row in sound) - width


def _without_empty_end(cells: Sequence[str]) -> tuple[str, ...]:
    width = len(cells)
    while width and not tidied(cells[width - 1]):
        width -= 1
    return tuple(cells[:width])


def _choose(candidates: Sequence[_Candidate], where: str) -> tuple[_Candidate, list[str]]:
    """The one table of a file that is an export, and what to say of the others."""
    fitting = [candidate for candidate in candidates if candidate.found.fits]
    if len(fitting) <= 1:
        best = fitting[0] if fitting else max(candidates, key=lambda candidate: candidate.rank)
    else:
        best = _preferred_sheet(fitting, where)
    left = [candidate.part.header.sheet for candidate in candidates if candidate is not best]
    notes = [f"the sheet {best.part.header.sheet!r} was read; left were {', '.join(map(repr, left))}"] if left else []
    return best, notes


def _preferred_sheet(fitting: Sequence[_Candidate], where: str) -> _Candidate:
    sources = {candidate.found.source.source for candidate in fitting}
    by_name = {folded(candidate.part.header.sheet): candidate for candidate in fitting}
    if len(sources) == 1:
        for name in fitting[0].found.source.sheets:
            if folded(name) in by_name:
                return by_name[folded(name)]
    said = ", ".join(f"{candidate.part.header.sheet!r} ({candidate.found.source.source})" for candidate in fitting)
    raise FileRefused(
        f"several sheets of the workbook are exports: {said}",
        where=where,
        remedy="save the sheet that is meant as a file of its own; if all are, save each as one",
    )


def _refuse_mixed_parts(chosen: Sequence[_Candidate], where: str) -> None:
    """Files that come together in an archive are one export if they have one header."""
    first = chosen[0]
    sources = {candidate.found.source.source for candidate in chosen}
    if len(sources) > 1:
        said = ", ".join(f"{candidate.part.body.name} ({candidate.found.source.source})" for candidate in chosen)
        raise FileRefused(
            f"the archive holds exports of several kinds: {shortened([said])}" if len(said) > 400 else
            f"the archive holds exports of several kinds: {said}",
            where=where,
            remedy="unpack it and drop the files inside",
        )  # fmt: skip
    for other in chosen[1:]:
        one, two = first.part.header, other.part.header
        alike = [folded(name) for name in one.names] == [folded(name) for name in two.names]
        if not alike or (one.format, one.delimiter) != (two.format, two.delimiter) or one.format == "parquet":
            raise FileRefused(
                f"the files in the archive have different columns or formats: {first.part.body.name}, "
                f"{other.part.body.name}",
                where=where,
                remedy="unpack it and drop the files inside",
            )


def _refuse_wrong_format(source: Source, header: Header, where: str) -> None:
    if header.format not in source.formats:
        raise FileRefused(
            f"{source.title} are not taken in as {header.format}",
            where=where,
            remedy=f"export them as {' or '.join(source.formats)}",
        )


def _days(detection: Detection, where: str, day: date | None) -> Days | None:
    """The days that a file is about, from its preamble, its name or its folder, in this order."""
    dates, source = detection.source.dates, detection.source
    assert dates is not None, "asked for sources that have their day from outside"
    if dates.column in detection.places:
        return None
    part = detection.parts[0]
    found = days_in_lines(part.header.preamble) if dates.preamble else None
    found = found or days_in(part.body.name) or days_in(Path(where).name) or ((day, day) if day else None)
    if found is None:
        raise FileRefused(
            f"{source.title} say their day in no column, and neither the lines above the header nor the file's name do",
            where=where,
            remedy="drop the file into the folder of its date, landing/<group>/<YYYY-MM-DD>/, or give the date",
        )
    if found[0] != found[1] and not dates.last:
        raise FileRefused(
            f"the file sums up {found[0]} to {found[1]}; what is distinct on each day cannot be taken apart again",
            where=where,
            remedy="export every day on its own",
        )
    return found


def _parquet_names(bench: Workbench, path: Path, where: str) -> tuple[str, ...]:
    try:
        described = bench.connection.execute(f"DESCRIBE SELECT * FROM read_parquet({bench.readable(path)})").fetchall()
    except duckdb.Error as error:
        raise FileRefused(
            "the Parquet file is damaged or cut off",
            where=where,
            remedy="export or copy it again; a Parquet file is only readable when complete",
        ) from error
    return tuple(str(row[0]) for row in described)
