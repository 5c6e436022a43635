"""The files of destinations that get identifiers of people: full lists within their limits, changes, names."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from renqun.publish import files
from renqun.publish.choosing import RECIPIENTS
from renqun.publish.contact_plan import CONTACTED
from renqun.publish.definitions import Audience
from renqun.publish.destinations import DESTINATIONS, Destination, is_contact
from renqun.publish.destinations.writing import Written, addressees, read_rows, write_delta, write_full
from renqun.publish.history import AudienceVersion, sound_file
from renqun.publish.manifest import Delivery, FileEntry
from renqun.publish.recipients import Reach, has_files_of_people, is_for, shown_to
from renqun.storage import sha256_of

Relation = duckdb.DuckDBPyRelation

_ROWS = "delivered_rows"


def deliver(
    connection: duckdb.DuckDBPyConnection,
    audience: Audience,
    as_of: date,
    work: Path,
    staging: Path,
    *,
    members: int,
    reach: Mapping[str, Reach],
    previous: AudienceVersion | None,
    is_after_recall: bool = False,
) -> tuple[dict[str, Delivery], dict[str, FileEntry]]:
    """Write what every destination gets, and who gets a message of their own.

    A destination that would refuse so few or so many people gets no list, and the manifest says why. Where the version
    before gave it one, it gets a list of all of them to remove, because nobody else would.

    Args:
        connection: the workbench.
        audience: the definition.
        as_of: the business date.
        work: the folder with the recipients.
        staging: where the files go.
        members: how many there are.
        reach: by destination, for whom the files are meant.
        previous: the version that changes lead on from.
        is_after_recall: a version that led on from `previous` was withdrawn: what it took out of a destination nobody
            gave back, so that the append file holds the whole list.

    Returns:
        What the manifest says of every destination, and of every file.
    """
    destinations = has_files_of_people(audience)
    deliveries: dict[str, Delivery] = {}
    entries: dict[str, FileEntry] = {}
    with private_files():
        for to, left in _left_destinations(audience, previous):
            deliveries[to.id], of_files = _leave(connection, to, staging, left, previous, members)
            entries |= of_files
    if not destinations:
        return deliveries, entries
    people = files.read_parquet(connection, work / RECIPIENTS)
    with private_files():
        for to in destinations:
            meant = people.filter(is_for(to))
            addressees(shown_to(meant, to), to).create_view("delivered_now", replace=True)
            connection.execute(f"create or replace temp table {_ROWS} as from delivered_now")
            connection.execute("drop view delivered_now")
            deliveries[to.id], of_files = _deliver_one(
                connection, to, staging, name_at(to, audience, as_of), reach[to.id], previous, is_after_recall
            )
            entries |= of_files
        connection.execute(f"drop table {_ROWS}")
        _write_contacted(people, destinations, deliveries, staging)
    return deliveries, entries


def neutral_name(audience: Audience, as_of: date) -> str:
    """A name that says nothing of the people: `seg_<digits>_<year>W<week>`, the same all through a week."""
    number = int(hashlib.sha256(audience.id.encode()).hexdigest()[:8], 16) % 1_000_000
    year, week, _ = as_of.isocalendar()
    return f"seg_{number:06}_{year}W{week:02}"


def name_at(to: Destination, audience: Audience, as_of: date) -> str:
    """What the audience is called at a destination: neutral where names are screened, or ours does not fit."""
    own = f"{audience.id}_{as_of:%Y%m%d}"
    fits = to.name_limit is None or to.name_limit.allows(own)
    return own if fits and not to.screens_names else neutral_name(audience, as_of)


def rows_before(
    connection: duckdb.DuckDBPyConnection, version: AudienceVersion | None, to: Destination
) -> Relation | None:
    """The rows that a published version gave to a destination; None where it gave none.

    Raises:
        TechnicalError: a file of that version was changed or is gone.
    """
    delivery = version.manifest.deliveries.get(to.id) if version else None
    if version is None or delivery is None or not delivery.full:
        return None
    return read_rows(connection, to, [sound_file(version, name) for name in delivery.full])


@contextmanager
def private_files() -> Iterator[None]:
    """Files that are made inside the block can be read by their owner only."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def entry_of(connection: duckdb.DuckDBPyConnection, to: Destination, file: Path) -> FileEntry:
    """What the manifest says of a destination's file, as it reads back from the disk."""
    return FileEntry(
        sha256=sha256_of(file),
        bytes=file.stat().st_size,
        rows=files.rows_of(read_rows(connection, to, [file])),
        columns=tuple((header, "VARCHAR") for header, _ in to.columns),
    )


