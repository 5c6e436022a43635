"""How the pipeline opens a DuckDB file: always with the same settings, always in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from renqun.errors import TechnicalError
from renqun.settings import Settings


@contextmanager
def connect(file: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a warehouse for the block. The caller holds the shop's writer lock.

    Raises:
        TechnicalError: the file cannot be opened.
    """
    settings = Settings()
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(
            str(file),
            read_only=read_only,
            config={
                "memory_limit": settings.memory_limit,
                "threads": settings.threads,
                "autoinstall_known_extensions": False,  # each would be a download
            },
        )
    except duckdb.Error as error:
        raise TechnicalError(
            f"the warehouse cannot be opened: {error}",
            where=str(file),
            remedy="end the program that has the file open; analysts read published/marts, never this file",
        ) from error
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the open database itself (not an attached one) has this table or view."""
    found = connection.execute(
        "select 1 from information_schema.tables"
        " where table_catalog = current_database() and table_schema = ? and table_name = ?",
        [schema, table],
    ).fetchone()
    return found is not None
