"""The ledger of runs: a line for every task that ended, below `<shop>/quality/runs/`; the relation `run_ledger`.

A line is appended in one write; one that a killed process left torn is passed over by every reader.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb
from pydantic import BaseModel, ConfigDict, ValidationError

from renqun.settings import ShopPaths

Verdict = Literal["done", "skipped", "stopped", "refused", "failed"]
"""Stopped by a gate, refused for its input or request, failed for any other reason."""

_NEWEST_FILES = 60
_COLUMNS = """{
    shop_id: 'varchar', ds: 'date', run_id: 'varchar', dag: 'varchar', stage: 'varchar', began_at: 'timestamptz',
    seconds: 'double', verdict: 'varchar', rows: 'bigint', peak_memory_bytes: 'bigint', counts: 'json',
    error: 'varchar', checks: 'varchar[]', as_of: 'date', version: 'varchar', versions: 'json'
}"""


class StageRun(BaseModel):
    """How one task of a run ended. Holds counts and names, never a cell."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    shop_id: str
    ds: date
    run_id: str
    dag: str
    """The DAG's name without its shop."""
    stage: str
    """The task."""
    began_at: str
    """UTC, ISO 8601."""
    seconds: float
    verdict: Verdict
    rows: int | None = None
    """Rows that the task read, asked or wrote; null where it handles none."""
    peak_memory_bytes: int | None = None
    counts: dict[str, int] = {}
    error: str | None = None
    """The kind of error, and its cause as alerts name it."""
    checks: tuple[str, ...] = ()
    """The critical checks that failed."""
    as_of: date | None = None
    version: str | None = None
    """What was published."""
    versions: dict[str, str] = {}
    """Of the code and its engines."""


def runs_folder(paths: ShopPaths) -> Path:
    """Where the ledger of a shop is: `<ds>.jsonl`."""
    return paths.quality / "runs"


def append(paths: ShopPaths, record: StageRun) -> None:
    """Add a line.

    Raises:
        OSError: the disk is full or read-only.
    """
    file = runs_folder(paths) / f"{record.ds}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        # Somebody was killed in the middle of a line: his stays torn, ours begins a line of its own.
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, (b"\n" if torn else b"") + record.model_dump_json().encode() + b"\n")
    finally:
        os.close(descriptor)


def newest_first(paths: ShopPaths) -> Iterator[StageRun]:
    """The records of the dates that were worked on last, the newest first within each date."""
    files = sorted(runs_folder(paths).glob("*.jsonl"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in files[:_NEWEST_FILES]:
        yield from sorted(_read(file), key=lambda one: one.began_at, reverse=True)


def last_of_each_stage(paths: ShopPaths) -> list[StageRun]:
    """The last run of each task, in the order in which they ended last."""
    newest: dict[tuple[str, str], StageRun] = {}
    for record in newest_first(paths):
        key = (record.dag, record.stage)
        if key not in newest or newest[key].began_at < record.began_at:
            newest[key] = record
    return sorted(newest.values(), key=lambda one: one.began_at)


def run_ledger_sql(paths: ShopPaths) -> str:
    """A select over the whole ledger of a shop; typed and empty where nothing has run yet."""
    if not any(runs_folder(paths).glob("*.jsonl")):
        pairs = (pair.split(":", 1) for pair in _COLUMNS.strip("{}\n ").replace("\n", " ").split("',"))
        nulls = ", ".join(f"cast(null as {kind.strip().strip(chr(39))}) as {name.strip()}" for name, kind in pairs)
        return f"select {nulls} where false"
    pattern = str(runs_folder(paths) / "*.jsonl").replace("'", "''")
    return (
        f"select * from read_json('{pattern}', format = 'newline_delimited', columns = {_COLUMNS},"
        " ignore_errors = true) where stage is not null"
    )


def attach_run_ledger(connection: duckdb.DuckDBPyConnection, paths: ShopPaths) -> None:
    """Make the view `run_ledger` in an open connection."""
    connection.execute(f"create or replace temporary view run_ledger as {run_ledger_sql(paths)}")


def _read(file: Path) -> Iterable[StageRun]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            yield StageRun.model_validate_json(line)
        except ValidationError:
            continue
