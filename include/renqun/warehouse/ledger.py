"""The build ledger inside the warehouse: what was built, as of when, from which batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from renqun.ingest.ledger import BatchRecord

_TABLES = """
create schema if not exists ops;
create table if not exists ops.builds (
    build_id varchar not null, as_of_date date not null, fingerprint varchar not null,
    is_full_refresh boolean not null, finish_number bigint
);
create table if not exists ops.built_dates (as_of_date date not null);
create table if not exists ops.current_build (
    build_id varchar not null, run_id varchar not null, as_of_date date not null, previous_as_of_date date
);
create table if not exists ops.loaded_batches (
    batch_id varchar not null, ds date not null, is_consumed boolean not null
);
create table if not exists ops.batches (
    batch_id varchar, source varchar, group_name varchar, ds date, raw_file varchar, file_name varchar,
    rows_read bigint, rows_quarantined bigint, is_pending boolean
);
"""


@dataclass(frozen=True)
class Build:
    """One build: what it is called, as of when, by which definitions, and whether it was published."""

    build_id: str
    as_of: date
    fingerprint: str
    is_full_refresh: bool
    is_finished: bool


@dataclass(frozen=True)
class LoadedBatch:
    """A batch whose rows are, or may be, in the warehouse's tables; consumed once its build was published."""

    batch_id: str
    ds: date
    is_consumed: bool


def ensure(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the ledger's tables where they are absent."""
    connection.execute(_TABLES)


def built_dates(connection: duckdb.DuckDBPyConnection) -> list[date]:
    """All business dates that were built and published, oldest first."""
    rows = connection.execute("select as_of_date from ops.built_dates order by 1").fetchall()
    return [row[0] for row in rows]


def newest_finished(connection: duckdb.DuckDBPyConnection) -> Build | None:
    """The last build that was published; None before the first."""
    row = connection.execute(
        "select build_id, as_of_date, fingerprint, is_full_refresh, true from ops.builds"
        " where finish_number is not null order by finish_number desc limit 1"
    ).fetchone()
    return Build(*row) if row else None


def unfinished(connection: duckdb.DuckDBPyConnection, build_id: str) -> Build | None:
    """The build of this id, if it was planned and never published."""
    row = connection.execute(
        "select build_id, as_of_date, fingerprint, is_full_refresh, false from ops.builds"
        " where build_id = ? and finish_number is null",
        [build_id],
    ).fetchone()
    return Build(*row) if row else None


def begun_fingerprints(connection: duckdb.DuckDBPyConnection, build_id: str) -> set[str]:
    """The definitions by which other builds than this one began to make tables, and never finished."""
    rows = connection.execute(
        "select distinct fingerprint from ops.builds where finish_number is null and build_id <> ?", [build_id]
    ).fetchall()
    return {row[0] for row in rows}


def is_finished(connection: duckdb.DuckDBPyConnection, build_id: str) -> bool:
    """Whether the build of this id was published."""
    query = "select 1 from ops.builds where build_id = ? and finish_number is not null"
    return connection.execute(query, [build_id]).fetchone() is not None


def loaded_batches(connection: duckdb.DuckDBPyConnection) -> list[LoadedBatch]:
    """Every batch that a build, finished or not, has begun to load."""
    rows = connection.execute("select batch_id, ds, is_consumed from ops.loaded_batches order by 1").fetchall()
    return [LoadedBatch(*row) for row in rows]


def batch_ids(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The batches that the current build is made from."""
    return {row[0] for row in connection.execute("select batch_id from ops.batches").fetchall()}


def current_build(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The build that the warehouse's tables belong to at the moment."""
    row = connection.execute("select build_id from ops.current_build").fetchone()
    return str(row[0]) if row else None


def begin(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    *,
    run_id: str,
    previous_as_of: date | None,
    batches: Sequence[BatchRecord],
    pending: frozenset[str],
    raw_root: str,
) -> None:
    """Claim the warehouse for a build, in one transaction, and tell dbt its dates and which batches there are.

    Pending batches count as loaded from here on: whatever becomes of this build, their rows may be in the
    tables, so that a later withdrawal of one of them is noticed.
    """
    connection.execute("begin")
    connection.execute("delete from ops.current_build")
    connection.execute(
        "insert into ops.current_build values (?, ?, ?, ?)", [build.build_id, run_id, build.as_of, previous_as_of]
    )
    connection.execute("delete from ops.builds where build_id = ?", [build.build_id])
    connection.execute(
        "insert into ops.builds values (?, ?, ?, ?, null)",
        [build.build_id, build.as_of, build.fingerprint, build.is_full_refresh],
    )
    connection.execute("delete from ops.batches")
    rows = [
        [
            batch.batch_id,
            batch.source,
            batch.group,
            batch.ds,
            f"{raw_root}/{batch.source}/date={batch.ds.isoformat()}/{batch.batch_id}.parquet",
            batch.file_name,
            batch.rows_read,
            batch.rows_quarantined,
            batch.batch_id in pending,
        ]
        for batch in batches
    ]
    if rows:
        connection.executemany("insert into ops.batches values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute(
        "insert into ops.loaded_batches select batch_id, ds, false from ops.batches"
        " where is_pending and batch_id not in (select batch_id from ops.loaded_batches)"
    )
    connection.execute("commit")


def finish(connection: duckdb.DuckDBPyConnection, *, build_id: str, as_of: date) -> None:
    """Record that a build was published: its date is built, its batches are consumed."""
    connection.execute("begin")
    connection.execute("delete from ops.loaded_batches where batch_id not in (select batch_id from ops.batches)")
    connection.execute("update ops.loaded_batches set is_consumed = true")
    connection.execute(
        "update ops.builds set finish_number = (select coalesce(max(finish_number), 0) + 1 from ops.builds)"
        " where build_id = ?",
        [build_id],
    )
    connection.execute("delete from ops.builds where finish_number is null")
    connection.execute(
        "insert into ops.built_dates select ? where ? not in (select as_of_date from ops.built_dates)",
        [as_of, as_of],
    )
    connection.execute("update ops.batches set is_pending = false")
    connection.execute("commit")
