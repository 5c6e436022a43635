"""Prove a published version offline, from nothing but its folder: every doubt is a named failure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
from pydantic import ValidationError

from renqun.errors import RequestError
from renqun.publish import files, layout
from renqun.publish.choosing import HOLDOUT
from renqun.publish.contact_plan import CONTACTED
from renqun.publish.destinations import Destination
from renqun.publish.manifest import (
    FILE_NAME_PATTERN,
    MANIFEST_NAME,
    PART_PATH_PATTERN,
    VERSION_PATTERN,
    AudienceManifest,
    FileEntry,
    GateRecord,
    MartsManifest,
    expected_version,
)
from renqun.publish.promotion import GATE_STAGES
from renqun.publish.verify_deliveries import delivered_files, verify_deliveries, verify_promises, verify_rows
from renqun.publish.verify_lists import LIST_FILES, list_problems
from renqun.storage import sha256_of

FailureId = Literal[
    "manifest_missing", "manifest_invalid", "unknown_schema", "wrong_version", "unsafe_path", "symlink",
    "missing_file", "unexpected_file", "wrong_sha256", "wrong_bytes", "unreadable_file", "wrong_rows",
    "wrong_columns", "missing_part", "duplicate_members", "not_sorted", "csv_differs", "added_inconsistent",
    "removed_inconsistent", "delivery_inconsistent", "holdout_addressed", "counts_inconsistent", "gate_missing",
    "gate_failed", "withdrawn", "list_inconsistent",
]  # fmt: skip

_NAME_A_VERSION = "name the folder that holds manifest.json, for example published/marts/latest"
_LARGEST_MANIFEST = 64 * 1024 * 1024
HOLDOUT_FILE = "holdout.parquet"
_AUDIENCE_FILES = frozenset({"members.parquet", "added.parquet", "added.csv", "removed.parquet", "removed.csv"})


@dataclass(frozen=True)
class Failure:
    """One thing that is not as the manifest says."""

    id: FailureId
    subject: str
    """The file, the field or the gate."""
    message: str


@dataclass
class VerifyReport:
    """What `renqun verify` found."""

    path: Path
    kind: str | None = None
    version: str | None = None
    as_of: str | None = None
    files_checked: int = 0
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be looked at, or what a reader should know; no fault."""

    @property
    def passed(self) -> bool:
        """Whether the version is what it says it is."""
        return not self.failures

    def fail(self, failure_id: FailureId, subject: str, message: str) -> None:
        """Add a failure."""
        self.failures.append(Failure(failure_id, subject, message))


def verify(path: Path) -> VerifyReport:
    """Check a version of an audience or of the marts against its own manifest.

    Needs only the folder, wherever it was copied to. What it proves: the files are those that were written, all of
    them and nothing else, with these rows and columns; added and removed fit the members; every gate passed. It
    opens no connection and trusts no path that a manifest names.

    Args:
        path: the version's folder, a link to it, or the `latest.json` of an audience.

    Raises:
        RequestError: there is no such folder.
    """
    folder = _folder_of(path)
    report = VerifyReport(folder)
    content = _read_manifest(folder, report)
    if content is None or _has_unsafe_paths(content, report):
        return report
    manifest = _parse(content, report)
    if manifest is None:
        return report
    report.kind, report.version, report.as_of = manifest.kind, manifest.version, manifest.as_of.isoformat()
    if manifest.computed_version() != expected_version(manifest):
        report.fail("wrong_version", MANIFEST_NAME, "the version is not that of the manifest's content")
    if VERSION_PATTERN.fullmatch(folder.name) and folder.name != manifest.version:
        report.fail("wrong_version", folder.name, f"the manifest is that of version {manifest.version}")
    if manifest.erasure:
        erased = manifest.erasure
        report.notes.append(
            f"{sum(erased.rows.values())} rows were erased since it was published, of {len(erased.erasures)} people"
        )
    with files.workbench() as connection:
        if isinstance(manifest, MartsManifest):
            _verify_marts(connection, folder, manifest, report)
        else:
            _verify_audience(connection, folder, manifest, report)
    return report


def _folder_of(path: Path) -> Path:
    if path.is_file() and path.name == "latest.json":
        try:
            named = json.loads(path.read_text(encoding="utf-8"))["path"]
        except (ValueError, KeyError, TypeError) as error:
            raise RequestError("the pointer cannot be read", where=str(path)) from error
        parts = Path(str(named)).parts
        if len(parts) != 2 or ".." in parts or Path(str(named)).is_absolute():
            raise RequestError("the pointer names a path that is none of a version", where=str(path))
        path = path.parent / str(named)
    if not path.is_dir():
        raise RequestError(
            "there is no version to verify",
            where=str(path),
            remedy=_NAME_A_VERSION,
        )
    folder = path.resolve()
    # A version whose manifest was lost still has its name or its files: that is a fault, and found below.
    if not (folder / MANIFEST_NAME).exists() and not VERSION_PATTERN.fullmatch(folder.name) and not _has_files(folder):
        raise RequestError("this folder is no version", where=str(path), remedy=_NAME_A_VERSION)
    return folder