def _deliver_one(
    connection: duckdb.DuckDBPyConnection,
    to: Destination,
    staging: Path,
    name: str,
    reach: Reach,
    previous: AudienceVersion | None,
    is_after_recall: bool,
) -> tuple[Delivery, dict[str, FileEntry]]:
    rows = connection.table(_ROWS)
    full = write_full(rows, to, staging)
    before = rows_before(connection, previous, to)
    append, reduce = Written(0, ()), Written(0, ())
    if before is not None:
        standing = rows.limit(0) if full.refused else rows
        gone = before.except_(standing)
        if to.has_deltas or full.refused:
            reduce = write_changes(gone, to, staging, "reduce")
        if to.has_deltas and not full.refused:
            append = write_changes(rows if is_after_recall else rows.except_(before), to, staging, "append")
    entries = {file.name: entry_of(connection, to, file) for file in (*full.files, *append.files, *reduce.files)}
    files.require_equal(
        sum(entries[file.name].rows for file in full.files),
        0 if full.refused else full.rows,
        what=f"rows for {to.id}",
        where=list(full.files) or [staging],
    )
    return Delivery(
        name=name,
        people=reach.people,
        held_back=reach.held_back,
        rows=full.rows,
        refused=full.refused,
        full=tuple(file.name for file in full.files),
        append=tuple(file.name for file in append.files),
        reduce=tuple(file.name for file in reduce.files),
        appended=append.rows,
        reduced=reduce.rows,
        note=to.note,
    ), entries


def _left_destinations(audience: Audience, previous: AudienceVersion | None) -> Iterator[tuple[Destination, Delivery]]:
    """Destinations that the version before gave a list, and to which the audience does not go any more."""
    for to, delivery in destinations_of(previous.manifest.deliveries if previous else {}):
        if to.id not in audience.destinations and delivery.full:
            yield to, delivery


def _leave(
    connection: duckdb.DuckDBPyConnection,
    to: Destination,
    staging: Path,
    left: Delivery,
    previous: AudienceVersion | None,
    members: int,
) -> tuple[Delivery, dict[str, FileEntry]]:
    """Take the whole list back from a destination."""
    before = rows_before(connection, previous, to)
    reduce = Written(0, ()) if before is None else write_changes(before, to, staging, "reduce")
    entries = {file.name: entry_of(connection, to, file) for file in reduce.files}
    return Delivery(
        name=left.name,
        people=0,
        held_back={"destination_left": members} if members else {},
        rows=0,
        refused="the audience does not go there any more",
        full=(),
        append=(),
        reduce=tuple(entries),
        appended=0,
        reduced=reduce.rows,
        note=to.note,
    ), entries


def write_changes(rows: Relation, to: Destination, staging: Path, name: str) -> Written:
    """Write who is added or removed, in order; no file where nobody is."""
    order = ", ".join(f"{column} nulls first" for column in rows.columns)
    ordered = rows.order(order)
    return write_delta(ordered, to, staging, name) if files.rows_of(ordered) else Written(0, ())


def _write_contacted(
    people: Relation, destinations: tuple[Destination, ...], deliveries: Mapping[str, Delivery], staging: Path
) -> None:
    written = [to for to in destinations if is_contact(to) and deliveries[to.id].full]
    if not any(is_contact(to) for to in destinations):
        return
    lists = [people.filter(is_for(to)).select(f"customer_key, '{to.id}' as destination") for to in written]
    contacted = lists[0] if lists else people.select("customer_key, '' as destination").limit(0)
    for one in lists[1:]:
        contacted = contacted.union(one)
    files.write_parquet(contacted.order("customer_key, destination"), staging / CONTACTED)


def destinations_of(deliveries: Mapping[str, Delivery]) -> Iterator[tuple[Destination, Delivery]]:
    """The destinations that a manifest speaks of, as far as they are known here."""
    for name, delivery in deliveries.items():
        if name in DESTINATIONS:
            yield DESTINATIONS[name], delivery
