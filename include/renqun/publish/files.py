"""Files whose bytes depend on their content only, and the folder of a version as a sealed whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from renqun.errors import TechnicalError
from renqun.settings import Settings
from renqun.sql_text import identifier, literal
from renqun.storage import sha256_of

Column = tuple[str, str]
"""Name and DuckDB type of a column."""


@dataclass(frozen=True)
class FileFacts:
    """What a file holds, as read back from the disk."""

    sha256: str
    bytes: int
    rows: int
    columns: tuple[Column, ...]


@contextmanager
def workbench() -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB in UTC, within the limits of the settings; files are attached to it read-only."""
    settings = Settings()
    connection = duckdb.connect(config={"memory_limit": settings.memory_limit, "threads": settings.threads})
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set preserve_insertion_order = true")
        yield connection
    finally:
        connection.close()


def attach(
    connection: duckdb.DuckDBPyConnection, file: Path, alias: str, *, new_storage_version: str | None = None
) -> None:
    """Attach a DuckDB file: read-only, or a new one in the storage format of an older DuckDB.

    Raises:
        TechnicalError: the file cannot be opened.
    """
    option = f"storage_version {literal(new_storage_version)}" if new_storage_version else "read_only"
    try:
        connection.execute(f"attach {literal(file)} as {identifier(alias)} ({option})")
    except duckdb.Error as error:
        raise TechnicalError(
            f"a DuckDB file cannot be opened: {error}",
            where=str(file),
            remedy="end the program that has the file open, then run again",
        ) from error


def write_parquet(relation: duckdb.DuckDBPyRelation, file: Path) -> None:
    """Write an ordered relation; equal rows in equal order give equal bytes, whatever the threads."""
    relation.write_parquet(str(file), compression="zstd", row_group_size=122_880)


def write_csv(relation: duckdb.DuckDBPyRelation, file: Path) -> None:
    """Write an ordered relation as UTF-8 CSV with a header and `\\n` line ends."""
    relation.write_csv(str(file), header=True, sep=",", quotechar='"', escapechar='"', encoding="UTF8")


def columns_of(relation: duckdb.DuckDBPyRelation) -> tuple[Column, ...]:
    """Names and types of a relation's columns."""
    return tuple(zip(relation.columns, (str(kind) for kind in relation.types), strict=True))


def rows_of(relation: duckdb.DuckDBPyRelation) -> int:
    """How many rows a relation has."""
    return len(relation)


def read_parquet(connection: duckdb.DuckDBPyConnection, file: Path) -> duckdb.DuckDBPyRelation:
    """A Parquet file's own columns; the folder names above it (`as_of=<ds>`) add none."""
    return connection.sql(
        "select * from read_parquet(?, hive_partitioning = false, union_by_name = false)", params=[str(file)]
    )


def read_csv(connection: duckdb.DuckDBPyConnection, file: Path) -> duckdb.DuckDBPyRelation:
    """One of our own CSV files, every column as text; nothing about it is guessed."""
    with file.open("r", encoding="utf-8", newline="") as stream:
        header = stream.readline().rstrip("\n").split(",")
    return connection.sql(
        "select * from read_csv(?, header = true, delim = ',', quote = '\"', escape = '\"', auto_detect = false,"
        " columns = ?, strict_mode = true, nullstr = '', hive_partitioning = false)",
        params=[str(file), dict.fromkeys(header, "VARCHAR")],
    )


def read_file(connection: duckdb.DuckDBPyConnection, file: Path) -> duckdb.DuckDBPyRelation:
    """One of our own files, Parquet or CSV."""
    return read_csv(connection, file) if file.suffix == ".csv" else read_parquet(connection, file)


def facts_of(connection: duckdb.DuckDBPyConnection, file: Path) -> FileFacts:
    """Read a Parquet or CSV file back: its digest, its rows and its columns."""
    relation = read_file(connection, file)
    return FileFacts(
        sha256=sha256_of(file),
        bytes=file.stat().st_size,
        rows=rows_of(relation),
        columns=columns_of(relation),
    )


def seal(folder: Path) -> None:
    """Flush every file of a folder to the disk and take the right to write from it: versions never change."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        seal_file(file)
    flush_folder(folder)


def seal_file(file: Path) -> None:
    """Flush one file to the disk and make it read-only, for whoever may read it already."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
    file.chmod(stat.S_IMODE(file.stat().st_mode) & ~0o222)


def flush_folder(folder: Path) -> None:
    """Flush a folder's list of names to the disk, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_equal(found: object, expected: object, *, what: str, where: Sequence[str | Path]) -> None:
    """Stop when a file that was read back is not what was written.

    Raises:
        TechnicalError: it is not.
    """
    if found != expected:
        raise TechnicalError(
            f"{what}: written {expected}, read back {found}",
            where=", ".join(str(place) for place in where),
            remedy="check the disk, then run again; what was published before is untouched",
        )
