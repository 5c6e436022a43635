"""How much of all conversions would be lost if a source of traffic were not there: the Markov model of attribution."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

DECIMALS = 6
"""Of a removal effect: what lies behind them is the machine's rounding, not the shop's traffic."""


@dataclass(frozen=True)
class Transition:
    """How often a visit from one source was followed by a visit from another, or by the end of the path.

    Attributes:
        from_source: None is the start of a path.
        to_source: None is its end.
        is_conversion: whether the end was an order; False where it is not the end.
        count: how often, above zero.
    """

    from_source: str | None
    to_source: str | None
    is_conversion: bool
    count: int


@dataclass(frozen=True)
class RemovalEffect:
    """The share of all conversions that is lost when every path ends, without an order, where the source would come."""

    source: str
    removal_effect: float


def removal_effects(transitions: Iterable[Transition]) -> list[RemovalEffect]:
    """The removal effect of every source of a first-order chain, by source.

    Without source s only the paths that never come to s convert. Hence what is lost is the probability to come to s at
    all, times the probability to convert from s on; one solution of the chain gives both for every source. A source
    that follows itself changes nothing: the probabilities of where a path goes once it leaves stay the same.

    Args:
        transitions: of paths from their start to their end, in any order; one pair of states may occur several times.

    Returns:
        Effects from 0 to 1, rounded to `DECIMALS`; all 0 where nothing converts. Empty where there are no transitions.
    """
    import numpy as np

    # Sorted: the order of additions decides the last bit of a float.
    rows = sorted(transitions, key=lambda t: (t.from_source or "", t.to_source or "", t.is_conversion))
    sources = sorted({name for row in rows for name in (row.from_source, row.to_source) if name is not None})
    if not sources:
        return []
    place = {name: number for number, name in enumerate(sources)}
    size = len(sources)
    moves, first, converted, left = np.zeros((size, size)), np.zeros(size), np.zeros(size), np.zeros(size)
    for row in rows:
        if row.from_source is None:
            if row.to_source is not None:
                first[place[row.to_source]] += row.count
            continue
        at = place[row.from_source]
        left[at] += row.count
        if row.to_source is not None:
            moves[at, place[row.to_source]] += row.count
        elif row.is_conversion:
            converted[at] += row.count
    if not converted.any() or not first.any():
        return [RemovalEffect(name, 0.0) for name in sources]
    left[left == 0] = 1  # a source that paths come to and do not leave ends them: it cannot convert
    first /= first.sum()
    # Visits of each source, before the path ends, of somebody who is at a source: the chain's fundamental matrix.
    visits = np.linalg.inv(np.eye(size) - moves / left[:, None])
    converts = visits @ (converted / left)
    comes_to = (first @ visits) / visits.diagonal()
    effects = comes_to * converts / (first @ converts)
    return [
        RemovalEffect(name, round(min(max(float(effect), 0.0), 1.0), DECIMALS))
        for name, effect in zip(sources, effects, strict=True)
    ]
