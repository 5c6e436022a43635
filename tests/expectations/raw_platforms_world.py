"""Two good rows of every platform's export, as ingest leaves them in raw; a fault changes the first.

The values are made from the kinds of the columns: what a cleaner leaves of a time is a time, whatever its name.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from renqun.ingest.catalogue import METADATA_COLUMNS, Column, Source, all_sources

PLATFORMS = {source.source: source for source in all_sources() if not source.is_generic}

_BY_KIND = {
    "id": "35153131473290000", "text": "文本", "timestamp": "2026-03-09 10:00:00", "date": "2026-03-09",
    "date_range": "2026-03-09", "duration": "12.5", "money": "12.30", "number": "1.5", "quantity": "3",
    "percent": "0.7815", "boolean": "true",
}  # fmt: skip
_BY_NAME = {
    "currency": "CNY", "event_name": "view_item", "event_params": "[]", "items": "[]", "device": "{}",
    "collected_traffic_source": "{}", "session_traffic_source": "{}", "source_level_4": None,
    # Amounts below zero are given back; the gate's pattern has to know them.
    "order_refunded_amount": "-1.50", "reason": None,
}  # fmt: skip
_LATER = {"paid_at": "2026-03-09T10:05:00Z"}
"""A time of another zone says so."""


def build(connection: duckdb.DuckDBPyConnection, sources: Collection[str] = PLATFORMS.keys()) -> None:
    """Make `raw_all.<source>` and `raw.<source>` with two good rows in one batch."""
    connection.execute("create schema raw; create schema raw_all; create schema run")
    connection.execute("create table run.context as select 'shop' as shop_id, 'CNY' as currency")
    for name in sources:
        source = PLATFORMS[name]
        columns = [f'"{column}" varchar' for column in source.names]
        columns += [f"{column} {kind}" for column, kind in METADATA_COLUMNS.items()]
        connection.execute(f"create table raw_all.{name} ({', '.join(columns)})")
        for number in (1, 2):
            values = [_value(source.column(column), number) for column in source.names]
            meta = ["a.csv", number, "p1", "2026-03-10", "0a1b", None, None]
            marks = ", ".join("?" for _ in [*values, *meta])
            connection.execute(f"insert into raw_all.{name} values ({marks})", [*values, *meta])
        _show(connection, source)


def spoil(connection: duckdb.DuckDBPyConnection, name: str, fault: str) -> None:
    """Do the fault's change, and let the gate's relation be made of what is there then."""
    connection.execute(f"drop view raw.{name}")
    connection.execute(fault)
    _show(connection, PLATFORMS[name])


def add_spoiled_row(connection: duckdb.DuckDBPyConnection, name: str, fault: str) -> None:
    """Do the fault's change to a new row instead of the first."""
    if not fault.startswith("update"):
        spoil(connection, name, fault)
        return
    number = connection.execute(f"select 10 + count(*) from raw_all.{name}").fetchone()
    assert number
    connection.execute(
        f"insert into raw_all.{name} select * replace ({number[0]} as _source_row) from raw_all.{name}"
        " where _source_row = 2"
    )
    spoil(connection, name, fault.replace("_source_row = 1", f"_source_row = {number[0]}"))


def _show(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    connection.execute(
        f"create or replace view raw.{source.source} as"
        f" select * from raw_all.{source.source} where _quarantine_reason is null"
    )


def _value(column: Column, number: int) -> str | None:
    if column.name in _BY_NAME:
        return _BY_NAME[column.name]
    if column.name in _LATER:
        return _LATER[column.name]
    value = _BY_KIND[column.kind]
    # The rows are about different things and days, each sound.
    if column.kind in {"date", "date_range"} and number > 1:
        return "2026-03-08"
    return f"{value}{number}" if column.kind in {"id", "text"} else value
