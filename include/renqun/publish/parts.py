"""Marts of traffic history as date-partitioned, content-addressed Parquet: each day is written once."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from renqun.errors import TechnicalError
from renqun.publish import files, layout
from renqun.publish.manifest import PartEntry, PartitionedMart
from renqun.sql_text import identifier
from renqun.storage import sha256_of


def write_parts(
    connection: duckdb.DuckDBPyConnection,
    source: duckdb.DuckDBPyRelation,
    *,
    mart: str,
    root: Path,
    previous: PartitionedMart | None,
    touched_dates: Collection[date] | None,
) -> PartitionedMart:
    """Write the days of a mart that changed; take every other day over from the version before.

    A day is taken over only where it is untouched, its part is there with the bytes it was written with, its row
    count is the same and no column has changed: what a disk has damaged is not handed on. Everything else is written
    anew; a day whose rows turn out equal keeps its part, because the part's name is its content.

    Args:
        connection: the workbench that `source` belongs to.
        source: the mart, with all its days.
        mart: its name.
        root: `published/marts`.
        previous: the mart in the version that `touched_dates` lead on from.
        touched_dates: the days that may have changed; None = any.

    Raises:
        TechnicalError: a row has no date, or a part read back is not what was written.
    """
    date_column = layout.PARTITIONED_MARTS[mart]
    columns = files.columns_of(source)
    rows_by_date = _rows_by_date(source, mart, date_column)
    known: dict[date, PartEntry] = {}
    if previous and touched_dates is not None and previous.columns == columns:
        known = {part.date: part for part in previous.parts if part.date not in touched_dates}
    folder = root / "parts" / mart
    entries: list[PartEntry] = []
    with building(folder) as staging:
        for day, rows in rows_by_date.items():
            part = known.get(day)
            if part is None or part.rows != rows or not _is_sound(root / part.path, part.sha256):
                part = _write_part(connection, source, mart, day, rows, columns, staging, folder)
            entries.append(part)
    files.flush_folder(folder)
    return PartitionedMart(
        date_column=date_column, columns=columns, rows=sum(rows_by_date.values()), parts=tuple(entries)
    )


@contextmanager
def building(parent: Path) -> Iterator[Path]:
    """A working folder inside `parent`, named so that a sweep finds what a killed writer left of it."""
    parent.mkdir(parents=True, exist_ok=True)
    staging = parent / f".staging-{uuid.uuid4().hex[:12]}"
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _is_sound(file: Path, sha256: str) -> bool:
    return file.is_file() and sha256_of(file) == sha256


def _rows_by_date(source: duckdb.DuckDBPyRelation, mart: str, date_column: str) -> dict[date, int]:
    column = identifier(date_column)
    counted = source.aggregate(f"{column} as day, count(*) as rows", column).order("day nulls first").fetchall()
    rows_by_date = dict(counted)
    if None in rows_by_date:
        raise TechnicalError(
            f"{rows_by_date[None]} rows of {mart} have no {date_column}",
            where=f"marts.{mart}",
            remedy="correct the model: every row belongs to one business date",
        )
    return rows_by_date


def _write_part(
    connection: duckdb.DuckDBPyConnection,
    source: duckdb.DuckDBPyRelation,
    mart: str,
    day: date,
    rows: int,
    columns: tuple[files.Column, ...],
    staging: Path,
    folder: Path,
) -> PartEntry:
    written = staging / f"{day.isoformat()}.parquet"
    is_of_day = duckdb.ColumnExpression(layout.PARTITIONED_MARTS[mart]) == duckdb.ConstantExpression(day)
    order = ", ".join(identifier(name) for name in layout.order_by(mart, tuple(source.columns)))
    files.write_parquet(source.filter(is_of_day).order(order), written)
    facts = files.facts_of(connection, written)
    files.require_equal(facts.rows, rows, what=f"rows of {mart} on {day}", where=[written])
    files.require_equal(facts.columns, columns, what=f"columns of {mart} on {day}", where=[written])
    final = folder / f"{day.isoformat()}-{facts.sha256[:16]}.parquet"
    if not _is_sound(final, facts.sha256):
        files.seal_file(written)
        os.replace(written, final)
    return PartEntry(path=f"parts/{mart}/{final.name}", date=day, sha256=facts.sha256, rows=facts.rows)
