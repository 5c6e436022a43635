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
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from renqun.ingest.columns import MARGIN, Cells, facts_of
from renqun.ingest.facts import Job, Look
from renqun.ingest.guards import without_guards

_QUOTE, _RETURN, _LINE_END = ord('"'), ord("\r"), ord("\n")


@dataclass(frozen=True)
class Written:
    """What was written of one portion."""

    rows: int
    facts: tuple[tuple[str, ...], ...]
    """Of each column."""


def main() -> None:
    """Write every portion; print what was written, up to the first one that is not regular, which is null."""
    job = Job.from_json(sys.stdin.read())
    parent = os.getppid()
    results: list[dict[str, Any] | None] = []
    for begin, end, target in job.portions:
        written = write_portion(job, begin, end, Path(target))
        results.append(asdict(written) if written else None)
        # Nobody waits for the rest once a portion is refused, or the one who asked is gone.
        if written is None or os.getppid() != parent:
            break
    print(json.dumps(results))


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
    if job.has_guards:
        data = without_guards(data, job.delimiter)
    # Lines with nothing on them are no rows, and the last row of a file may have no line end.
    text = data.rstrip(b"\r\n") + (b"\r\n" if b"\r\n" in data else b"\n")
    padded = np.frombuffer(text + bytes(MARGIN), np.uint8)
    ends = _cell_ends(padded, len(text), ord(job.delimiter), len(job.looks))
    if ends is None:
        return None
    with target.open("wb") as out:
        out.writelines(_numbered(text, ends[:, -1]))
    return Written(len(ends), tuple(tuple(sorted(facts)) for facts in _facts(padded, ends, job.looks)))


def _cell_ends(data: NDArray[np.uint8], size: int, delimiter: int, width: int) -> NDArray[np.int64] | None:
    """Where the cells of each row end; nothing where quotes, rows or line ends are not regular."""
    text = data[:size]
    marks = np.flatnonzero((text == _QUOTE) | (text == delimiter) | (text == _LINE_END))
    signs = text[marks]
    is_quote = signs == _QUOTE
    quotes = marks[is_quote]
    if not _are_sound(text, quotes, delimiter):
        return None
    # Signs between an odd quote and an even one are text. Only parity counts: the sum may run over.
    is_outside = np.cumsum(is_quote, dtype=np.uint8) % 2 == 0
    ends = marks[is_outside & ~is_quote]
    if len(ends) % width:
        return None
    rows: NDArray[np.int64] = ends.reshape(-1, width)
    if not ((text[rows[:, -1]] == _LINE_END).all() and (text[rows[:, :-1]] == delimiter).all()):
        return None
    return rows if _are_lines(text, rows) else None


def _are_sound(text: NDArray[np.uint8], quotes: NDArray[np.int64], delimiter: int) -> bool:
    """Whether quotes only begin and end cells, or are doubled inside one (`renqun.ingest.quotes` says why)."""
    beside = np.zeros(256, dtype=bool)
    beside[[delimiter, _LINE_END, _RETURN, _QUOTE]] = True
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    # The first sign of the text has none before it, and needs none.
    return bool(beside[text[opening[opening > 0] - 1]].all() and beside[text[closing + 1]].all())


def _are_lines(text: NDArray[np.uint8], rows: NDArray[np.int64]) -> bool:
    """Whether all line ends are of one kind, and none stands alone."""
    returns = np.flatnonzero(text == _RETURN)
    if returns.size and not ((text[returns + 1] == _LINE_END).all() and (text[rows[:, -1] - 1] == _RETURN).all()):
        return False
    # Where a row has one cell, a line with nothing on it would be taken for one.
    return rows.shape[1] > 1 or bool((np.diff(rows[:, 0], prepend=-1) > 1 + bool(returns.size)).all())


def _facts(data: NDArray[np.uint8], ends: NDArray[np.int64], looks: tuple[Look, ...]) -> Iterator[frozenset[str]]:
    has_returns = data[ends[0, -1] - 1] == _RETURN
    row_starts = np.concatenate(([0], ends[:-1, -1] + 1))
    for place, look in enumerate(looks):
        starts = row_starts if place == 0 else ends[:, place - 1] + 1
        stops = ends[:, place] - (has_returns and place == len(looks) - 1)
        is_quoted = data[starts] == _QUOTE
        starts, stops = starts + is_quoted, stops - is_quoted
        lengths = stops - starts
        is_filled = lengths > 0
        if not is_filled.all():
            starts, lengths = starts[is_filled], lengths[is_filled]
        yield frozenset(facts_of(Cells(data, starts, lengths), look))


def _numbered(text: bytes, ends: NDArray[np.int64]) -> Iterator[bytes]:
    begin = 0
    for number, end in zip(count(1), ends.tolist(), strict=False):
        yield b"%d," % number
        yield text[begin : end + 1]
        begin = end + 1


if __name__ == "__main__":
    main()
