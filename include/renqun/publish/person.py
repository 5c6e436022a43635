"""All that published marts say of one customer: who, where they stand, every segment inside and left, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from renqun.errors import RequestError
from renqun.publish.reasons import in_words

_ALIASES = "customer_key_aliases"
_LONGEST_CHAIN = 1000
"""Renamings that are followed; a longer chain can only be a circle."""


@dataclass(frozen=True)
class Stay:
    """A stay in a segment, open where `left_on` is None."""

    segment_id: str
    name_en: str
    name_zh: str
    definition: str | None
    since: date
    left_on: date | None
    reason: str
    """The facts, JSON text: of being in, or, once it ended, of having come."""
    because: str
    """The same in words."""
    left_reason: str | None
    left_because: str | None

    @property
    def sentence(self) -> str:
        """The stay as it can be read aloud."""
        name = f"{self.name_en} ({self.name_zh})"
        if self.left_on is None:
            return f"In {name} since {self.since}, because: {self.because}."
        left = f"Left {name} on {self.left_on}"
        why = f", because: {self.left_because}" if self.left_because else ""
        return f"{left}{why}. Was in since {self.since}, because: {self.because}."


@dataclass(frozen=True)
class Person:
    """A customer, as the marts of one date show them."""

    customer_key: str
    known_as: tuple[str, ...]
    """Earlier keys of the same person that were followed from what was asked for."""
    customer_ids: tuple[str, ...]
    facts: Mapping[str, Any]
    """Dates, counts and amounts of `dim_customers` that are not null."""
    stages: Mapping[str, Any]
    tags: Mapping[str, Any]
    """Scores by tag, 0 to 1."""
    inside: tuple[Stay, ...]
    left: tuple[Stay, ...]


def explain_person(marts: duckdb.DuckDBPyConnection, who: str) -> Person:
    """What the marts say of a customer.

    Args:
        marts: a connection that sees published marts in the schema `marts`.
        who: a customer key, a former one, or any source's customer id.

    Raises:
        RequestError: nobody, or more than one customer, is meant.
    """
    tables = _tables(marts)
    key, former = _find(marts, who, tables)
    row = _rows(marts, "select * from marts.dim_customers where customer_key = $key", key)[0]
    ids = tuple(row.pop("customer_ids"))
    facts = {
        name: value for name, value in row.items() if value is not None and name not in ("shop_id", "customer_key")
    }
    stages: dict[str, Any] = {}
    if "fct_customer_stages" in tables:
        query = (
            "select aipl_stage, lifecycle_stage, is_churn_risk from marts.fct_customer_stages where customer_key = $key"
        )
        stages |= next(iter(_rows(marts, query, key)), {})
    query = "select rfm_class, r_score, f_score, m_score from marts.fct_customer_rfm where customer_key = $key"
    stages |= next(iter(_rows(marts, query, key)), {})
    tags = {}
    if "fct_customer_tags" in tables:
        query = "select tag_id, score from marts.fct_customer_tags where customer_key = $key order by tag_id"
        tags = {tag["tag_id"]: tag["score"] for tag in _rows(marts, query, key)}
    stays = _stays(marts, key, tables)
    return Person(
        customer_key=key,
        known_as=former,
        customer_ids=ids,
        facts=facts,
        stages=stages,
        tags=tags,
        inside=tuple(stay for stay in stays if stay.left_on is None),
        left=tuple(stay for stay in stays if stay.left_on is not None),
    )


def _find(marts: duckdb.DuckDBPyConnection, who: str, tables: set[str]) -> tuple[str, tuple[str, ...]]:
    query = (
        "select customer_key from marts.dim_customers"
        " where customer_key = $key or list_contains(customer_ids, $key) order by customer_key"
    )
    found = [row["customer_key"] for row in _rows(marts, query, who)]
    former: list[str] = []
    following = {who} if not found and _ALIASES in tables else set()
    while following and len(former) < _LONGEST_CHAIN:
        former += sorted(following)
        targets = {
            row["to_key"]
            for one in following
            for row in _rows(marts, f"select to_key from marts.{_ALIASES} where from_key = $key", one)
        }
        present = "select customer_key from marts.dim_customers where customer_key = $key"
        found += [target for target in sorted(targets) if _rows(marts, present, target)]
        following = targets - set(found) - set(former)
    if not found:
        raise RequestError(
            f"the marts know no customer {who!r}",
            remedy="give a customer key, a former one, or a customer id as exported; '--date' looks at another day",
        )
    if len(set(found)) > 1:
        raise RequestError(
            f"{who!r} means more than one customer: {', '.join(sorted(set(found)))}", remedy="give one of these keys"
        )
    return found[0], tuple(former)


def _stays(marts: duckdb.DuckDBPyConnection, key: str, tables: set[str]) -> list[Stay]:
    memberships = "select * from marts.fct_segment_memberships where customer_key = $key"
    words = "select segment_id, name_en, name_zh, definition from marts.dim_segments"
    catalogue = {row["segment_id"]: row for row in _rows(marts, words)} if "dim_segments" in tables else {}
    order = "order by coalesce(exited_on, entered_on) desc, segment_id, entered_on"
    stays = []
    for row in _rows(marts, f"{memberships} {order}", key):
        segment = row["segment_id"]
        named = catalogue.get(segment, {"name_en": segment, "name_zh": segment, "definition": None})
        left_reason = row.get("exited_reason")
        stays.append(
            Stay(
                segment_id=segment,
                name_en=named["name_en"],
                name_zh=named["name_zh"],
                definition=named["definition"],
                since=row["entered_on"],
                left_on=row["exited_on"],
                reason=row["reason"],
                because=in_words(row["reason"]) or "",
                left_reason=left_reason,
                left_because=in_words(left_reason),
            )
        )
    return stays


def _tables(marts: duckdb.DuckDBPyConnection) -> set[str]:
    query = "select table_name from information_schema.tables where table_schema = 'marts'"
    return {row["table_name"] for row in _rows(marts, query)}


def _rows(marts: duckdb.DuckDBPyConnection, query: str, key: str | None = None) -> list[dict[str, Any]]:
    cursor = marts.execute(query, {"key": key} if "$key" in query else None)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
