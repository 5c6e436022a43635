"""What is this file? Decided by its bytes (magic numbers, encoding, header names), never by its name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from renqun.errors import RequestError
from renqun.ingest.catalogue import METADATA_COLUMNS, FileFormat, Source, all_sources
from renqun.ingest.engine import Workbench
from renqun.ingest.records import split_record, split_records
from renqun.settings import Group

_HEAD_BYTES = 256 * 1024
_LOOKS_LIKE_DATA = re.compile(r"@|\d{6,}")
"""A file without a header line shows its first row instead: somebody's phone is not for a message."""
_UTF8_MARK = b"\xef\xbb\xbf"
_RESERVED = frozenset(METADATA_COLUMNS) | {"_raw_file"}

_SAVE_AS_CSV = "open it and save it as 'CSV UTF-8', then drop that file instead"
_UNPACK = "unpack it and drop the files inside"
_FOREIGN_FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an Excel file (.xls), not CSV or Parquet", _SAVE_AS_CSV),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"\xfd7zXZ", "an xz archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (b"%PDF", "a PDF document", "export the data as CSV"),
    (b"\xff\xfe", "text in UTF-16, not in UTF-8", _SAVE_AS_CSV),
    (b"\xfe\xff", "text in UTF-16, not in UTF-8", _SAVE_AS_CSV),
)


class FileRefused(RequestError):
    """A file as a whole cannot be taken in."""


@dataclass(frozen=True)
class Header:
    """The names of a file's columns and, for CSV, where and how its rows begin."""

    names: tuple[str, ...]
    format: FileFormat
    encoding: str
    data_start: int = 0
    is_first_line: bool = True


@dataclass(frozen=True)
class Detection:
    """A file that is known: its source and how its columns map."""

    source: Source
    header: Header

    @property
    def columns(self) -> tuple[str, ...]:
        """Canonical columns that the file has, in raw's order."""
        return tuple(column.name for column in self.source.columns if column.header_name in self.header.names)

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """Canonical columns that the file does not have."""
        return tuple(name for name in self.source.names if name not in self.columns)

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """Columns of the file that the source does not describe, in the file's order."""
        known = {column.header_name for column in self.source.columns}
        return tuple(name for name in self.header.names if name not in known)

    @property
    def header_version(self) -> str:
        """Names the set of columns: equal headers, equal versions, whatever their order."""
        return hashlib.sha256("\n".join(sorted(self.header.names)).encode()).hexdigest()[:8]


def detect(bench: Workbench, path: Path, *, group: Group | None, where: str) -> Detection:
    """Recognise a file.

    Args:
        bench: reads a Parquet file's footer.
        path: the file.
        group: the group of the folder it lies in; any where not given.
        where: the file's place, for messages.

    Raises:
        FileRefused: it is none of the described sources, or lies in another group's folder.
    """
    header = read_header(bench, path, where)
    _refuse_unusable_names(header.names, where)
    source = match_source(header.names, group, where)
    if header.format not in source.formats:
        raise FileRefused(
            f"{source.title} are not taken in as {header.format}",
            where=where,
            remedy=f"export them as {' or '.join(source.formats)}",
        )
    if group is not None and source.group != group:
        day = where.rsplit("/", 2)[-2] if "/" in where else "<YYYY-MM-DD>"
        raise FileRefused(
            f"this file holds {source.title} ({source.source}), which belong to the group {source.group!r}",
            where=where,
            remedy=f"move it to landing/{source.group}/{day}/",
        )
    return Detection(source, header)


