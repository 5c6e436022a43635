"""Rows of text cells in a file from which DuckDB takes them as they lie: the text, and of each cell where it stands.

The layout is Arrow's of string views: 16 bytes a cell, its length first; behind it the cell itself where it has at most
12 bytes, or else its first 4 bytes, the number of its buffer (0) and where it begins there.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_HEAD = 64
"""The file begins with the length of its text, its rows and its columns; parts of it begin at multiples of this."""
_SHORT = 12
VIEW_BYTES = 16


def _masks() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Which of the first 8 bytes belong to a cell of a length, and which of the next 8. Of a longer cell than fits into
    a view, it is the first 4."""
    kept = np.zeros((_SHORT + 2, 16), dtype=np.uint8)
    for length in range(_SHORT + 1):
        kept[length, :length] = 0xFF
    kept[_SHORT + 1, :4] = 0xFF
    words = kept.view("<u8")
    return np.ascontiguousarray(words[:, 0]), np.ascontiguousarray(words[:, 1])


_FIRST, _SECOND = _masks()
_HALF = np.uint64(32)


def views_of(text: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The views of a column's cells.

    Args:
        text: the text; at least 16 bytes follow the last cell.
        starts: where each cell begins.
        lengths: how many bytes each has.
    """
    is_long = lengths > _SHORT
    views = np.empty((len(starts), 2), dtype="<u8")
    are_long, shown = bool(is_long.all()), np.minimum(lengths, _SHORT + 1)
    needed = 8 if are_long or int(lengths.max()) <= 8 else 16
    # Bytes of any place: numpy takes numbers from their own places only.
    windows: NDArray[np.void] = np.ndarray((len(text) - needed + 1,), dtype=f"V{needed}", buffer=text, strides=(1,))
    words = windows[starts].view("<u8").reshape(len(starts), -1)
    first = words[:, 0] & _FIRST[shown]
    views[:, 0] = (first << _HALF) | lengths.astype(np.uint64)
    rest = first >> _HALF
    if needed > 8:
        rest |= (words[:, 1] & _SECOND[shown]) << _HALF
    if is_long.any():
        rest |= (starts * is_long).astype(np.uint64) << _HALF
    views[:, 1] = rest
    return views


@dataclass(frozen=True)
class Table:
    """What such a file holds, as it lies in the file."""

    rows: int
    text: NDArray[np.uint8]
    columns: tuple[NDArray[np.uint8], ...]
    """The views of each column, as bytes."""


def write_table(path: Path, text: NDArray[np.uint8], columns: Iterable[NDArray[np.uint64]], rows: int) -> None:
    """Write a table."""
    with path.open("wb") as out:
        out.write(bytes(_HEAD))
        out.write(text.data)
        out.write(bytes(-len(text) % _HEAD))
        width = 0
        for width, views in enumerate(columns, start=1):  # noqa: B007
            assert len(views) == rows, "every row has as many cells"
            out.write(views.data)
        out.seek(0)
        out.write(np.array([len(text), rows, width], dtype="<i8").tobytes())


def open_table(path: Path) -> Table:
    """Map a table's file into memory; it is given back when nothing refers to it any more."""
    with path.open("rb") as stream:
        flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
        data = np.frombuffer(mmap.mmap(stream.fileno(), 0, flags=flags, prot=mmap.PROT_READ), np.uint8)
    length, rows, width = (int(number) for number in data[:24].view("<i8"))
    begin = _HEAD + length + -length % _HEAD
    size = rows * VIEW_BYTES
    if len(data) != begin + width * size:
        raise ValueError(f"{path.name} is not as long as it says")
    columns = tuple(data[begin + place * size : begin + (place + 1) * size] for place in range(width))
    return Table(rows, data[_HEAD : _HEAD + length], columns)
