"""JSON lines: one object a line becomes one row of text, nested values as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

OTHER_FIELDS = "other_fields"
"""Where fields are kept that no line near the beginning had."""
LINE_LIMIT = 1_000_000
"""No event is longer than this many bytes."""
BROKEN_JSON = "broken_json"
_HEAD_LINES = 1000
_HEAD_BYTES = 8 * 1024 * 1024


def head_names(path: Path) -> tuple[str, ...] | None:
    """The fields of the first lines, in the order of their appearance; nothing where not even one line is an object."""
    names: dict[str, None] = {}
    found = False
    size = 0
    for number, line in enumerate(lines(path)):
        size += len(line)
        fields = parsed(line)
        if fields is not None:
            found = True
            names.update(dict.fromkeys(fields))
        if number >= _HEAD_LINES or size > _HEAD_BYTES:
            break
    return tuple(names) if found else None


def lines(path: Path) -> Iterator[bytes]:
    """The lines that hold anything; one that is longer than any event is cut, and will not parse."""
    with path.open("rb") as stream:
        if stream.read(3) != b"\xef\xbb\xbf":
            stream.seek(0)
        while line := stream.readline(LINE_LIMIT):
            if len(line) == LINE_LIMIT and not line.endswith(b"\n"):
                _skip_line(stream)
            stripped = line.strip()
            if stripped:
                yield stripped


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(LINE_LIMIT)) and not rest.endswith(b"\n"):
        pass


def parsed(line: bytes) -> dict[str, Any] | None:
    """The object on a line; nothing where it is none."""
    try:
        fields = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def row_of(line: bytes, names: tuple[str, ...]) -> list[str] | None:
    """A line's cells in the order of some names, what is beside them last; nothing where it is no object."""
    fields = parsed(line)
    if fields is None:
        return None
    cells = [text_of(fields.pop(name, None)) for name in names]
    return [*cells, text_of(fields) if fields else ""]


def text_of(value: Any) -> str:
    """A value as text: plain where it is one value, compact JSON where it is nested."""
    match value:
        case None:
            return ""
        case str():
            return value.replace("\x00", "")
        case bool():
            return "true" if value else "false"
        case _:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("\x00", "")
