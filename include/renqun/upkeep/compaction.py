"""The warehouse without free pages: DuckDB gives no page back that was once written."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from renqun.errors import TechnicalError
from renqun.sql_text import identifier, literal
from renqun.warehouse.connection import connect


def free_share(warehouse: Path) -> float:
    """Which share of a DuckDB file's pages hold nothing; the caller holds the shop's writer lock."""
    with connect(warehouse) as connection:
        connection.execute("checkpoint")
        rows = connection.execute("select total_blocks, free_blocks from pragma_database_size()").fetchall()
    total, free = rows[0]
    return free / total if total else 0.0


def compact(warehouse: Path) -> int:
    """Write the warehouse anew and put it into its place in one step; the caller holds the shop's writer lock.

    Returns:
        Its bytes.

    Raises:
        TechnicalError: it could not be copied, or the copy does not hold the same; it is as it was.
    """
    folder = warehouse.parent / "compacting"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # Views name their database, which is called after its file.
    copy = folder / warehouse.name
    try:
        before = _contents(warehouse)
        with connect(copy) as connection:
            connection.execute(f"attach {literal(str(warehouse))} as origin (read_only)")
            connection.execute(f"copy from database origin to {identifier(warehouse.stem)}")
            connection.execute("detach origin")
            connection.execute("checkpoint")
        if _contents(copy) != before:
            raise TechnicalError("the compacted warehouse does not hold the same rows", where=str(warehouse))
        copy.replace(warehouse)
    except duckdb.Error as error:
        raise TechnicalError(
            f"the warehouse was not compacted: {error}",
            where=str(warehouse),
            remedy="free disk space, then run maintenance again; nothing was changed",
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return warehouse.stat().st_size


def _contents(file: Path) -> list[tuple[str, str, str, int | None]]:
    """Every table with its rows, every view with its text."""
    with connect(file) as connection:
        connection.execute("checkpoint")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where not internal order by all"
        ).fetchall()
        views = connection.execute(
            "select schema_name, view_name, sql from duckdb_views() where not internal order by all"
        ).fetchall()
        counted: list[tuple[str, str, str, int | None]] = []
        for schema, table in tables:
            rows = connection.execute(f"select count(*) from {identifier(schema)}.{identifier(table)}").fetchall()
            counted.append((schema, table, "", int(rows[0][0])))
        return counted + [(schema, view, sql, None) for schema, view, sql in views]
