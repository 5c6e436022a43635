"""Chance that is the same everywhere.

Python guarantees that `Random(n).random()` gives the same sequence in every version; nothing else of `random` is used
(its other methods may change), and the arithmetic on it is exact: multiplication and truncation, no logarithm and no
power, which may differ in the last bit between machines. Every part of the shop draws from a stream of its own, so that
more of one thing does not change another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Stream:
    """A named sequence of draws."""

    __slots__ = ("random",)

    def __init__(self, seed: int, name: str) -> None:
        digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
        self.random = Random(int.from_bytes(digest[:8], "big")).random
        """The next number in [0, 1)."""

    def below(self, limit: int) -> int:
        """An integer in [0, limit)."""
        return int(self.random() * limit)

    def between(self, low: int, high: int) -> int:
        """An integer in [low, high], both included."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, percent: int) -> bool:
        """True in `percent` of a hundred cases."""
        return self.random() * 100 < percent

    def pick(self, values: Sequence[T]) -> T:
        """One of the values, each equally likely."""
        return values[int(self.random() * len(values))]


def spread(weights: dict[T, int]) -> tuple[T, ...]:
    """Values repeated by their weights, so that `pick` draws them in that proportion."""
    return tuple(value for value, weight in weights.items() for _ in range(weight))
