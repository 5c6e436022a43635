"""Prove what a version gave to its destinations: from the files alone, as each destination reads them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from renqun.publish import files
from renqun.publish.contact_plan import CONTACTED
from renqun.publish.destinations import DESTINATIONS, Destination
from renqun.publish.destinations.writing import read_rows
from renqun.publish.manifest import AudienceManifest, Delivery

if TYPE_CHECKING:
    from renqun.publish.verify import VerifyReport

UNREADABLE = (duckdb.Error, UnicodeDecodeError, zipfile.BadZipFile, ValueError, OSError)


def delivered_files(manifest: AudienceManifest) -> dict[str, Destination]:
    """The destination of every file that a manifest says it delivers; those of unknown destinations are left out."""
    return {
        name: DESTINATIONS[destination_id]
        for destination_id, delivery in manifest.deliveries.items()
        for name in (*delivery.full, *delivery.append, *delivery.reduce)
        if destination_id in DESTINATIONS
    }


def verify_promises(manifest: AudienceManifest, report: VerifyReport) -> None:
    """What can be seen without a file: every delivery names its files, and its counts fit the members."""
    for destination_id, delivery in manifest.deliveries.items():
        subject = f"deliveries.{destination_id}"
        if delivery.full and destination_id not in manifest.destinations:
            report.fail("delivery_inconsistent", subject, "the audience has no such destination")
        for name in (*delivery.full, *delivery.append, *delivery.reduce):
            if name not in manifest.files:
                report.fail("missing_file", name, "a delivery names a file that the version does not have")
        if bool(delivery.full) == bool(delivery.refused):
            report.fail("delivery_inconsistent", subject, "there is either a list or a reason why there is none")
        # Nobody remembers for what reason an erased member was held back: these causes count them still.
        told = delivery.people + sum(delivery.held_back.values()) - manifest.counts.members
        if not 0 <= told <= erased_rows(manifest, "members.parquet"):
            report.fail("counts_inconsistent", subject, "people and held back do not add up to the members")
        if delivery.rows > delivery.people:
            report.fail("counts_inconsistent", subject, "there are more rows than people")


def erased_rows(manifest: AudienceManifest, *names: str) -> int:
    """How many rows of these files were erased since they were published."""
    return sum(manifest.erasure.rows.get(name, 0) for name in names) if manifest.erasure else 0


def verify_rows(
    connection: duckdb.DuckDBPyConnection, folder: Path, name: str, to: Destination, rows: int, report: VerifyReport
) -> None:
    """One file reads as its destination's documentation says, and holds as many rows as the manifest says."""
    try:
        found = files.rows_of(read_rows(connection, to, [folder / name]))
        if found != rows:
            report.fail("wrong_rows", name, f"it has {found} rows, not {rows}")
        if to.kind == "csv" and _header(folder / name) != ",".join(header for header, _ in to.columns):
            report.fail("wrong_columns", name, "its header is not that of the destination")
    except UNREADABLE:
        # The engine's message may quote a line of the file: it is not repeated.
        report.fail("unreadable_file", name, "it cannot be read as a file of its destination")


def verify_deliveries(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: AudienceManifest, report: VerifyReport
) -> None:
    """Lists and changes of every destination fit each other and the manifest; all files are there and readable."""
    for destination_id, delivery in manifest.deliveries.items():
        if destination_id in DESTINATIONS:
            _verify_delivery(connection, folder, DESTINATIONS[destination_id], delivery, manifest, report)
    if CONTACTED in manifest.files:
        _verify_contacted(connection, folder, manifest, report)


def _verify_delivery(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    to: Destination,
    delivery: Delivery,
    manifest: AudienceManifest,
    report: VerifyReport,
) -> None:
    subject = f"deliveries.{to.id}"
    if delivery.full:
        listed = read_rows(connection, to, [folder / name for name in delivery.full])
        count = files.rows_of(listed)
        if count != delivery.rows:
            report.fail("counts_inconsistent", subject, f"its list has {count} rows, not {delivery.rows}")
        if files.rows_of(listed.distinct()) != count:
            report.fail("duplicate_members", subject, "a row is in its list more than once")
        then = count + erased_rows(manifest, *delivery.full)
        if then < to.minimum or (to.maximum is not None and count > to.maximum):
            report.fail("delivery_inconsistent", subject, "the destination would refuse a list of this size")
    for names, expected, is_reduce in (
        (delivery.append, delivery.appended, False),
        (delivery.reduce, delivery.reduced, True),
    ):
        if not names:
            if expected:
                report.fail("counts_inconsistent", subject, f"{expected} changes are promised, and there is no file")
            continue
        changes = read_rows(connection, to, [folder / name for name in names])
        if files.rows_of(changes) != expected:
            report.fail("counts_inconsistent", subject, f"its changes are not {expected} rows")
        if manifest.previous is None:
            report.fail("delivery_inconsistent", subject, "the first version changes nothing")
        if not delivery.full:
            continue
        listed = read_rows(connection, to, [folder / name for name in delivery.full])
        if is_reduce and files.rows_of(changes.intersect(listed)):
            report.fail("removed_inconsistent", subject, "somebody is to be removed who is in the list")
        if not is_reduce and files.rows_of(changes.except_(listed)):
            report.fail("added_inconsistent", subject, "somebody is added who is not in the list")


def _verify_contacted(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: AudienceManifest, report: VerifyReport
) -> None:
    contacted = files.read_parquet(connection, folder / CONTACTED)
    members = files.read_parquet(connection, folder / "members.parquet")
    if files.rows_of(contacted.select("customer_key").distinct().except_(members.select("customer_key"))):
        report.fail("delivery_inconsistent", CONTACTED, "somebody is written to who is no member")
    counted = dict(contacted.aggregate("destination, count(*)", "destination").fetchall())
    for destination_id, people in counted.items():
        delivery = manifest.deliveries.get(destination_id)
        if delivery is None or delivery.people != people:
            report.fail("counts_inconsistent", CONTACTED, f"the people of {destination_id} are not those of its list")


def _header(file: Path) -> str:
    with file.open(encoding="utf-8", newline="") as stream:
        return stream.readline().rstrip("\n").replace('"', "")
