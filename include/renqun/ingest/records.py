"""Splitting CSV bytes into records without losing one: for headers, and for files that the strict reader refuses.

The rules are RFC 4180's, on bytes: fields separated by commas (or by another sign), a field that begins with a quote
ends with one and may hold commas, line ends and doubled quotes; blanks behind its end are nothing. A quote inside a
field that does not begin with one is a character like any other. A record whose quoting is broken ends at its line's
end, so it takes no other record with it. Lines with nothing on them are no records.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from mmap import mmap
from typing import BinaryIO

_SIMPLE = re.compile(rb'([^"\r\n]*+)(\r\n|\n|\r|\Z)')
_LINE = re.compile(rb"([^\r\n]*+)(\r\n|\n|\r|\Z)")

_FILLED = re.compile(rb"[^\r\n]+")
_CHUNK_BYTES = 4 * 1024 * 1024

RECORD_LIMIT = 1_000_000
"""No real row is longer than this many bytes: a longer one is a quote that nobody closed."""


@dataclass(frozen=True)
class Record:
    """One record of a CSV file."""

    text: bytes
    """Its bytes, without the line end."""
    cells: list[bytes] | None
    """Its cells, unquoted; nothing where the quoting is broken."""
    end: int
    """Where the next record begins."""


@cache
def _field_patterns(delimiter: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """A field with quotes around it, and one without."""
    mark = re.escape(delimiter)
    # Some platforms write a blank behind the closing quote ("a" ,"b"): it belongs to no cell.
    blanks = rb"[ ]*+" if delimiter == b"\t" else rb"[ \t]*+"
    quoted = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"' + blanks + rb"(?=[" + mark + rb"\r\n]|\Z)")
    return quoted, re.compile(rb'(?!")[^' + mark + rb"\r\n]*+")


def split_record(data: bytes | mmap, start: int, delimiter: bytes = b",") -> Record:
    """The record that begins at `start`."""
    quoted_field, plain_field = _field_patterns(delimiter)
    simple = _SIMPLE.match(data, start)
    if simple:
        text = simple.group(1)
        return Record(text, text.split(delimiter) if len(text) <= RECORD_LIMIT else None, simple.end())
    cells: list[bytes] = []
    position = start
    while True:
        quoted = quoted_field.match(data, position)
        field = quoted or plain_field.match(data, position)
        if field is None or field.end() - start > RECORD_LIMIT:
            return _broken_line(data, start, delimiter)
        cells.append(field.group(1).replace(b'""', b'"') if quoted else field.group(0))
        position = field.end()
        if data[position : position + 1] != delimiter:
            break
        position += 1
    line_end = _LINE.match(data, position)
    assert line_end is not None, "a field ends at a comma, a line end or the end of the file"
    return Record(data[start:position], cells, line_end.end())


def split_records(data: bytes | mmap, start: int, delimiter: bytes = b",") -> Iterator[Record]:
    """All records from `start` to the end, empty lines left out."""
    size = len(data)
    while start < size:
        record = split_record(data, start, delimiter)
        if record.text:
            yield record
        start = record.end


def count_records(stream: BinaryIO) -> int:
    """How many records a file has, its header included, if its quotes only begin and end fields or are doubled.

    Counted apart from any reader, so that a reader that loses a row is found out.
    """
    count, inside, unfinished = 0, False, False
    while chunk := stream.read(_CHUNK_BYTES):
        parts = chunk.split(b'"')
        # Every second part is text outside quotes; the marks between them keep quoted-only lines from being empty.
        text = (b"." if unfinished or inside else b"") + b".".join(parts[inside::2])
        inside ^= len(parts) % 2 == 0
        text += b"." if inside else b""
        count += len(_FILLED.findall(text))
        unfinished = bool(text) and text[-1:] not in b"\r\n"
        count -= unfinished
    return count + unfinished


def _broken_line(data: bytes | mmap, start: int, delimiter: bytes) -> Record:
    line = _LINE.match(data, start)
    assert line is not None, "every place begins a line, if an empty one"
    # Tools that separate by TABs know no quotes: there, a quote that does not fit is a character (12" pipe).
    is_tabbed = delimiter == b"\t" and len(line.group(1)) <= RECORD_LIMIT
    return Record(line.group(1), line.group(1).split(delimiter) if is_tabbed else None, line.end())