def _has_files(folder: Path) -> bool:
    return (folder / layout.MARTS_DATABASE).exists() or any((folder / name).exists() for name in _AUDIENCE_FILES)


def _read_manifest(folder: Path, report: VerifyReport) -> dict[str, Any] | None:
    file = folder / MANIFEST_NAME
    if file.is_symlink():
        report.fail("symlink", MANIFEST_NAME, "a version holds no links")
        return None
    if not file.is_file():
        report.fail("manifest_missing", MANIFEST_NAME, "the folder has no manifest")
        return None
    if file.stat().st_size > _LARGEST_MANIFEST:
        report.fail("manifest_invalid", MANIFEST_NAME, "it is larger than any manifest")
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        report.fail("manifest_invalid", MANIFEST_NAME, f"it is no JSON: {error}")
        return None
    if not isinstance(content, dict):
        report.fail("manifest_invalid", MANIFEST_NAME, "it is no JSON object")
        return None
    return content


def _has_unsafe_paths(content: Mapping[str, Any], report: VerifyReport) -> bool:
    """Whether the manifest names anything but plain files of its folder and parts in their place."""
    names = [name for key in ("files", "tables") for name in _keys(content.get(key))]
    unsafe = [name for name in names if not FILE_NAME_PATTERN.fullmatch(name)]
    marts = content.get("partitioned")
    for mart, entry in marts.items() if isinstance(marts, dict) else ():
        parts = entry.get("parts") if isinstance(entry, dict) else None
        for part in parts if isinstance(parts, list) else ():
            path = part.get("path") if isinstance(part, dict) else None
            found = PART_PATH_PATTERN.fullmatch(path) if isinstance(path, str) else None
            if found is None or found[1] != mart:
                unsafe.append(str(path))
    for name in unsafe:
        report.fail("unsafe_path", name[:200], "a manifest names plain files of its own folder only")
    return bool(unsafe)


def _parse(content: Mapping[str, Any], report: VerifyReport) -> MartsManifest | AudienceManifest | None:
    if content.get("schema_version") != 1 or content.get("kind") not in ("marts", "audience"):
        found = f"{content.get('kind')!r} {content.get('schema_version')!r}"
        report.fail("unknown_schema", MANIFEST_NAME, f"this program does not know manifests of the kind {found}")
        return None
    model = MartsManifest if content["kind"] == "marts" else AudienceManifest
    try:
        return model.model_validate_json(json.dumps(content))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        report.fail("manifest_invalid", place or MANIFEST_NAME, first["msg"])
        return None


def _verify_marts(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: MartsManifest, report: VerifyReport
) -> None:
    entries = {f"{name}.parquet": entry for name, entry in manifest.tables.items()}
    others = (layout.MARTS_DATABASE, layout.OPEN_SCRIPT)
    present = _verify_presence(folder, [*entries, *others], report)
    for name in entries.keys() & present:
        _verify_file(connection, folder / name, name, entries[name], report)
    if layout.MARTS_DATABASE in present:
        _verify_database(connection, folder / layout.MARTS_DATABASE, manifest, report)
    _verify_script(folder, manifest, present, report)
    _verify_parts(connection, folder, manifest, report)
    _verify_gates(manifest.gates, ("marts",), report)


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
            relation = connection.sql(f"select * from verified.main.{files.identifier(name)}")
            _compare(f"{file.name}:{name}", relation, entry.rows, entry.columns, report)
    except Exception as error:
        report.fail("unreadable_file", file.name, _first_line(error))


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
            _verify_file(connection, file, part.path, entry, report)


