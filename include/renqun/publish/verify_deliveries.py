"""Prove what a version gave to its destinations: from the files alone, as each destination reads them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import duckdb

from renqun.publish import files
from renqun.publish.contact_plan import CONTACTED
from renqun.publish.destinations import DESTINATIONS, Destination, is_contact
from renqun.publish.destinations.writing import read_rows
from renqun.publish.manifest import AudienceManifest, Delivery
from renqun.publish.verify_report import VerifyReport

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
    """What can be seen without a file: every delivery names its own files, and its counts fit the members."""
    if manifest.content_sha256:
        for name in manifest.destinations:
            if name in DESTINATIONS and DESTINATIONS[name].channel != "none" and name not in manifest.deliveries:
                report.fail("delivery_inconsistent", f"deliveries.{name}", "the manifest does not say what it got")
    owners: dict[str, str] = {}
    for destination_id, delivery in manifest.deliveries.items():
        subject = f"deliveries.{destination_id}"
        if destination_id not in DESTINATIONS:
            report.fail("delivery_inconsistent", subject, "this program does not know the destination")
        for name in (*delivery.full, *delivery.append, *delivery.reduce):
            if name not in manifest.files:
                report.fail("missing_file", name, "a delivery names a file that the version does not have")
            if not name.startswith((f"{destination_id}.", f"{destination_id}_")):
                report.fail("delivery_inconsistent", subject, f"the file {name} is not called by its destination")
            if name in owners:
                report.fail("delivery_inconsistent", subject, f"the file {name} is given to {owners[name]} already")
            owners[name] = destination_id
        _verify_counts(manifest, destination_id, delivery, report)
        _verify_name(manifest, destination_id, delivery, report)


def _verify_counts(manifest: AudienceManifest, destination_id: str, delivery: Delivery, report: VerifyReport) -> None:
    subject = f"deliveries.{destination_id}"
    if delivery.full and destination_id not in manifest.destinations:
        report.fail("delivery_inconsistent", subject, "the audience has no such destination")
    if bool(delivery.full) == bool(delivery.refused):
        report.fail("delivery_inconsistent", subject, "there is either a list or a reason why there is none")
    if delivery.append and not delivery.full:
        report.fail("delivery_inconsistent", subject, "somebody is added to a list that there is not")
    # Nobody remembers for what reason an erased member was held back: these causes count them still.
    told = delivery.people + sum(delivery.held_back.values()) - manifest.counts.members
    if not 0 <= told <= erased_rows(manifest, "members.parquet"):
        report.fail("counts_inconsistent", subject, "people and held back do not add up to the members")
    if delivery.rows > delivery.people:
        report.fail("counts_inconsistent", subject, "there are more rows than people")


def _verify_name(manifest: AudienceManifest, destination_id: str, delivery: Delivery, report: VerifyReport) -> None:
    to = DESTINATIONS.get(destination_id)
    if to is None:
        return
    subject = f"deliveries.{to.id}"
    if to.name_limit is not None and not to.name_limit.allows(delivery.name):
        report.fail("delivery_inconsistent", subject, "the destination takes no name of this length")
    if to.screens_names and manifest.audience_id in delivery.name:
        report.fail("delivery_inconsistent", subject, "the destination looks at names, and this one is not neutral")
    if manifest.purpose_kind == "exclusion" and is_contact(to):
        report.fail("delivery_inconsistent", subject, "an exclusion list addresses nobody, this destination does")


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
    written = {name for name, one in manifest.deliveries.items() if one.full and is_contact(DESTINATIONS[name])}
    if CONTACTED in manifest.files:
        _verify_contacted(connection, folder, manifest, written, report)
    elif written:
        report.fail("missing_file", CONTACTED, "people are written to, and the version does not say who")


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
        _verify_keys(connection, folder, to, delivery, report)
        _verify_limits(folder, to, (*delivery.full, *delivery.append, *delivery.reduce), manifest, report)
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


def _verify_limits(
    folder: Path, to: Destination, names: tuple[str, ...], manifest: AudienceManifest, report: VerifyReport
) -> None:
    for name in names:
        if to.rows_per_file is not None and manifest.files[name].rows > to.rows_per_file:
            report.fail("delivery_inconsistent", name, f"the destination takes {to.rows_per_file:,} rows a file")
        if to.bytes_per_file is not None and (folder / name).stat().st_size > to.bytes_per_file:
            report.fail("delivery_inconsistent", name, f"the destination takes {to.bytes_per_file:,} bytes a file")


def _verify_contacted(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    manifest: AudienceManifest,
    written: set[str],
    report: VerifyReport,
) -> None:
    contacted = files.read_parquet(connection, folder / CONTACTED)
    members = files.read_parquet(connection, folder / "members.parquet")
    if files.rows_of(contacted.select("customer_key").distinct().except_(members.select("customer_key"))):
        report.fail("delivery_inconsistent", CONTACTED, "somebody is written to who is no member")
    if files.rows_of(contacted.distinct()) != files.rows_of(contacted):
        report.fail("duplicate_members", CONTACTED, "somebody is in it more than once for a destination")
    counted = dict(contacted.aggregate("destination, count(*)", "destination").fetchall())
    for destination_id in sorted(written | counted.keys()):
        delivery = manifest.deliveries.get(destination_id)
        people = delivery.people if delivery and destination_id in written else 0
        if counted.get(destination_id, 0) != people:
            report.fail("counts_inconsistent", CONTACTED, f"the people of {destination_id} are not those of its list")


def _verify_keys(
    connection: duckdb.DuckDBPyConnection, folder: Path, to: Destination, delivery: Delivery, report: VerifyReport
) -> None:
    """Of a destination that gets customer keys beside contacts: nobody is in its list who is no member."""
    places = [number for number, (_, sql) in enumerate(to.columns) if sql == "customer_key"]
    for number in places:
        listed = read_rows(connection, to, [folder / name for name in delivery.full]).select(f"c{number}")
        members = files.read_parquet(connection, folder / "members.parquet").select("customer_key")
        if files.rows_of(listed.except_(members)):
            report.fail("delivery_inconsistent", f"deliveries.{to.id}", "somebody is in its list who is no member")


def _header(file: Path) -> str:
    with file.open(encoding="utf-8", newline="") as stream:
        return stream.readline().rstrip("\n").replace('"', "")
