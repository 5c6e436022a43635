"""Prove a version of an audience: who is in it, who came and went, who is held out, and what it says of all that."""

from __future__ import annotations

from pathlib import Path

import duckdb

from renqun.publish import files
from renqun.publish.choosing import HOLDOUT
from renqun.publish.contact_plan import CONTACTED
from renqun.publish.manifest import MANIFEST_NAME, AudienceManifest
from renqun.publish.promotion import GATE_STAGES
from renqun.publish.verify_deliveries import delivered_files, verify_deliveries, verify_promises
from renqun.publish.verify_files import present_files, verify_file, verify_gates
from renqun.publish.verify_lists import LIST_FILES, list_problems
from renqun.publish.verify_report import VerifyReport

HOLDOUT_FILE = "holdout.parquet"
AUDIENCE_FILES = frozenset({"members.parquet", "added.parquet", "added.csv", "removed.parquet", "removed.csv"})
"""What every version of an audience has."""


def verify_audience(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: AudienceManifest, report: VerifyReport
) -> None:
    promised = AUDIENCE_FILES | ({"canonical.csv"} if "canonical" in manifest.destinations else set())
    # Versions of before holdouts have no such file.
    promised |= {HOLDOUT_FILE} if manifest.content_sha256 else set()
    promised |= LIST_FILES if manifest.trigger else set()
    for name in sorted(promised - manifest.files.keys()):
        report.fail("missing_file", name, "the manifest does not name a file that every version has")
    verify_promises(manifest, report)
    present = present_files(folder, list(manifest.files), report)
    delivered = delivered_files(manifest)
    before = len(report.failures)
    for name in sorted(present):
        verify_file(connection, folder / name, name, manifest.files[name], report, delivered.get(name))
    known = promised | set(delivered) | {CONTACTED}
    for name in sorted(present - known):
        report.fail("unexpected_file", name, "the manifest names it, and nothing in it says what it is for")
    is_whole = len(report.failures) == before and present >= promised | set(delivered)
    if is_whole:
        _verify_people(connection, folder, manifest, report)
        verify_deliveries(connection, folder, manifest, report)
        if manifest.content_sha256:
            _verify_holdout(connection, folder, manifest, report)
    verify_gates(manifest.gates, GATE_STAGES, report)
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