def _verify_audience(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: AudienceManifest, report: VerifyReport
) -> None:
    promised = _AUDIENCE_FILES | ({"canonical.csv"} if "canonical" in manifest.destinations else set())
    # Versions of before holdouts have no such file.
    promised |= {HOLDOUT_FILE} if manifest.content_sha256 else set()
    promised |= LIST_FILES if manifest.trigger else set()
    for name in sorted(promised - manifest.files.keys()):
        report.fail("missing_file", name, "the manifest does not name a file that every version has")
    verify_promises(manifest, report)
    present = _verify_presence(folder, list(manifest.files), report)
    delivered = delivered_files(manifest)
    before = len(report.failures)
    for name in sorted(present):
        _verify_file(connection, folder / name, name, manifest.files[name], report, delivered.get(name))
    for name in sorted((LIST_FILES - promised) & present):
        report.fail("unexpected_file", name, "the manifest says nothing of a list")
    is_whole = len(report.failures) == before and present >= promised | set(delivered)
    if is_whole:
        _verify_people(connection, folder, manifest, report)
        verify_deliveries(connection, folder, manifest, report)
        if manifest.content_sha256:
            _verify_holdout(connection, folder, manifest, report)
    _verify_gates(manifest.gates, GATE_STAGES, report)
    if (folder.parent.parent / "withdrawn" / manifest.version / "withdrawal.json").is_file():
        report.fail("withdrawn", manifest.version, "this version was withdrawn and must not be used")
    report.notes.append(f"the files may be used until {manifest.expires_on}")


def _verify_people(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: AudienceManifest, report: VerifyReport
) -> None:
    counts = manifest.counts
    lists_of_keys = [name for name in manifest.files if name not in delivered_files(manifest) and name != CONTACTED]
    people = {name: _people(connection, folder / name) for name in lists_of_keys}
    keys = people["members.parquet"]
    for failure_id, message in list_problems(connection, folder, manifest, set(keys)):
        report.fail(failure_id, "triggers.parquet", message)
    members, added, removed = set(keys), set(people["added.parquet"]), set(people["removed.parquet"])
    if len(members) != len(keys):
        report.fail("duplicate_members", "members.parquet", "somebody is in it more than once")
    if keys != sorted(keys):
        report.fail("not_sorted", "members.parquet", "it is not in the order of customer keys")
    lists = {"added": people["added.parquet"], "removed": people["removed.parquet"]}
    if "canonical" in manifest.destinations:
        lists["canonical"] = keys
    for name, expected in lists.items():
        if people[f"{name}.csv"] != expected:
            report.fail("csv_differs", f"{name}.csv", "it does not name the people of the Parquet file")
    if not added <= members:
        report.fail("added_inconsistent", "added.parquet", "somebody was added who is not a member")
    if removed & members:
        report.fail("removed_inconsistent", "removed.parquet", "somebody was removed who is a member")
    if manifest.previous is None and (removed or added != members):
        report.fail("added_inconsistent", "added.parquet", "the first version adds all its members, removes nobody")
    found = (len(keys), len(people["added.parquet"]), len(people["removed.parquet"]))
    if found != (counts.members, counts.added, counts.removed):
        report.fail("counts_inconsistent", MANIFEST_NAME, f"its counts are not those of the files: {found}")
    if counts.previous_members + counts.added - counts.removed != counts.members:
        report.fail("counts_inconsistent", MANIFEST_NAME, "previous + added − removed is not the number of members")
    if (manifest.status == "empty") != (counts.members == 0):
        report.fail("counts_inconsistent", MANIFEST_NAME, f"the status {manifest.status!r} does not fit the members")


def _verify_holdout(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: AudienceManifest, report: VerifyReport
) -> None:
    held_out = _people(connection, folder / HOLDOUT_FILE)
    if set(held_out) & set(_people(connection, folder / "members.parquet")):
        report.fail("holdout_addressed", HOLDOUT_FILE, "somebody of the holdout is a member")
    if len(held_out) != manifest.held_back.get(HOLDOUT, 0):
        report.fail("counts_inconsistent", HOLDOUT_FILE, "its people are not as many as the manifest says")


def _people(connection: duckdb.DuckDBPyConnection, file: Path) -> list[str]:
    return [str(row[0]) for row in files.read_file(connection, file).select("customer_key").fetchall()]


def _verify_presence(folder: Path, expected: Iterable[str], report: VerifyReport) -> set[str]:
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


def _verify_file(
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
        _compare(name, files.read_file(connection, file), entry.rows, entry.columns, report)
    except (duckdb.Error, UnicodeDecodeError) as error:
        report.fail("unreadable_file", name, _first_line(error))


def _first_line(error: Exception) -> str:
    """What happened; the engine's hints on its own options help nobody who verifies."""
    return str(error).partition("\n")[0]


def _compare(
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


def _verify_gates(gates: tuple[GateRecord, ...], stages: Iterable[str], report: VerifyReport) -> None:
    for stage in stages:
        if not any(gate.stage == stage for gate in gates):
            report.fail("gate_missing", stage, f"no verdict of the gate {stage!r} is recorded")
    for gate in gates:
        if gate.verdict == "failed":
            report.fail("gate_failed", f"{gate.stage}.{gate.object}", "a gate that failed stops a publication")


def _keys(value: Any) -> list[str]:
    return [str(key) for key in value] if isinstance(value, dict) else []
