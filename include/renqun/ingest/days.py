"""Which days are delivered: a group is there for a day once a batch of it is accepted, or the day is closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from renqun.errors import RequestError
from renqun.ingest import places
from renqun.ingest.catalogue import sources_of
from renqun.ingest.ledger import accepted_files, deliveries, incoming_batches
from renqun.ingest.receive import ReceiveReport
from renqun.settings import Group, Home, Shop, ShopPaths
from renqun.storage import write_json_atomically


def group_is_delivered(paths: ShopPaths, group: Group, day: date) -> bool:
    """Whether a group is there for a day: an accepted batch, a repetition of an accepted one, or a closed day."""
    if is_closed(paths, group, day):
        return True
    folders = [places.accepted_folder(paths, source.source, day) for source in sources_of(group)]
    if any(True for folder in folders for _ in places.batch_files(folder, "*.parquet")):
        return True
    repeated = deliveries(paths, group, day)
    return bool(repeated) and bool({entry.batch_id for entry in repeated} & accepted_files(paths, group).keys())


def missing_groups(home: Home, shop: Shop, day: date) -> list[Group]:
    """The groups that the shop expects and that a day does not have yet, in the order of `expect`."""
    paths = home.paths(shop.id)
    return [group for group in shop.expect if not group_is_delivered(paths, group, day)]


def group_is_complete(home: Home, shop: Shop, day: date) -> bool:
    """Whether a day has every group that the shop expects."""
    return not missing_groups(home, shop, day)


def close_day(home: Home, shop: Shop, group: Group, day: date) -> bool:
    """Say that a day has no file of a group. A file that comes later is loaded all the same.

    Returns:
        Whether this is news: false where the day was closed already.
    """
    paths = home.paths(shop.id)
    if is_closed(paths, group, day):
        return False
    write_json_atomically(places.closed_file(paths, group, day), {"shop": shop.id, "group": group, "ds": str(day)})
    return True


def is_closed(paths: ShopPaths, group: Group, day: date) -> bool:
    """Whether a day was said to have no file of a group."""
    return places.closed_file(paths, group, day).exists()


def require_last_day(home: Home, shop: Shop, report: ReceiveReport) -> None:
    """Stop where the last day of a call has nothing: days before it may be without files, the last one not.

    Raises:
        RequestError: the last day has neither a file nor an accepted batch, and is not closed.
    """
    paths = home.paths(shop.id)
    day = max(report.days)
    there = {batch.ds for batch in report.batches} | {repeated.ds for repeated in report.duplicates}
    if day in there or incoming_batches(paths, report.group, {day}) or group_is_delivered(paths, report.group, day):
        return
    where = f"landing/{report.group}/{day}/"
    waiting = [left for left in report.left_alone if left.where.startswith(where)]
    withdrawn = [entry for entry in report.withdrawn if entry.ds == day]
    said = ""
    if waiting:
        said = f"; left alone: {'; '.join(f'{left.where} ({left.why})' for left in waiting)}"
    elif withdrawn:
        said = f"; what lies there was withdrawn: {', '.join(entry.file_name for entry in withdrawn)}"
    raise RequestError(
        f"the shop {shop.id!r} has no file of the group {report.group!r} for {day}{said}",
        where=str(places.landing_of(paths, report.group) / str(day)),
        remedy=f"drop the export there, or say that there is none: "
        f"renqun close-day --shop {shop.id} --group {report.group} --date {day}",
    )


def days_without_batch(paths: ShopPaths, group: Group, days: Sequence[date]) -> list[date]:
    """Those of some days that a group is not there for."""
    return [day for day in days if not group_is_delivered(paths, group, day)]
