"""Refused files: `raw/rejected/<batch_id>/` keeps the original and says why it was refused."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from renqun.errors import RequestError
from renqun.ingest import places
from renqun.ingest.ledger import BatchRecord, incoming_batches, incoming_parquet, write_record
from renqun.lock import exclusive
from renqun.settings import Group, Home, Settings, Shop, ShopPaths
from renqun.storage import sha256_of, staging_folder, sweep_staging

RECORD_NAME = "batch.json"


def reject_batches(home: Home, shop: Shop, group: Group, batch_ids: Collection[str], because: str) -> list[BatchRecord]:
    """Move incoming batches that a gate refused to `raw/rejected/`, each with its original file.

    The original stays in the drop folder as well: it is read again at the next run, unless it was replaced.

    Args:
        home: the home.
        shop: the shop.
        group: the group that the batches were received for.
        batch_ids: the batches to refuse.
        because: the reason, in a sentence without personal data.

    Raises:
        RequestError: one of them is not incoming.
    """
    paths = home.paths(shop.id)
    with ingesting(paths, f"reject {group} of {shop.id}"):
        waiting = {record.batch_id: record for record in incoming_batches(paths, group)}
        if absent := sorted(set(batch_ids) - waiting.keys()):
            raise RequestError(
                f"not among the incoming batches: {', '.join(absent)}",
                remedy="'renqun batches list' shows what became of them",
            )
        refused = []
        for batch_id in sorted(set(batch_ids)):
            record = waiting[batch_id].with_verdict("rejected", because)
            original = places.landing_of(paths, group) / str(record.ds) / record.file_name
            keep_refused(paths, record, original, fallback=incoming_parquet(paths, record))
            discard_incoming(paths, batch_id)
            refused.append(record)
        return refused


@contextmanager
def ingesting(paths: ShopPaths, purpose: str) -> Iterator[None]:
    """Hold the shop's ingest lock, and sweep away what killed holders left half-written."""
    with exclusive(places.ingest_lock(paths), purpose, timeout_seconds=Settings().lock_timeout_seconds):
        for left in places.incoming(paths).glob(".*.tmp"):
            left.unlink(missing_ok=True)
        for parquet in places.batch_files(places.incoming(paths), "*.parquet"):
            if not parquet.with_suffix(".json").exists():
                parquet.unlink()
        sweep_staging(places.rejected(paths))
        yield


def keep_refused(paths: ShopPaths, record: BatchRecord, original: Path, *, fallback: Path | None = None) -> None:
    """Keep a refused file and the reason, in one step; what was kept of the same bytes before is replaced.

    Args:
        paths: the shop's folders.
        record: the ledger entry, with the reason.
        original: the file in the drop folder.
        fallback: kept in place of the original where that was changed or removed in the meantime.
    """
    target = places.rejected(paths) / record.batch_id
    is_original = original.is_file() and sha256_of(original) == record.sha256
    kept = original if is_original or fallback is None else fallback
    with staging_folder(target) as staging:
        if kept.is_file():
            name = kept.name if kept.name != RECORD_NAME else f"original-{RECORD_NAME}"
            shutil.copyfile(kept, staging / name)
        write_record(staging / RECORD_NAME, record)
        forget_refusal(paths, record.batch_id)


def forget_refusal(paths: ShopPaths, batch_id: str) -> None:
    """Remove what was kept of a refused file."""
    shutil.rmtree(places.rejected(paths) / batch_id, ignore_errors=True)


def discard_incoming(paths: ShopPaths, batch_id: str) -> None:
    """Take a batch out of `raw/incoming/`: its Parquet first, since that is what makes it a batch."""
    folder = places.incoming(paths)
    (folder / f"{batch_id}.parquet").unlink(missing_ok=True)
    (folder / f"{batch_id}.json").unlink(missing_ok=True)
