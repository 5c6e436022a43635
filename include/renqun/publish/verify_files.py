"""What holds for the files of every version: they are there, no others are, and each is what the manifest says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from renqun.publish import files
from renqun.publish.destinations import Destination
from renqun.publish.manifest import MANIFEST_NAME, FileEntry, GateRecord
from renqun.publish.verify_deliveries import verify_rows
from renqun.publish.verify_report import VerifyReport
from renqun.storage import sha256_of


def present_files(folder: Path, expected: Iterable[str], report: VerifyReport) -> set[str]:
    """Every expected file is there, nothing else is, and none is a link; returns what can be read."""
    wanted = set(expected)
    present: set[str] = set()
    for entry in sorted(folder.iterdir()):
        if entry.name == MANIFEST_NAME:
            continue
        if entry.is_symlink():
            report.fail("symlink", entry.name, "a version holds no links")
            wanted.discard(entry.name)
        elif entry.name not in wanted or not entry.is_file():
            report.fail("unexpected_file", entry.name, "the manifest does not name it")
        else:
            present.add(entry.name)
    for name in sorted(wanted - present):
        report.fail("missing_file", name, "the manifest names it, the folder does not have it")
    return present


def verify_file(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    name: str,
    entry: FileEntry,
    report: VerifyReport,
    to: Destination | None = None,
) -> None:
    report.files_checked += 1
    if file.stat().st_size != entry.bytes:
        report.fail("wrong_bytes", name, f"it has {file.stat().st_size} bytes, not {entry.bytes}")
    if sha256_of(file) != entry.sha256:
        report.fail("wrong_sha256", name, "its bytes are not those that were written")
    if to is not None:
        verify_rows(connection, file.parent, name, to, entry.rows, report)
        return
    try:
        compare(name, files.read_file(connection, file), entry.rows, entry.columns, report)
    except (duckdb.Error, UnicodeDecodeError) as error:
        report.fail("unreadable_file", name, first_line(error))


def first_line(error: Exception) -> str:
    """What happened; the engine's hints on its own options help nobody who verifies."""
    return str(error).partition("\n")[0]


def compare(
    name: str,
    relation: duckdb.DuckDBPyRelation,
    rows: int,
    columns: tuple[tuple[str, str], ...],
    report: VerifyReport,
) -> None:
    found = files.rows_of(relation)
    if found != rows:
        report.fail("wrong_rows", name, f"it has {found} rows, not {rows}")
    if files.columns_of(relation) != columns:
        report.fail("wrong_columns", name, "its columns are not those of the manifest")


def verify_gates(gates: tuple[GateRecord, ...], stages: Iterable[str], report: VerifyReport) -> None:
    for stage in stages:
        if not any(gate.stage == stage for gate in gates):
            report.fail("gate_missing", stage, f"no verdict of the gate {stage!r} is recorded")
    for gate in gates:
        if gate.verdict == "failed":
            report.fail("gate_failed", f"{gate.stage}.{gate.object}", "a gate that failed stops a publication")
