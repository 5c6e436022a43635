"""The DuckDB that ingest works with: in memory, offline, the same on every machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from renqun.settings import Settings


@dataclass(frozen=True)
class Workbench:
    """One connection and one folder for what a call of ingest writes on the way; both go when the call ends."""

    connection: duckdb.DuckDBPyConnection
    folder: Path

    def readable(self, path: Path) -> str:
        """An SQL literal that names a file to DuckDB, which takes `*`, `?` and `[` in a path for patterns."""
        alias = self.folder / "input"
        alias.unlink(missing_ok=True)
        alias.symlink_to(path.resolve())
        return literal(str(alias))


@contextmanager
def workbench(settings: Settings | None = None) -> Iterator[Workbench]:
    """A workbench for one call of ingest; what does not fit into memory spills to its folder.

    Times are read and written in UTC whatever the machine's zone, and no extension is ever looked for.
    """
    settings = settings or Settings()
    with tempfile.TemporaryDirectory(prefix="renqun-ingest-") as folder:
        connection = duckdb.connect(
            config={
                "threads": settings.threads,
                "memory_limit": settings.memory_limit,
                "temp_directory": str(Path(folder) / "spill"),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
        )
        try:
            connection.execute("SET TimeZone = 'UTC'")
            yield Workbench(connection, Path(folder))
        finally:
            connection.close()


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
