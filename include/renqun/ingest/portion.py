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

from renqun.ingest.columns import MARGIN, Cells, facts_of
from renqun.ingest.facts import Job, Look

_QUOTE, _GUARD, _RETURN, _LINE_END = ord('"'), ord("="), ord("\r"), ord("\n")


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
    outside = _outside(padded[: len(text)], ord(job.delimiter), job.has_guards)
    if outside is None:
        return None
    is_outside, guards = outside
    ends = _cell_ends(padded[: len(text)], is_outside, ord(job.delimiter), len(job.looks))
    if ends is None:
        return None
    target.write_bytes(b"".join(_numbered(text, ends[-1], guards)))
    facts = _facts(padded, ends, job.looks)
    return Written(ends.shape[1], tuple(tuple(sorted(held)) for held in facts))


def _outside(
    text: NDArray[np.uint8], delimiter: int, has_guards: bool
) -> tuple[NDArray[np.bool_], NDArray[np.int64]] | None:
    """Which bytes are outside of quotes, and where guards are; nothing where quotes are not sound.

    Quotes are sound if they only begin and end cells, behind a guard or not, or are doubled inside one
    (`renqun.ingest.quotes` says why). The n-th quote opens a cell if n is odd, and closes it if even; where a cell
    holds a doubled quote, the first one "closes" and the second one "opens" right beside it.
    """
    is_quote = text == _QUOTE
    is_inside = np.bitwise_xor.accumulate(is_quote)
    is_beside = is_quote | (text == delimiter) | (text == _LINE_END) | (text == _RETURN)
    opens, closes = is_quote & is_inside, is_quote & ~is_inside
    if is_inside[-1] or (closes[:-1] & ~is_beside[1:]).any():
        return None
    guards = np.flatnonzero(opens[1:] & ~is_beside[:-1])
    if guards.size and not (has_guards and _are_guards(text, guards, delimiter)):
        return None
    return ~is_inside, guards


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


def _cell_ends(
    text: NDArray[np.uint8], is_outside: NDArray[np.bool_], delimiter: int, width: int
) -> NDArray[np.int64] | None:
    """Where the cells of each column end; nothing where rows or line ends are not regular."""
    ends = np.flatnonzero(((text == delimiter) | (text == _LINE_END)) & is_outside)
    if len(ends) % width:
        return None
    columns = np.ascontiguousarray(ends.reshape(-1, width).T)
    if (text[columns[-1]] != _LINE_END).any() or any((text[column] != delimiter).any() for column in columns[:-1]):
        return None
    returns = np.flatnonzero(text == _RETURN)
    if returns.size and not ((text[returns + 1] == _LINE_END).all() and (text[columns[-1] - 1] == _RETURN).all()):
        return None
    # Where a row has one cell, a line with nothing on it would be taken for one.
    is_full = width > 1 or (np.diff(columns[0], prepend=-1) > 1 + bool(returns.size)).all()
    return columns if is_full else None


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


def _numbered(text: bytes, ends: NDArray[np.int64], guards: NDArray[np.int64]) -> Iterator[bytes]:
    """The rows behind their numbers and without guards."""
    begin = 0
    left = iter([*guards.tolist(), len(text)])
    guard = next(left)
    for number, end in enumerate(ends.tolist(), start=1):
        yield b"%d," % number
        while guard < end:
            yield text[begin:guard]
            begin = guard + 1
            guard = next(left)
        yield text[begin : end + 1]
        begin = end + 1


if __name__ == "__main__":
    main()
