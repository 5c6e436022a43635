"""Classes of customers by recency, frequency and money, counted with sorted lists and exact integers."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

_CLASSES = {
    (True, True, True): "champions",
    (False, True, True): "key_retain",
    (True, False, True): "key_develop",
    (False, False, True): "key_winback",
    (True, True, False): "general_value",
    (False, True, False): "general_retain",
    (True, False, False): "general_develop",
    (False, False, False): "general_winback",
}


def rfm_classes(base: Iterable[tuple[int, int, int]]) -> dict[str, int]:
    """How many customers each class has; `base` holds (days since the last deal, deals, net cents) of each."""
    customers = list(base)
    if not customers:
        return {}
    # More is better everywhere: recency turned round.
    columns = [[-recency for recency, _, _ in customers], [f for _, f, _ in customers], [m for _, _, m in customers]]
    highs = [_is_high(column) for column in columns]
    counts = Counter(_CLASSES[recent, frequent, rich] for recent, frequent, rich in zip(*highs, strict=True))
    return dict(sorted(counts.items()))


def _is_high(values: list[int]) -> list[bool]:
    """Whether each one's score lies above the mean score; ties share a score."""
    size = len(values)
    ranked = sorted(values)
    scores = [1 if size == 1 else min(5, 1 + 5 * bisect_left(ranked, value) // (size - 1)) for value in values]
    total = sum(scores)
    return [score * size > total for score in scores]
