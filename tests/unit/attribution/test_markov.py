"""The Markov model: published examples, and removal as somebody would do it who trusts no formula."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import pytest

from renqun.attribution.markov import Transition, removal_effects

Paths = list[tuple[str, int, int]]
"""`a > b`, how many of them ended with an order, how many did not."""

# Sergey Bryl', "Marketing Multi-Channel Attribution model with R (part 1: Markov chains concept)", 2016: 1/3 of the
# paths convert, 1/6 without C1 and none without C2 or C3.
BRYL: Paths = [("C1 > C2 > C3", 1, 0), ("C1", 0, 1), ("C2 > C3", 0, 1)]


def transitions(paths: Paths) -> list[Transition]:
    """What int_markov_transitions counts."""
    counts: Counter[tuple[str | None, str | None, bool]] = Counter()
    for text, converting, lost in paths:
        sources = text.split(" > ")
        for before, after in zip([None, *sources], sources, strict=False):
            counts[before, after, False] += converting + lost
        counts[sources[-1], None, True] += converting
        counts[sources[-1], None, False] += lost
    return [Transition(*key, count) for key, count in counts.items() if count]


def effects(paths: Paths) -> dict[str, float]:
    return {one.source: one.removal_effect for one in removal_effects(transitions(paths))}


def conversion(rows: list[Transition], removed: str | None = None) -> Fraction:
    """The probability to convert, exactly, by elimination of one state after the other.

    Whoever comes to `removed` is lost.
    """
    out: dict[str | None, Counter[object]] = {}
    for row in rows:
        to = row.to_source if row.to_source is not None else row.is_conversion
        is_lost = removed is not None and row.to_source == removed
        if removed is None or row.from_source != removed:
            out.setdefault(row.from_source, Counter())[False if is_lost else to] += row.count
    chances = {
        state: {to: Fraction(count, sum(moves.values())) for to, count in moves.items()} for state, moves in out.items()
    }
    for gone in [state for state in chances if state is not None]:
        own = chances.pop(gone)
        stays = 1 - own.pop(gone, Fraction(0))
        for moves in chances.values():
            through = moves.pop(gone, Fraction(0))
            for to, chance in own.items():
                moves[to] = moves.get(to, Fraction(0)) + through * chance / stays
    return chances[None].get(True, Fraction(0))


def test_the_published_example_of_three_paths() -> None:
    assert conversion(transitions(BRYL)) == Fraction(1, 3)
    assert conversion(transitions(BRYL), "C1") == Fraction(1, 6)
    found = effects(BRYL)
    assert found == {"C1": 0.5, "C2": 1.0, "C3": 1.0}
    # Of one order that all three led to they get 0.2, 0.4 and 0.4.
    assert [round(value / sum(found.values()), 6) for value in found.values()] == [0.2, 0.4, 0.4]


def test_the_published_example_of_two_sources() -> None:
    # Serhii Puzyrov, "Markov Chain Attribution - Simple Explanation of Removal Effect", 2019. By hand from its table:
    # google > conv 2/4, > mailing 1/4; mailing > conv 1; start > google 4/5. P = 4/5 (1/2 + 1/4) + 1/5 = 4/5;
    # without google 1/5, so 1 - 1/4; without mailing 4/5 x 1/2 = 2/5, so 1 - 1/2.
    paths = [("google ads", 2, 1), ("mailing", 1, 0), ("google ads > mailing", 1, 0)]
    assert effects(paths) == {"google ads": 0.75, "mailing": 0.5}


def test_effects_are_what_is_lost_when_a_source_is_taken_out() -> None:
    draw = random.Random(7)
    for _ in range(30):
        names = [f"s{n}" for n in range(draw.randrange(1, 7))]
        paths = [
            (" > ".join(draw.choices(names, k=draw.randrange(1, 6))), draw.randrange(3), draw.randrange(3))
            for _ in range(draw.randrange(1, 25))
        ]
        rows = transitions([path for path in paths if path[1] + path[2]])
        whole = conversion(rows) if rows else Fraction(0)
        for found in removal_effects(rows):
            lost = 1 - conversion(rows, found.source) / whole if whole else Fraction(0)
            assert found.removal_effect == pytest.approx(float(lost), abs=1e-6), (found, paths)


def test_a_source_that_follows_itself_changes_nothing() -> None:
    assert effects([("C1 > C1 > C2 > C2 > C2 > C3", 1, 0), ("C1 > C1", 0, 1), ("C2 > C3", 0, 1)]) == effects(BRYL)


def test_the_order_of_rows_and_the_number_of_paths_change_nothing() -> None:
    rows = transitions([(path, 7 * converting, 7 * lost) for path, converting, lost in BRYL])
    shuffled = random.Random(3).sample(rows, len(rows))
    assert removal_effects(shuffled) == removal_effects(rows) == removal_effects(transitions(BRYL))


def test_nothing_is_lost_where_nothing_converts() -> None:
    assert effects([("a > b", 0, 3), ("b", 0, 1)]) == {"a": 0.0, "b": 0.0}


def test_no_visits_have_no_effects() -> None:
    assert removal_effects([]) == []
