"""One portion of a large text, in a process of its own: its rows as a table (`renqun.ingest.views`), and the facts
about its columns.

Only a portion as regular as almost all are is written: sound quotes, as many cells in every row, one kind of line
ends. Of any other, nothing but that is said, and the file goes the slow way (`renqun.ingest.read`).

usage: python -m renqun.ingest.portion, with a `Job` as JSON in the standard input
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from renqun.ingest.bits import bits_of, count_of, later, parity, places_of
from renqun.ingest.columns import MARGIN, Cells, facts_of
from renqun.ingest.facts import Job, Written
from renqun.ingest.records import RECORD_LIMIT
from renqun.ingest.views import views_of, write_table

_QUOTE, _GUARD, _RETURN, _LINE_END = ord('"'), ord("="), ord("\r"), ord("\n")
_LAST_BIT = np.uint64(63)
_Places = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Where cells begin, and how many bytes they have."""


def main() -> None:
    """Do a job and print what was written."""
    print(json.dumps(write_portions(Job.from_json(sys.stdin.read()))))


def write_portions(job: Job) -> list[dict[str, Any] | None]:
    """Write every portion; what was written, up to the first one that is not regular, which is null."""
    parent = os.getppid()
    results: list[dict[str, Any] | None] = []
    for begin, end, target in job.portions:
        written = write_portion(job, begin, end, Path(target))
        results.append(asdict(written) if written else None)
        # Nobody waits for the rest once a portion is refused, or the one who asked is gone.
        if written is None or os.getppid() != parent:
            break
    return results


def write_portion(job: Job, begin: int, end: int, target: Path) -> Written | None:
    """Write one portion's rows as a table; nothing if it is not regular."""
    with open(job.path, "rb") as stream:
        stream.seek(begin)
        data = stream.read(end - begin)
    return write_rows(data, job, target)


def write_rows(data: bytes, job: Job, target: Path) -> Written | None:
    """Write rows as a table; nothing if they are not regular."""
    try:
        # Text in UTF-8 is decoded too: nobody asks later whether it is sound.
        decoded = data.decode(job.encoding.removesuffix("-sig"))
        data = data if job.encoding.startswith("utf-8") else decoded.encode()
    except UnicodeError:
        return None
    del decoded
    text = _with_one_end(data)
    size = len(text) - MARGIN
    table = None if b"\x00" in data else _table_of(text[:size], ord(job.delimiter), job)
    if table is None:
        return None
    ends, doubled = table
    cells = list(_cells(text, ends))
    facts = [facts_of(Cells(text, *_filled(*cell)), look) for cell, look in zip(cells, job.looks, strict=True)]
    if doubled.size:
        text, cells = _undoubled(text, cells, doubled)
    write_table(target, text, (views_of(text, *cell) for cell in cells), ends.shape[1])
    return Written(ends.shape[1], tuple(tuple(sorted(held)) for held in facts))


def _with_one_end(data: bytes) -> NDArray[np.uint8]:
    """Rows with exactly one line end behind the last one, and some bytes that are nothing.

    Lines with nothing on them are no rows, and the last row of a file may have no line end.
    """
    size = len(data)
    while size and data[size - 1] in b"\r\n":
        size -= 1
    end = b"\r\n" if b"\r\n" in data else b"\n"
    text = np.zeros(size + len(end) + MARGIN, dtype=np.uint8)
    text[:size] = np.frombuffer(data, np.uint8, size)
    text[size : size + len(end)] = np.frombuffer(end, np.uint8)
    return text


