"""Finding the facts about a column (`renqun.ingest.facts`) in the bytes of its cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from renqun.ingest.facts import Fact, Look

MARGIN = 32
"""So many bytes must follow the last cell: cells are looked at a little beyond their ends."""

_SEEN_BY: dict[Look, frozenset[Fact]] = {
    "nothing": frozenset(),
    "text": frozenset({"filled", "clean"}),
    "id": frozenset({"filled", "clean", "whole_id", "apostrophe"}),
    "number": frozenset({"filled", "number", "yuan"}),
    "time": frozenset({"filled", "day", "time", "t_time"}),
}
_LONGEST_DIGITS = 24
_LONGEST_NUMBER = 12
_YUAN = "元".encode()
_WIDE_BLANKS = tuple(sign.encode() for sign in "\u00a0\u3000\ufeff\u200b")
_CUT_AFTER = np.frombuffer(b".,eE", np.uint8)
_TIMES = {10: "2ddd-dd-dd", 16: "2ddd-dd-dd hd:md", 19: "2ddd-dd-dd hd:md:md"}
"""By their lengths; `d` is any digit, `m` one below 6, `h` one below 3."""
_BELOW = {"d": 10, "m": 6, "h": 3}


@dataclass(frozen=True)
class Cells:
    """The filled cells of one column of some rows."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    """In bytes."""

    def at(self, place: int) -> NDArray[np.uint8]:
        """The byte at a place of each cell, or what follows the cell where it is shorter."""
        signs: NDArray[np.uint8] = self.data[self.starts + place]
        return signs

    def from_end(self, place: int) -> NDArray[np.uint8]:
        """The byte at a place of each cell counted from its end, where the last one is 1."""
        signs: NDArray[np.uint8] = self.data[self.starts + (self.lengths - place)]
        return signs

    def inner(self, before: int, after: int) -> Cells:
        """The cells without some bytes at their beginnings and ends."""
        return Cells(self.data, self.starts + before, self.lengths - (before + after))


def facts_of(cells: Cells, look: Look) -> frozenset[Fact]:
    """The facts that hold for all of some cells: every one where there are none."""
    if not len(cells.starts) or look == "nothing":
        return _SEEN_BY[look]
    first = cells.at(0)
    found: set[Fact] = {"filled"} if (first > ord(" ")).all() else set()
    match look:
        case "text" | "id":
            if _are_clean(cells, first):
                found.add("clean")
            if look == "text":
                return frozenset(found)
            if _are_whole(cells, first):
                found.add("whole_id")
            if (first == ord("'")).all() and _are_digits(cells.inner(1, 0)):
                found.add("apostrophe")
        case "number":
            if _are_numbers(cells):
                found.add("number")
            elif _end_with(cells, _YUAN).all() and _are_numbers(cells.inner(0, len(_YUAN))):
                found.add("yuan")
        case "time":
            found |= _time_facts(cells)
    return frozenset(found)


def _first_signs() -> NDArray[np.bool_]:
    """Bytes that begin a text which no cleaner touches. Those of `n/a` and wide blanks need a second look."""
    good = np.zeros(256, dtype=bool)
    for begin, end in (("0", "9"), ("A", "M"), ("O", "m"), ("o", "}")):
        good[ord(begin) : ord(end) + 1] = True
    good[0xE4:0xEF] = True
    return good


_GOOD_FIRST = _first_signs()
_MAY_END_BLANK = np.isin(np.arange(256), [blank[-1] for blank in _WIDE_BLANKS])


def _are_clean(cells: Cells, first: NDArray[np.uint8]) -> bool:
    last = cells.from_end(1)
    good = _GOOD_FIRST[first]
    if not good.all():
        second = cells.at(1)
        good |= (first == 0xE3) & (second >= 0x82)
        # `N/A` and `null` mean nothing, `No:1` does not; a short one would be trimmed of guards.
        is_n = (first == ord("N")) | (first == ord("n"))
        good |= (
            is_n & ~np.isin(second, np.frombuffer(b"/uU", np.uint8)) & ~np.isin(last, np.frombuffer(b"=\"'", np.uint8))
        )
        if not good.all():
            return False
    if (last <= ord(" ")).any():
        return False
    (at_end,) = np.nonzero(_MAY_END_BLANK[last])
    few = Cells(cells.data, cells.starts[at_end], cells.lengths[at_end])
    return not any(_end_with(few, blank).any() for blank in _WIDE_BLANKS)


def _end_with(cells: Cells, sign: bytes) -> NDArray[np.bool_]:
    fits: NDArray[np.bool_] = cells.lengths >= len(sign)
    for place, byte in enumerate(sign):
        fits = fits & (cells.from_end(len(sign) - place) == byte)
    return fits


def _are_whole(cells: Cells, first: NDArray[np.uint8]) -> bool:
    if ((first == ord("+")) | (first == ord("-"))).any():
        return False
    second = cells.at(1)
    if (_is_digit(first) & np.isin(second, _CUT_AFTER)).any():
        return False
    # 17.0 and 17.00. A longer cell that only ends like that is asked in SQL.
    point = ord(".")
    fraction = (cells.from_end(1) == ord("0")) & ((cells.from_end(2) == point) | (cells.from_end(3) == point))
    return not fraction.any()


def _is_digit(signs: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (signs - np.uint8(ord("0"))) < 10


def _are_digits(cells: Cells) -> bool:
    if not 1 <= cells.lengths.min() <= cells.lengths.max() <= _LONGEST_DIGITS:
        return False
    return all(
        (_is_digit(cells.at(place)) | (cells.lengths <= place)).all() for place in range(int(cells.lengths.max()))
    )


def _are_numbers(cells: Cells) -> bool:
    if not 1 <= cells.lengths.min() <= cells.lengths.max() <= _LONGEST_NUMBER:
        return False
    if not (_is_digit(cells.at(0)).all() and _is_digit(cells.from_end(1)).all()):
        return False
    points = np.zeros(len(cells.starts), dtype=np.uint8)
    for place in range(1, int(cells.lengths.max())):
        sign, beyond = cells.at(place), cells.lengths <= place
        is_point = (sign == ord(".")) & ~beyond
        points += is_point
        if not (_is_digit(sign) | is_point | beyond).all():
            return False
    return bool((points <= 1).all())


def _time_facts(cells: Cells) -> set[Fact]:
    length = int(cells.lengths[0])
    pattern = _TIMES.get(length)
    if pattern is None or (cells.lengths != length).any():
        return set()
    for place, sign in enumerate(pattern):
        found = cells.at(place)
        if sign in _BELOW:
            fits = (found - np.uint8(ord("0"))) < _BELOW[sign]
        elif sign == " ":
            continue
        else:
            fits = found == ord(sign)
        if not fits.all():
            return set()
    if length == len(_TIMES[10]):
        return {"day", "time", "t_time"}
    if ((cells.at(11) == ord("2")) & (cells.at(12) > ord("3"))).any():
        return set()
    between = cells.at(10)
    if (between == ord(" ")).all():
        return {"time"}
    return {"t_time"} if (between == ord("T")).all() else set()