def read_header(bench: Workbench, path: Path, where: str) -> Header:
    """The column names of a CSV or Parquet file.

    Raises:
        FileRefused: it is neither, or its header cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if head.startswith(b"PAR1"):
        return _parquet_header(bench, path, where)
    _refuse_foreign_formats(head, where)
    encoding = "utf-8-sig" if head.startswith(_UTF8_MARK) else "utf-8"
    text_start = len(_UTF8_MARK) if encoding == "utf-8-sig" else 0
    if not head[text_start:].strip():
        raise FileRefused("the file is empty", where=where, remedy="export it again; if the day has no data, "
                          "remove the file and run 'renqun close-day'")  # fmt: skip
    start = text_start
    record = split_record(head, start)
    while not record.text:
        start = record.end
        record = split_record(head, start)
    if record.cells is None or (record.end >= len(head) and path.stat().st_size > len(head)):
        raise FileRefused(
            "the first line is no CSV header: its quotes do not close or it has no end",
            where=where,
            remedy="export the file again as CSV with one header line",
        )
    _refuse_other_encodings(head, record.text, record.end, path, where)
    return Header(
        names=tuple(cell.decode() for cell in record.cells),
        format="csv",
        encoding=encoding,
        data_start=record.end,
        is_first_line=start == text_start,
    )


def match_source(names: Sequence[str], group: Group | None, where: str) -> Source:
    """The source that a header belongs to: the one that knows most of its names and misses none it requires.

    Raises:
        FileRefused: no source fits; the nearest one is named, with what is missing.
    """

    def nearness(source: Source) -> tuple[int, bool, bool, int]:
        known = sum(column.header_name in names for column in source.columns)
        return known, not _missing(source, names), source.group == group, -len(source.columns)

    nearest = max(all_sources(), key=nearness)
    missing = _missing(nearest, names)
    if not missing:
        _refuse_near_misses(nearest, names, where)
        return nearest
    if nearness(nearest)[0] == 0:
        known = "; ".join(f"{source.source}: {', '.join(source.required_headers)}" for source in all_sources())
        raise FileRefused(
            f"no source knows any of its columns ({_shortened(names)}){_delimiter_hint(names)}",
            where=where,
            remedy=f"check that this is the right file, comma separated, with its header line. Required are: {known}",
        )
    _refuse_near_misses(nearest, names, where)
    raise FileRefused(
        f"the nearest source is {nearest.source} ({nearest.title}), but the header misses {', '.join(missing)}",
        where=where,
        remedy=f"export the file with {'this column' if len(missing) == 1 else 'these columns'}; "
        "header names are matched letter for letter",
    )


def _missing(source: Source, names: Sequence[str]) -> list[str]:
    missing = [name for name in source.required_headers if name not in names]
    choice = [source.column(name).header_name for name in source.rules.one_of]
    if choice and not set(choice) & set(names):
        missing.append(" or ".join(choice))
    return missing


def _refuse_near_misses(source: Source, names: Sequence[str], where: str) -> None:
    """A name that differs by case or blanks only would be taken for an unknown column, and its data for absent."""
    exact = {column.header_name.casefold(): column.header_name for column in source.columns}
    wrong = {name: exact[name.strip().casefold()] for name in names if name.strip().casefold() in exact}
    wrong = {name: right for name, right in wrong.items() if name != right}
    if wrong:
        said = ", ".join(f"{name!r} for {right!r}" for name, right in wrong.items())
        raise FileRefused(
            f"the header writes {said}",
            where=where,
            remedy="write these names exactly as the source has them; they are matched letter for letter",
        )


def _refuse_unusable_names(names: Sequence[str], where: str) -> None:
    empty = [str(place) for place, name in enumerate(names, start=1) if not name.strip()]
    if empty:
        raise FileRefused(
            f"the header has no name for column {', '.join(empty)}",
            where=where,
            remedy="name every column, and remove commas at the end of the header line",
        )
    folded = [name.strip().casefold() for name in names]
    twice = sorted({name for name in names if folded.count(name.strip().casefold()) > 1})
    if twice:
        raise FileRefused(
            f"the header has a name more than once: {', '.join(twice)}",
            where=where,
            remedy="export every column once; names that differ only by case or blanks count as the same",
        )
    reserved = sorted(set(folded) & _RESERVED)
    if reserved:
        raise FileRefused(
            f"the header uses names that Renqun gives to its own columns: {', '.join(reserved)}",
            where=where,
            remedy="drop the export as the platform made it, not a file of raw/",
        )


def _refuse_foreign_formats(head: bytes, where: str) -> None:
    what: tuple[str, str] | None = None
    if not head:
        what = ("the file is empty", "export it again; if the day has no data, remove the file and "
                "run 'renqun close-day'")  # fmt: skip
    elif head.startswith(b"PK\x03\x04"):
        is_excel = b"xl/" in head or b"[Content_Types].xml" in head
        what = ("this is an Excel file (.xlsx), not CSV or Parquet", _SAVE_AS_CSV) if is_excel else (
            "this is a zip archive", _UNPACK)  # fmt: skip
    elif head.removeprefix(_UTF8_MARK).lstrip().startswith(b"<"):
        what = ("this is a web page (HTML or XML), not CSV or Parquet", "log in to the platform and export again")
    else:
        for magic, kind, remedy in _FOREIGN_FORMATS:
            if head.startswith(magic):
                what = (f"this is {kind}", remedy)
                break
        else:
            if b"\x00" in head:
                what = ("this is a binary file, neither CSV nor Parquet", "export the data as CSV in UTF-8")
    if what:
        raise FileRefused(what[0], where=where, remedy=what[1])


def _refuse_other_encodings(head: bytes, header: bytes, data_start: int, path: Path, where: str) -> None:
    """One row in another encoding is quarantined; a file in another encoding is refused."""
    if _is_utf8(head[: head.rfind(b"\n") + 1 or None]):
        return
    records = list(split_records(head, data_start))
    if len(head) < path.stat().st_size:
        records = records[:-1]  # the last one is cut by the end of what was read
    broken = sum(not _is_utf8(record.text) for record in records)
    if _is_utf8(header) and broken * 2 <= len(records):
        return
    try:
        head[: head.rfind(b"\n") + 1 or None].decode("gb18030")
        guess = "; it looks like GBK/GB18030"
    except UnicodeDecodeError:
        guess = ""
    raise FileRefused(f"the text is not in UTF-8{guess}", where=where, remedy=_SAVE_AS_CSV)


def _parquet_header(bench: Workbench, path: Path, where: str) -> Header:
    try:
        described = bench.connection.execute(f"DESCRIBE SELECT * FROM read_parquet({bench.readable(path)})").fetchall()
    except duckdb.Error as error:
        raise FileRefused(
            "the Parquet file is damaged or cut off",
            where=where,
            remedy="export or copy it again; a Parquet file is only readable when complete",
        ) from error
    return Header(tuple(str(row[0]) for row in described), format="parquet", encoding="parquet")


def _delimiter_hint(names: Sequence[str]) -> str:
    known = {column.header_name for source in all_sources() for column in source.columns}
    for delimiter, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 and known & {name.strip('" ') for name in names[0].split(delimiter)}:
            return f"; they seem to be separated by {called}, not commas"
    return ""


def _shortened(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] if not _LOOKS_LIKE_DATA.search(name) else "…" for name in names[:8])
    return shown if len(names) <= 8 else f"{shown}, … {len(names) - 8} more"


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
