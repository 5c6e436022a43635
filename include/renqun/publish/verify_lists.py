"""Prove a trigger list offline: it names members only, each once, and says of itself what its rows say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import duckdb

from renqun.publish import files
from renqun.publish.manifest import AudienceManifest, TriggerEntry
from renqun.publish.trigger_facts import FACTS
from renqun.publish.trigger_lists import LIST_COLUMNS, LIST_NAME

LIST_FILES = frozenset({f"{LIST_NAME}.parquet", f"{LIST_NAME}.csv"})
Problem = tuple[Literal["wrong_columns", "list_inconsistent", "not_sorted", "csv_differs", "counts_inconsistent"], str]
"""The failure's id and its message."""

_FURTHEST_ZONE = timedelta(hours=14)


def list_problems(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: AudienceManifest, members: set[str]
) -> Iterator[Problem]:
    """Everything about the list that is not as it must be; nothing where the audience has none."""
    entry = manifest.trigger
    if entry is None:
        return
    parquet = files.read_parquet(connection, folder / f"{LIST_NAME}.parquet")
    if files.columns_of(parquet) != LIST_COLUMNS:
        yield "wrong_columns", "the list does not have the columns that every list has"
        return
    rows = [dict(zip(parquet.columns, row, strict=True)) for row in parquet.fetchall()]
    people = [str(row["customer_key"]) for row in rows]
    if not set(people) <= members:
        yield "list_inconsistent", "it names somebody who is not a member"
    if len(set(people)) != len(people):
        yield "list_inconsistent", "somebody is in it more than once"
    if rows != sorted(rows, key=lambda row: (row["due_at"], row["customer_key"])):
        yield "not_sorted", "it is not in the order of due_at and customer_key"
    named = (entry.fact, entry.channel, entry.offer)
    if any((row["fact"], row["channel"], row["offer"]) != named for row in rows):
        yield "list_inconsistent", "a row is of another fact, channel or offer than the manifest says"
    if any(row["dedupe_key"] != _dedupe_key(manifest, row) for row in rows):
        yield "list_inconsistent", "a dedupe key is not that of its fact"
    yield from _lateness(entry, rows)
    if abs(entry.data_as_of - _midnight_after(manifest)) > _FURTHEST_ZONE:
        yield "counts_inconsistent", "data_as_of is the end of the business date in no zone"
    if entry.due != sum(entry.held_back.values()) + entry.sent_before + entry.waiting + entry.superseded + entry.rows:
        yield "counts_inconsistent", "what became of the facts that were due does not add up"
    told = files.read_csv(connection, folder / f"{LIST_NAME}.csv")
    if told.select("customer_key, dedupe_key, due_at").fetchall() != [
        (row["customer_key"], row["dedupe_key"], f"{row['due_at']:%Y-%m-%dT%H:%M:%S}Z") for row in rows
    ]:
        yield "csv_differs", "the CSV does not tell what the Parquet file does"


def _lateness(entry: TriggerEntry, rows: list[dict[str, object]]) -> Iterator[Problem]:
    due = [_utc(row["due_at"]) for row in rows]
    if [row["is_late"] for row in rows] != [at < entry.data_as_of for at in due]:
        yield "list_inconsistent", "is_late does not say what due_at does"
    longest = max(int((entry.data_as_of - min(due)).total_seconds()), 0) if due else 0
    found = (
        len(rows),
        sum(at < entry.data_as_of for at in due),
        longest,
        min(due, default=None),
        max(due, default=None),
    )
    said = (
        entry.rows, entry.late, entry.longest_lateness_seconds, entry.earliest_due_at, entry.latest_due_at,
    )  # fmt: skip
    if found != said:
        yield "counts_inconsistent", "the manifest does not say how many rows there are, or how late they are"


def _dedupe_key(manifest: AudienceManifest, row: dict[str, object]) -> str | None:
    fact = next((fact for name, fact in FACTS.items() if name == row["fact"]), None)
    if fact is None:
        return None
    parts = [manifest.shop_id, manifest.audience_id, fact.name, str(row["fact_key"])]
    if fact.is_personal:
        parts.append(str(row["customer_key"]))
    return hashlib.sha256("|".join(parts).encode("utf-8")).hexdigest()[:32]


def _midnight_after(manifest: AudienceManifest) -> datetime:
    return datetime.combine(manifest.as_of + timedelta(days=1), datetime.min.time(), tzinfo=UTC)


def _utc(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value.replace(tzinfo=UTC)
