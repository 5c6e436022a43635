"""One portion of a large text, in a process of its own: its rows in UTF-8, numbered, and the facts about its columns.

Only a portion as regular as almost all are is written: sound quotes, as many cells in every row, one kind of line
ends. Of any other, nothing but that is said, and the file goes the slow way (`renqun.ingest.read`).

usage: python -m renqun.ingest.portion, with a `Job` as JSON in the standard input
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from renqun.ingest.bits import bits_of, count_of, later, parity, places_of
from renqun.ingest.columns import MARGIN, Cells, facts_of
from renqun.ingest.facts import Job, Look

_QUOTE, _GUARD, _RETURN, _LINE_END = ord('"'), ord("="), ord("\r"), ord("\n")
_LAST_BIT = np.uint64(63)


@dataclass(frozen=True)
class Written:
    """What was written of one portion."""

    rows: int
    facts: tuple[tuple[str, ...], ...]
    """Of each column."""


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
    """Write one portion's rows, each behind its number from 1; nothing if it is not regular."""
    with open(job.path, "rb") as stream:
        stream.seek(begin)
        data = stream.read(end - begin)
    if not job.encoding.startswith("utf-8"):
        try:
            data = data.decode(job.encoding).encode()
        except UnicodeError:
            return None
    # Lines with nothing on them are no rows, and the last row of a file may have no line end.
    text = data.rstrip(b"\r\n") + (b"\r\n" if b"\r\n" in data else b"\n")
    padded = np.frombuffer(text + bytes(MARGIN), np.uint8)
    table = _table(padded[: len(text)], ord(job.delimiter), job)
    if table is None:
        return None
    ends, guards = table
    target.write_bytes(_numbered(text, ends[-1], guards))
    facts = _facts(padded, ends, job.looks)
    return Written(ends.shape[1], tuple(tuple(sorted(held)) for held in facts))


def _table(text: NDArray[np.uint8], delimiter: int, job: Job) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Where the cells of each column end, and where guards are; nothing where quotes, rows or line ends are not regular.

    Quotes are sound if they only begin and end cells, behind a guard or not, or are doubled inside one
    (`renqun.ingest.quotes` says why). The n-th quote opens a cell if n is odd, and closes it if even; where a cell
    holds a doubled quote, the first one "closes" and the second one "opens" right beside it.
    """
    width = len(job.looks)
    quotes, delimiters, line_ends, returns = bits_of(text, (_QUOTE, delimiter, _LINE_END, _RETURN))
    inside = parity(quotes)
    beside = quotes | delimiters | line_ends | returns
    opens, closes = quotes & inside, quotes & ~inside
    if inside[-1] >> _LAST_BIT or (later(closes) & ~beside).any() or (later(returns) & ~line_ends).any():
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
    # As many line ends as rows, and all of them at rows' ends: all other cells end with delimiters.
    rows = columns[-1]
    if count_of(line_ends & ~inside) != len(rows) or (text[rows] != _LINE_END).any():
        return None
    has_returns = bool(returns.any())
    if has_returns and (text[rows - 1] != _RETURN).any():
        return None
    # Where a row has one cell, a line with nothing on it would be taken for one.
    is_full = width > 1 or (np.diff(rows, prepend=-1) > 1 + has_returns).all()
    return (columns, guards) if is_full else None


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


def _facts(data: NDArray[np.uint8], ends: NDArray[np.int64], looks: tuple[Look, ...]) -> Iterator[frozenset[str]]:
    has_returns = data[ends[-1, 0] - 1] == _RETURN
    for place, look in enumerate(looks):
        if look == "nothing":
            yield frozenset()
            continue
        starts = ends[place - 1] + 1 if place else np.concatenate(([0], ends[-1, :-1] + 1))
        stops = ends[place] - int(has_returns and place == len(looks) - 1)
        first = data[starts]
        if (first == _GUARD).any():
            starts = starts + ((first == _GUARD) & (data[starts + 1] == _QUOTE))
            first = data[starts]
        is_quoted = first == _QUOTE
        starts = starts + is_quoted
        lengths = stops - starts
        lengths -= is_quoted
        is_filled = lengths > 0
        if not is_filled.all():
            starts, lengths = starts[is_filled], lengths[is_filled]
        yield frozenset(facts_of(Cells(data, starts, lengths), look))


def _numbered(text: bytes, ends: NDArray[np.int64], guards: NDArray[np.int64]) -> bytes:
    """The rows behind their numbers and without guards."""
    if guards.size:
        text = np.delete(np.frombuffer(text, np.uint8), guards).tobytes()
        ends = ends - np.searchsorted(guards, ends)
    rows = text.split(b"\n")
    if len(rows) != len(ends) + 1:
        # A cell has a line end of its own.
        begins = [0, *(ends[:-1] + 1).tolist()]
        rows = [text[begin:end] for begin, end in zip(begins, ends.tolist(), strict=True)]
    pieces = [b"\n"] * (2 * len(ends) + 1)
    pieces[0:-1:2] = _numbers(len(ends))
    pieces[1::2] = rows[: len(ends)]
    return b"".join(pieces)


_written_numbers: list[bytes] = [b"1,"]


def _numbers(count: int) -> list[bytes]:
    """Numbers from 1 as they stand before rows: each portion has the same ones."""
    known = len(_written_numbers)
    if known < count:
        _written_numbers.extend([b"\n%d," % number for number in range(known + 1, count + 1)])
    return _written_numbers[:count]


if __name__ == "__main__":
    main()
