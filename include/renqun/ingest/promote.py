"""Promoting: batches that passed the raw gate become accepted raw. And taking one out again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from renqun.errors import RequestError
from renqun.ingest import places
from renqun.ingest.catalogue import all_sources
from renqun.ingest.checks import empty_relation
from renqun.ingest.engine import Workbench, workbench
from renqun.ingest.ledger import (
    BatchRecord,
    Delivery,
    accepted_files,
    accepted_parquet,
    all_batches,
    incoming_batches,
    incoming_parquet,
    note_delivery,
    read_record,
    withdrawn_files,
    write_record,
)
from renqun.ingest.load import copy_to_parquet, flush
from renqun.ingest.refusals import discard_incoming, forget_refusal, ingesting
from renqun.lock import exclusive
from renqun.settings import Group, Home, Settings, Shop, ShopPaths
from renqun.sql_text import literal


@dataclass(frozen=True)
class PromoteReport:
    """What became accepted raw."""

    group: Group
    promoted: tuple[BatchRecord, ...]
    already_accepted: tuple[BatchRecord, ...]
    """Batches that another run had promoted in the meantime."""


def promote_batches(
    home: Home, shop: Shop, group: Group, days: Sequence[date], *, batch_ids: Collection[str] | None = None
) -> PromoteReport:
    """Move a group's incoming batches to accepted raw, under the shop's writer lock.

    May be killed at any point and called again.

    Args:
        home: the home.
        shop: the shop.
        group: the group of exports.
        days: the date folders whose batches are meant.
        batch_ids: only these batches, those that the gate has seen: another run may have received more since.

    Raises:
        ShopBusy: another process has been writing for too long.
    """
    paths = home.paths(shop.id)
    with _writing(paths, f"promote {group} of {shop.id}"):
        ensure_raw_schema(paths)
        _finish_interrupted(paths)
        accepted = accepted_files(paths)
        promoted, repeated = [], []
        for record in incoming_batches(paths, group, set(days)):
            if batch_ids is not None and record.batch_id not in batch_ids:
                continue
            if record.batch_id in accepted:
                if accepted[record.batch_id].parent.name != f"date={record.ds}":
                    note_delivery(paths, Delivery(**{name: getattr(record, name) for name in Delivery.model_fields}))
                discard_incoming(paths, record.batch_id)
                repeated.append(record.with_verdict("accepted"))
                continue
            promoted.append(_accept(paths, record))
        return PromoteReport(group, tuple(promoted), tuple(repeated))


def withdraw_batch(home: Home, shop: Shop, batch_id: str) -> BatchRecord:
    """Take an accepted batch out again; the next build forgets its rows. Withdrawing it again changes nothing.

    The same bytes are not loaded again from the drop folder either.

    Args:
        home: the home.
        shop: the shop.
        batch_id: the batch, or the beginning of its id.

    Raises:
        RequestError: no accepted batch, or more than one, begins like this.
        ShopBusy: another process has been writing for too long.
    """
    paths = home.paths(shop.id)
    with _writing(paths, f"withdraw a batch of {shop.id}"):
        _finish_interrupted(paths)
        accepted, withdrawn = accepted_files(paths), withdrawn_files(paths)
        found = [known for known in sorted({*accepted, *withdrawn}) if batch_id and known.startswith(batch_id)]
        if len(found) != 1:
            raise RequestError(
                f"{len(found) or 'no'} accepted batches begin with {batch_id!r}",
                remedy="'renqun batches list' shows the batches and their ids",
            )
        if found[0] in withdrawn:
            return read_record(withdrawn[found[0]].with_suffix(".json"))
        parquet = accepted[found[0]]
        record = read_record(parquet.with_suffix(".json")).with_verdict("withdrawn")
        target = places.withdrawn_folder(paths, record.source, record.ds) / parquet.name
        _move(parquet, target, record)
        return record


def ensure_raw_schema(paths: ShopPaths) -> None:
    """Give every source its empty, typed file, so that a source without batches is an empty relation, not an error."""
    with workbench() as bench:
        for source in all_sources():
            target = places.accepted_folder(paths, source.source, places.SCHEMA_DATE) / "schema.parquet"
            sql = empty_relation(source)
            if target.exists() and _columns(bench, f"SELECT * FROM read_parquet({literal(str(target))})") == _columns(
                bench, sql
            ):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            staged = target.with_name(f".{target.name}.tmp")
            copy_to_parquet(bench, sql, staged)
            flush(staged)
            staged.replace(target)


def find_batch(paths: ShopPaths, batch_id: str) -> BatchRecord:
    """The batch whose id begins like this, whatever became of it.

    Raises:
        RequestError: there is none, or more than one.
    """
    found = {record.batch_id: record for record in all_batches(paths) if record.batch_id.startswith(batch_id)}
    if len(found) != 1:
        raise RequestError(
            f"{len(found) or 'no'} batches begin with {batch_id!r}",
            remedy="'renqun batches list' shows the batches and their ids",
        )
    return next(iter(found.values()))


@contextmanager
def _writing(paths: ShopPaths, purpose: str) -> Iterator[None]:
    timeout = Settings().lock_timeout_seconds
    with exclusive(paths.writer_lock, purpose, timeout_seconds=timeout), ingesting(paths, purpose):
        yield


def _accept(paths: ShopPaths, record: BatchRecord) -> BatchRecord:
    accepted = record.with_verdict("accepted")
    _move(incoming_parquet(paths, record), accepted_parquet(paths, record), accepted)
    forget_refusal(paths, record.batch_id)
    return accepted


def _move(parquet: Path, target: Path, record: BatchRecord) -> None:
    """Move a batch: the new ledger entry, then the Parquet (now it is there), then the old entry away."""
    write_record(target.with_suffix(".json"), record)
    parquet.replace(target)
    parquet.with_suffix(".json").unlink(missing_ok=True)


def _finish_interrupted(paths: ShopPaths) -> None:
    """End moves that were killed in the middle: remove ledger entries whose Parquet lies elsewhere by now."""
    moved = {*accepted_files(paths), *withdrawn_files(paths)}
    for entry in places.batch_files(places.incoming(paths), "*.json"):
        if entry.stem in moved and not entry.with_suffix(".parquet").exists():
            entry.unlink()
    for source in all_sources():
        for root in (paths.raw / source.source, paths.raw / "withdrawn" / source.source):
            for _, folder in places.day_folders(root):
                for left in folder.glob(".*.tmp"):
                    left.unlink(missing_ok=True)
                for entry in places.batch_files(folder, "*.json"):
                    if not entry.with_suffix(".parquet").exists():
                        entry.unlink()


def _columns(bench: Workbench, sql: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in bench.connection.execute(f"DESCRIBE {sql}").fetchall()]
