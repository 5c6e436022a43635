"""Who is who, recomputed from the definitions with a union-find, sharing nothing with the models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import md5

TRUST = {"open_uid": 1, "member_id": 2, "phone_hash": 3, "email_hash": 4}
MAX_DEGREE = 20
Identifier = tuple[str, str]


@dataclass(frozen=True)
class Record:
    """Identifiers seen together: in a folder of a date, to be seen from another on."""

    folder: date
    seen: date
    identifiers: frozenset[Identifier]


def smallest_of_components(edges: Iterable[tuple[int, int]]) -> dict[int, int]:
    """The smallest label of each label's component."""
    parent: dict[int, int] = {}

    def root(label: int) -> int:
        parent.setdefault(label, label)
        while parent[label] != label:
            parent[label] = parent[parent[label]]
            label = parent[label]
        return label

    for one, other in edges:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return {label: root(label) for label in list(parent)}


def persons(records: Iterable[Record], as_of: date) -> dict[Identifier, str | None]:
    """The person's key for every identifier seen up to a date; None in quarantine."""
    first: dict[Identifier, date] = {}
    stronger: dict[Identifier, set[Identifier]] = defaultdict(set)
    for record in records:
        if record.seen > as_of:
            continue
        for one in record.identifiers:
            first[one] = min(first.get(one, record.folder), record.folder)
            stronger[one] |= {other for other in record.identifiers if TRUST[other[0]] < TRUST[one[0]]}
    free = sorted(
        (one for one in first if len(stronger[one]) <= MAX_DEGREE), key=lambda one: (first[one], TRUST[one[0]], one[1])
    )
    rank = {one: number for number, one in enumerate(free)}
    roots = smallest_of_components(
        (rank[one], rank[other]) for one in free for other in [one, *stronger[one]] if other in rank
    )
    named = {one: free[roots[number]] for one, number in rank.items()}
    return {one: md5(":".join(named[one]).encode()).hexdigest() if one in named else None for one in first}
