"""Prove a version of the marts: tables, the database, the script that opens it, and the parts beside the folder."""

from __future__ import annotations

from pathlib import Path

import duckdb

from renqun.publish import files, layout
from renqun.publish.manifest import FileEntry, MartsManifest
from renqun.publish.verify_files import compare, first_line, present_files, verify_file, verify_gates
from renqun.publish.verify_report import VerifyReport
from renqun.sql_text import identifier
from renqun.storage import sha256_of


def verify_marts(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: MartsManifest, report: VerifyReport
) -> None:
    entries = {f"{name}.parquet": entry for name, entry in manifest.tables.items()}
    others = (layout.MARTS_DATABASE, layout.OPEN_SCRIPT)
    present = present_files(folder, [*entries, *others], report)
    for name in entries.keys() & present:
        verify_file(connection, folder / name, name, entries[name], report)
    if layout.MARTS_DATABASE in present:
        _verify_database(connection, folder / layout.MARTS_DATABASE, manifest, report)
    _verify_script(folder, manifest, present, report)
    _verify_parts(connection, folder, manifest, report)
    verify_gates(manifest.gates, ("marts",), report)


def _verify_database(
    connection: duckdb.DuckDBPyConnection, file: Path, manifest: MartsManifest, report: VerifyReport
) -> None:
    report.files_checked += 1
    expected = manifest.provenance.get(file.name)
    digest = expected.get("sha256") if isinstance(expected, dict) else None
    if sha256_of(file) != digest:
        report.fail("wrong_sha256", file.name, "its bytes are not those that were written")
        return
    try:
        files.attach(connection, file, "verified")
        rows = connection.execute(
            "select table_name from information_schema.tables where table_catalog = 'verified'"
        ).fetchall()
        tables = {str(row[0]) for row in rows}
        for name, entry in manifest.tables.items():
            if name not in tables:
                report.fail("wrong_columns", f"{file.name}:{name}", "the table is not there")
                continue
            relation = connection.sql(f"select * from verified.main.{identifier(name)}")
            compare(f"{file.name}:{name}", relation, entry.rows, entry.columns, report)
    except Exception as error:
        report.fail("unreadable_file", file.name, first_line(error))


def _verify_script(folder: Path, manifest: MartsManifest, present: set[str], report: VerifyReport) -> None:
    from renqun.publish.reader import open_script

    if layout.OPEN_SCRIPT in present:
        report.files_checked += 1
        if (folder / layout.OPEN_SCRIPT).read_bytes() != open_script(manifest).encode("utf-8"):
            report.fail("wrong_sha256", layout.OPEN_SCRIPT, "it is not the script that this manifest gives")


def _verify_parts(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: MartsManifest, report: VerifyReport
) -> None:
    root = folder.parent.parent
    parts = [(mart, part) for mart in manifest.partitioned.values() for part in mart.parts]
    for name, mart in manifest.partitioned.items():
        if sum(part.rows for part in mart.parts) != mart.rows:
            report.fail("counts_inconsistent", name, "the rows of its parts do not add up")
    if parts and not (root / "parts").is_dir():
        dates = sorted(part.date for _, part in parts)
        report.notes.append(
            f"{len(parts)} parts of {', '.join(sorted(manifest.partitioned))} ({dates[0]} to {dates[-1]}) are not"
            " beside the folder and were not looked at"
        )
        return
    for mart, part in parts:
        file = root / part.path
        if file.is_symlink() or file.parent.is_symlink() or (root / "parts").is_symlink():
            report.fail("symlink", part.path, "parts are files, not links")
        elif not file.is_file():
            report.fail("missing_part", part.path, "the part is not there")
        else:
            entry = FileEntry(sha256=part.sha256, bytes=file.stat().st_size, rows=part.rows, columns=mart.columns)
            verify_file(connection, file, part.path, entry, report)
