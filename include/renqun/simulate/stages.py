"""Lifecycle and risk of churn, counted from the books: the shop's rhythm is nothing that a plant can know by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from renqun.simulate.books import Books

LIFECYCLE = ("prospect", "new", "active", "cooling", "at_risk", "lost")
ENOUGH_GAPS = 100
WITHOUT_GAPS = (30, 90)
"""Median and p90 of a shop with fewer gaps."""
LOST_AFTER = 2
"""Times the p90."""
OVERDUE_AFTER = 2
"""Times the customer's own median gap."""
FEWEST_DEAL_DAYS = 3
"""From so many on, a customer has a rhythm."""


@dataclass(frozen=True)
class Rhythm:
    """The gaps between deal days of all customers, in days."""

    gap_count: int
    median: int
    p90: int


def rhythm(books: Books, more_gaps: Iterable[int] = ()) -> Rhythm:
    """The shop's rhythm; `more_gaps` are those of deals still to be entered."""
    gaps = sorted([*more_gaps, *(gap for page in books.customers.values() for gap in _gaps(page.deals))])
    if len(gaps) < ENOUGH_GAPS:
        return Rhythm(len(gaps), *WITHOUT_GAPS)
    return Rhythm(len(gaps), _quantile(gaps, 5), _quantile(gaps, 9))


def _gaps(deals: list[tuple[int, int]]) -> list[int]:
    days = sorted({day for day, _ in deals})
    return [later - earlier for earlier, later in pairwise(days)]


def _quantile(ordered: list[int], tenths: int) -> int:
    """The smallest value that so many tenths do not exceed."""
    return ordered[-(-len(ordered) * tenths // 10) - 1]


@dataclass(frozen=True)
class Stages:
    """Where a customer stands."""

    lifecycle: str
    is_churn_risk: bool


def stages_of(books: Books, customer: str, shop: Rhythm, *, is_new: bool) -> Stages:
    """Where a customer stands; `is_new`: the one deal of the last 720 days is at most 179 days old."""
    page = books.customers.get(customer)
    if page is None or not page.deals:
        return Stages("prospect", is_churn_risk=False)
    age = books.as_of - max(day for day, _ in page.deals)
    if is_new:
        stage = "new"
    elif age <= shop.median:
        stage = "active"
    elif age <= shop.p90:
        stage = "cooling"
    else:
        stage = "at_risk" if age <= LOST_AFTER * shop.p90 else "lost"
    own = sorted(_gaps(page.deals))
    is_overdue = len(own) >= FEWEST_DEAL_DAYS - 1 and age > OVERDUE_AFTER * _quantile(own, 5)
    return Stages(stage, is_churn_risk=stage == "at_risk" or (is_overdue and stage != "lost"))
