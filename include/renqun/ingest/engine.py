"""The DuckDB that ingest works with: in memory, offline, the same on every machine."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from renqun.settings import Settings
from renqun.sql_text import literal

_ENOUGH_MEBIBYTES = 512
"""With less than half of this, reading slows down; with more, it only takes more."""


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
                "memory_limit": _modest(settings.memory_limit),
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


def _modest(limit: str) -> str:
    """The memory limit, but no more than reading a file needs: it is a stream, whatever the file's size."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT])i?B\s*", limit, re.IGNORECASE)
    if found is None:
        return limit
    mebibytes = float(found[1]) * 1024.0 ** ("KMGT".index(found[2].upper()) - 1)
    return limit if mebibytes <= _ENOUGH_MEBIBYTES else f"{_ENOUGH_MEBIBYTES}MiB"
