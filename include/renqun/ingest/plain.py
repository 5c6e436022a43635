"""From any format to text that can be split: UTF-8 with its rows only, no preamble, no header, no guards.

What is plain already is read where it lies. Everything else is written once to the workbench's folder, piece by piece.
"""

from __future__ import annotations

import csv
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from renqun.ingest import jsonlines
from renqun.ingest.detect import Detection, Part
from renqun.ingest.encodings import read_as_utf8
from renqun.ingest.engine import Workbench
from renqun.ingest.guards import without_guards
from renqun.ingest.spreadsheet import rows_as_csv

_HELD_BACK_BYTES = 16 * 1024 * 1024
"""A line longer than this is no row: it is not waited for."""
_SEARCHED_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Plain:
    """Rows as text in UTF-8."""

    path: Path
    delimiter: str
    width: int
    """How many cells a row has, those that the header does not name included."""
    names: int
    """How many of them the header names."""
    data_start: int
    starts_with_header: bool
    """Whether the header is the file's first line: then the strict reader can skip it."""
    is_tolerant: bool
    """Whether a row may end in empty cells that the header does not name: platforms do that."""


def as_plain(bench: Workbench, path: Path, detection: Detection) -> Plain:
    """A recognised text or workbook as plain text."""
    header = detection.header
    width = len(header.names) + header.surplus
    is_tolerant = not detection.source.is_generic
    if not detection.parts or _is_plain_already(detection):
        source = detection.parts[0].body.path if detection.parts else path
        return Plain(
            source, header.delimiter, width, len(header.names), header.data_start, header.is_first_line, is_tolerant
        )
    target = bench.folder / "plain.csv"
    if header.format == "csv":
        with target.open("wb") as out:
            for part in detection.parts:
                for piece in rows_as_utf8(part, header.delimiter):
                    out.write(piece)
    else:
        with target.open("w", encoding="utf-8", errors="backslashreplace", newline="") as text:
            for part in detection.parts:
                assert part.sheet is not None, "a workbook's part has a sheet"
                text.writelines(rows_as_csv(part.sheet, part.skip_rows, width))
    return Plain(target, header.delimiter, width, len(header.names), 0, False, is_tolerant)


def write_json_rows(detection: Detection, target: Path) -> int:
    """Write JSON lines as CSV with, at the end of each row, its fault and its text.

    Returns:
        How many rows were written.
    """
    known = detection.header.names[: -1 if has_other_fields(detection) else None]
    written = 0
    with target.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out:
        write = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow
        for part in detection.parts:
            for line in jsonlines.lines(part.body.path):
                row = jsonlines.row_of(line, known)
                if row is None:
                    text = line[:100_000].decode(errors="backslashreplace").replace("\x00", "")
                    row = [""] * (len(known) + 1)
                    write([*row[: len(detection.header.names)], jsonlines.BROKEN_JSON, text])
                else:
                    write([*row[: len(detection.header.names)], "", ""])
                written += 1
    return written


def has_other_fields(detection: Detection) -> bool:
    """Whether the last column gathers the fields that no name was seen for."""
    return detection.header.names[-1] == jsonlines.OTHER_FIELDS


def rows_as_utf8(part: Part, delimiter: str) -> Iterator[bytes]:
    """A text's rows in UTF-8, pieces ending with lines' ends, guards (`="…"`) undone."""
    is_utf8 = part.header.encoding.startswith("utf-8")
    # A header's place is counted in the file's own bytes for UTF-8, where the mark belongs to them.
    mark = 3 if part.header.encoding == "utf-8-sig" else 0
    skip = part.header.data_start - (mark if is_utf8 else 0)
    held = b""
    for piece in read_as_utf8(part.body.path, part.header.encoding):  # type: ignore[arg-type]
        if skip:
            dropped = min(skip, len(piece))
            skip -= dropped
            piece = piece[dropped:]  # noqa: PLW2901
        piece = held + piece  # noqa: PLW2901
        end = piece.rfind(b"\n") + 1
        if not end and len(piece) > _HELD_BACK_BYTES:
            end = len(piece)
        held = piece[end:]
        if end:
            yield without_guards(piece[:end] if held else piece, delimiter)
    if held:
        last = without_guards(held, delimiter)
        yield last if last.endswith((b"\n", b"\r")) else last + b"\n"


def _is_plain_already(detection: Detection) -> bool:
    """Whether a file can be read where it lies."""
    (first, *others) = detection.parts
    if others or first.header.format != "csv" or not first.header.encoding.startswith("utf-8"):
        return False
    return detection.source.is_generic or not _has_guards(first.body.path)


def _has_guards(path: Path) -> bool:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for start in range(0, len(data), _SEARCHED_BYTES):
            if data.find(b'="', start, start + _SEARCHED_BYTES + 1) >= 0:
                return True
            forget(data, start)
    return False


def forget(data: mmap.mmap, upto: int) -> None:
    """Give back the memory of what has been read: the pages of a mapped file count as the process's."""
    if hasattr(mmap, "MADV_DONTNEED") and upto >= mmap.PAGESIZE:
        data.madvise(mmap.MADV_DONTNEED, 0, upto // mmap.PAGESIZE * mmap.PAGESIZE)