def _table_of(text: NDArray[np.uint8], delimiter: int, job: Job) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Where the cells of each column end, and where a doubled quote's second one is; nothing where quotes, rows or line
    ends are not regular.

    Quotes are sound if they only begin and end cells, behind a guard or not, or are doubled inside one
    (`renqun.ingest.quotes` says why). The n-th quote opens a cell if n is odd, and closes it if even; where a cell
    holds a doubled quote, the first one "closes" and the second one "opens" right beside it.
    """
    width = len(job.looks)
    quotes, delimiters, line_ends, returns = bits_of(text, (_QUOTE, delimiter, _LINE_END, _RETURN))
    inside = parity(quotes)
    beside = quotes | delimiters | line_ends | returns
    opens, behind_closes = quotes & inside, later(quotes & ~inside)
    if inside[-1] >> _LAST_BIT or (behind_closes & ~beside).any() or (later(returns) & ~line_ends).any():
        return None
    before = later(beside)
    before[0] |= np.uint64(1)
    guards = places_of(opens & ~before) - 1
    if guards.size and not (job.has_guards and _are_guards(text, guards, delimiter)):
        return None
    ends = places_of((delimiters | line_ends) & ~inside)
    if len(ends) % width:
        return None
    columns = np.ascontiguousarray(ends.reshape(-1, width).T)
    if count_of(line_ends & ~inside) != len(columns[-1]) or not _are_rows(text, columns, bool(returns.any())):
        return None
    return columns, places_of(opens & behind_closes)


def _are_rows(text: NDArray[np.uint8], columns: NDArray[np.int64], has_returns: bool) -> bool:
    """Whether every row ends with a line end, and as the others do; there are as many line ends as rows, so that all
    other cells end with delimiters."""
    ends = columns[-1]
    if (text[ends] != _LINE_END).any() or (has_returns and (text[ends - 1] != _RETURN).any()):
        return False
    lengths = np.diff(ends, prepend=-1)
    # Where a row has one cell, a line with nothing on it would be taken for one.
    return bool(lengths.max() <= RECORD_LIMIT and (len(columns) > 1 or lengths.min() > 1 + has_returns))


def _cells(data: NDArray[np.uint8], ends: NDArray[np.int64]) -> Iterator[_Places]:
    """Of each column, where its cells begin and how long they are, without quotes and guards."""
    has_returns = data[ends[-1, 0] - 1] == _RETURN
    for place in range(len(ends)):
        starts = ends[place - 1] + 1 if place else np.concatenate(([0], ends[-1, :-1] + 1))
        stops = ends[place] - int(has_returns and place == len(ends) - 1)
        first = data[starts]
        is_guarded = first == _GUARD
        if is_guarded.any():
            starts = starts + (is_guarded & (data[starts + 1] == _QUOTE))
            first = data[starts]
        is_quoted = first == _QUOTE
        starts = starts + is_quoted
        yield starts, stops - starts - is_quoted


def _filled(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> _Places:
    is_filled = lengths > 0
    return (starts, lengths) if is_filled.all() else (starts[is_filled], lengths[is_filled])


def _undoubled(
    text: NDArray[np.uint8], cells: list[_Places], doubled: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], list[_Places]]:
    """The text with a copy of each cell that holds doubled quotes, where they are single, at its end."""
    copies: list[bytes] = []
    end = len(text)
    moved = []
    for starts, lengths in cells:
        # Cells do not overlap, so that a doubled quote is in the last cell that begins before it, if it is in any.
        (rows,) = np.nonzero(np.searchsorted(doubled, starts + lengths) > np.searchsorted(doubled, starts))
        starts, lengths = starts.copy(), lengths.copy()  # noqa: PLW2901
        for row in rows.tolist():
            start = int(starts[row])
            copy = text[start : start + int(lengths[row])].tobytes().replace(b'""', b'"')
            starts[row], lengths[row] = end, len(copy)
            copies.append(copy)
            end += len(copy)
        moved.append((starts, lengths))
    return np.concatenate((text, np.frombuffer(b"".join(copies) + bytes(MARGIN), np.uint8))), moved


def _are_guards(text: NDArray[np.uint8], places: NDArray[np.int64], delimiter: int) -> bool:
    """Whether what stands before quotes are guards that `renqun.ingest.guards` would undo."""
    if (text[places] != _GUARD).any() or places[-1] + 3 >= len(text):
        return False
    before = text[places[places > 0] - 1]
    second, third = text[places + 2], text[places + 3]
    ends_cell = np.zeros(256, dtype=bool)
    ends_cell[[delimiter, _LINE_END, _RETURN]] = True
    opens = ~ends_cell[second] & ((second != _QUOTE) | ends_cell[third])
    return bool(((before == delimiter) | (before == _LINE_END)).all() and opens.all())


if __name__ == "__main__":
    main()
