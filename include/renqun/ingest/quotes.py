"""How a CSV file uses its quotes, and how many records it has: known before any reader is trusted with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from renqun.ingest.records import count_records

_VECTORS_FROM = 4 * 1024 * 1024
"""From this size on, importing numpy pays."""
_CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Quoting:
    """What was found."""

    is_sound: bool
    """Quotes only begin and end fields, or are doubled inside one. With other quotes, DuckDB drops blanks beside
    them and even a last line, without a word."""
    records: int
    """How many records the file has, if its quoting is sound. Counted apart from any reader, so that a reader that
    loses a row is found out."""


def quoting_of(path: Path, start: int, delimiter: str, *, vectors_from: int = _VECTORS_FROM) -> Quoting:
    """Look at a file from `start`, the beginning of a record, to its end, in bounded memory."""
    with path.open("rb") as stream:
        stream.seek(start)
        if path.stat().st_size < vectors_from:
            data = stream.read()
            stream.seek(start)
            return Quoting(bool(_well_quoted(delimiter).match(data)), count_records(stream))
        return _by_vectors(stream, ord(delimiter))


def _well_quoted(delimiter: str) -> re.Pattern[bytes]:
    mark = re.escape(delimiter.encode())
    field = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^"' + mark + rb"\r\n]*+)"
    return re.compile(rb"(?:" + field + rb"[" + mark + rb"\r\n])*+" + field + rb"\Z")


def _by_vectors(stream: BinaryIO, delimiter: int) -> Quoting:
    """The same, a hundred million bytes a second: the n-th quote opens a field if n is even, and closes it if odd.

    Where a field holds a doubled quote, the first one "closes" and the second one "opens" right beside it.
    """
    import numpy as np

    line_end = ord("\n")
    beside = np.zeros(256, dtype=bool)
    beside[[delimiter, line_end, ord("\r"), ord('"')]] = True
    before, chunk, quotes, records, is_sound = line_end, stream.read(_CHUNK_BYTES), 0, 0, True
    if chunk:
        records = int(chunk[:1] not in b"\r\n")
    while chunk:
        following = stream.read(_CHUNK_BYTES)
        data = np.empty(len(chunk) + 2, dtype=np.uint8)
        data[0] = before
        data[1:-1] = np.frombuffer(chunk, dtype=np.uint8)
        data[-1] = following[0] if following else line_end
        inner = data[1:-1]
        places = np.flatnonzero(inner == ord('"')) + 1
        first_opens = quotes % 2
        opening, closing = places[first_opens::2], places[1 - first_opens :: 2]
        if is_sound:
            is_sound = bool(beside[data[opening - 1]].all() and beside[data[closing + 1]].all())
        ends = np.flatnonzero((inner == line_end) | (inner == ord("\r"))) + 1
        outside = ends[(np.searchsorted(places, ends) + quotes) % 2 == 0]
        begun = data[outside + 1]
        records += int(((begun != line_end) & (begun != ord("\r"))).sum())
        quotes += len(places)
        before, chunk = int(data[-2]), following
    return Quoting(is_sound and quotes % 2 == 0, records)
