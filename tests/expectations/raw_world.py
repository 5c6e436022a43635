"""Incoming files by hand, two of orders, one of each other source; a fault changes rows or ledger before they are read.

Orders of b1 (2026-03-09): o1 with two lines, o2 not paid, and one row set aside. Orders of b2 (2026-03-10): o3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from renqun.ingest.catalogue import all_sources
from renqun.ingest.ledger import BatchRecord
from renqun.quality.raw_batches import make_raw

Ledger = dict[str, dict[str, Any]]

_ROWS: dict[str, list[dict[str, str]]] = {
    "b1": [
        {"order_id": "o1", "item_id": "i1", "customer_id": "m1", "ordered_at": "2026-03-09T08:00:00", "quantity": "1",
         "unit_price": "60.00", "paid_at": "2026-03-09 08:05", "currency": "CNY"},
        {"order_id": "o1", "item_id": "i2", "customer_id": "m1", "ordered_at": "2026-03-09T08:00:00", "quantity": "2.5",
         "unit_price": "0", "paid_at": "2026-03-09 08:05"},
        {"order_id": "o2", "item_id": "i1", "customer_id": "m2", "ordered_at": "2026-03-09", "quantity": "1",
         "unit_price": "60"},
        {"order_id": "o7", "quantity": "many", "_quarantine_reason": "unparsable_value:quantity"},
    ],
    "b2": [
        {"order_id": "o3", "item_id": "i1", "customer_id": "m3", "ordered_at": "2026-03-10T08:00:00+08:00",
         "quantity": "1", "unit_price": "60", "paid_at": "2026-03-10T08:01:00+08:00"},
    ],
    "b3": [
        {"event_at": "2026-03-10T09:00:00", "event_type": "view", "visitor_id": "v1"},
        {"event_at": "2026-03-10T09:01:00", "event_type": "cart", "visitor_id": "v1"},
    ],
    "b4": [{"traffic_date": "2026-03-10", "source_level_1": "search", "visitors": "12"}],
    "b5": [{"customer_id": "m1", "is_fan": "true"}, {"customer_id": "m2"}],
    "b6": [{"customer_id": "m1", "channel": "sms", "purpose": "marketing", "granted": "true",
            "recorded_at": "2026-03-01T00:00:00"}],
    "b7": [{"customer_id": "m1", "cause": "blacklist", "recorded_at": "2026-03-01T00:00:00"}],
}  # fmt: skip
_SOURCES = {
    "b1": ("orders", "2026-03-09"), "b2": ("orders", "2026-03-10"), "b3": ("traffic_events", "2026-03-10"),
    "b4": ("traffic_sources", "2026-03-10"), "b5": ("members", "2026-03-10"), "b6": ("consent", "2026-03-10"),
    "b7": ("suppressions", "2026-03-10"),
}  # fmt: skip
_META = ("_source_file", "_batch_id", "_content_hash", "_row_text", "_quarantine_reason")


@dataclass(frozen=True)
class RawFault:
    """What goes wrong before the gate looks: SQL on `made.<source>`, or a change of the ledger."""

    sql: str = ""
    ledger: Callable[[Ledger], None] | None = None


def build(connection: duckdb.DuckDBPyConnection, folder: Path, fault: RawFault | None = None) -> None:
    """Write the files as ingest would, with the fault in them, and let the gate make its relations."""
    connection.execute("create schema made; create schema run")
    connection.execute("create table run.context as select 'shop' as shop_id, 'CNY' as currency")
    for source in all_sources():
        columns = ", ".join(f'"{name}" varchar' for name in (*source.names, *_META))
        connection.execute(f"create table made.{source.source} ({columns}, _source_row bigint, _exported_at timestamp)")
    for batch_id, rows in _ROWS.items():
        for number, row in enumerate(rows, start=1):
            given = {**row, "_batch_id": batch_id, "_source_file": f"{batch_id}.csv", "_source_row": number}
            names = ", ".join(f'"{name}"' for name in given)
            marks = ", ".join("?" for _ in given)
            connection.execute(
                f"insert into made.{_SOURCES[batch_id][0]} ({names}) values ({marks})", list(given.values())
            )
    ledger = {batch_id: _entry(batch_id) for batch_id in _ROWS}
    connection.execute("create table made.place as select unnest(?) as batch_id", [list(_ROWS)])
    if fault and fault.ledger:
        fault.ledger(ledger)
    files = _write(connection, folder, fault.sql if fault else "")
    incoming = [(BatchRecord.model_validate(entry), files[batch_id]) for batch_id, entry in ledger.items()]
    make_raw(connection, incoming, [])


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, fault: str) -> dict[str, Path]:
    # A row lies in the file it was read from, whatever the fault makes it say of itself.
    for source in all_sources():
        connection.execute(f"alter table made.{source.source} add column lies_in varchar")
        connection.execute(f"update made.{source.source} set lies_in = _batch_id")
    if fault:
        connection.execute(fault)
    files = {}
    for batch_id, (source_name, _) in _SOURCES.items():
        files[batch_id] = folder / f"{batch_id}.parquet"
        connection.execute(
            f"copy (select * exclude (lies_in) from made.{source_name} where lies_in = '{batch_id}'"
            f" order by _source_row) to '{files[batch_id]}'"
        )
    return files


def _entry(batch_id: str) -> dict[str, Any]:
    source, day = _SOURCES[batch_id]
    rows = _ROWS[batch_id]
    group = {"orders": "orders", "traffic_events": "traffic", "traffic_sources": "traffic"}.get(source, "profiles")
    return {
        "batch_id": batch_id, "source": source, "group": group, "ds": date.fromisoformat(day),
        "file_name": f"{batch_id}.csv", "sha256": batch_id, "size": 1, "format": "csv", "encoding": "utf-8",
        "header_version": "1", "rows_read": len(rows),
        "rows_quarantined": sum("_quarantine_reason" in row for row in rows), "quarantine_reasons": {},
        "columns": (), "missing_columns": (), "unknown_columns": (), "verdict": "incoming",
    }  # fmt: skip
