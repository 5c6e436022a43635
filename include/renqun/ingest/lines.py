"""Where rows stand in a file as a person sees it: the line of a text, the row of a sheet."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from renqun.ingest.detect import Detection, Part
from renqun.ingest.encodings import read_as_utf8
from renqun.ingest.records import split_record

_SEARCHED_BYTES = 64 * 1024 * 1024
"""In a larger text nobody counts lines by eye."""


def lines_of_rows(path: Path, detection: Detection, rows: Collection[int]) -> dict[int, int]:
    """The line, from 1, on which some rows (`_source_row`) begin; empty where it cannot be told.

    It cannot in a Parquet file, an archive of several files, and a very large text.
    """
    if not rows or len(detection.parts) > 1:
        return {}
    part = detection.parts[0] if detection.parts else None
    if part and part.sheet:
        lines = _of_sheet(part)
    elif detection.header.format == "csv":
        text = part.body.path if part else path
        lines = _of_text(text, detection) if text.stat().st_size <= _SEARCHED_BYTES else iter(())
    elif detection.header.format == "jsonl":
        lines = _of_json(part.body.path if part else path)
    else:
        return {}
    # A line with nothing on it is no row.
    return {row: line for row, line in enumerate(islice(lines, max(rows)), start=1) if row in rows}


def _of_sheet(part: Part) -> Iterator[int]:
    assert part.sheet is not None, "asked for a sheet"
    for line, cells in enumerate(part.sheet.rows(), start=1):
        if line > part.skip_rows and any(cells):
            yield line


def _of_text(path: Path, detection: Detection) -> Iterator[int]:
    header = detection.header
    data = b"".join(read_as_utf8(path, header.encoding))  # type: ignore[arg-type]
    # A header's place is counted in the file's own bytes for UTF-8, where the mark belongs to them.
    position = header.data_start - (3 if header.encoding == "utf-8-sig" else 0)
    end = b"\n" if b"\n" in data else b"\r"
    line = 1 + data.count(end, 0, position)
    while position < len(data):
        record = split_record(data, position, header.delimiter.encode())
        if record.text:
            yield line
        line += data.count(end, position, record.end)
        position = record.end


def _of_json(path: Path) -> Iterator[int]:
    with path.open("rb") as stream:
        for line, text in enumerate(stream, start=1):
            if text.strip():
                yield line
