"""Raw without a person: batches are written anew without their rows, and files that hold them leave the drop folder.

That accepted raw is never rewritten has this one exception. What a batch lost is counted in its ledger entry.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from renqun.erase.search import Words
from renqun.erase.tally import Tallies
from renqun.ingest import places
from renqun.ingest.engine import Workbench, workbench
from renqun.ingest.ledger import (
    BatchRecord,
    accepted_files,
    batch_id_of,
    incoming_batches,
    read_record,
    withdrawn_files,
    write_record,
)
from renqun.ingest.load import count_rows, flush, without_rows
from renqun.ingest.refusals import discard_incoming
from renqun.persons.identifiers import Identifiers, columns_of, matcher_of
from renqun.persons.tombstones import ERASED_REASON, load_tombstones
from renqun.settings import ShopPaths
from renqun.sql_text import literal
from renqun.storage import sha256_of


def erase_from_raw(paths: ShopPaths, person: Identifiers, tallies: Tallies) -> list[BatchRecord]:
    """Write every batch anew that has a row of the person; the caller holds the writer's and the ingest lock.

    A batch that no gate has seen yet is given up: its file still lies in the drop folder, and is read again, without
    the person, by the next run.

    Returns:
        The ledger entries of accepted and withdrawn batches that lost rows, now or by an earlier, killed call.
    """
    with workbench() as bench:
        for record in incoming_batches(paths):
            discard_incoming(paths, record.batch_id)
        changed = [
            lost
            for parquet in (*accepted_files(paths).values(), *withdrawn_files(paths).values())
            if (lost := _erase_from_batch(bench, parquet, person, tallies)) is not None
        ]
    return changed


def erase_refused(paths: ShopPaths, words: Words, tallies: Tallies) -> None:
    """Remove refused files that name the person; the reason of the refusal stays."""
    for file in sorted(places.rejected(paths).glob("*/*")):
        if file.name != "batch.json" and file.is_file():
            found = words.count_in(file)
            tallies.note("raw/rejected", searched=1, found=found, files=bool(found))
            if found:
                file.unlink()


def erase_landing(paths: ShopPaths, words: Words, tallies: Tallies) -> list[str]:
    """Remove files from the drop folder that hold rows of erased people and were taken in: raw has all their others.

    Returns:
        Places of files that name the person and were not taken in yet. Removing them would lose what others did.
    """
    lost = batches_that_lost_rows(paths)
    waiting = []
    for file in sorted(path for path in paths.landing.rglob("*") if path.is_file()):
        batch_id = batch_id_of(sha256_of(file))
        found = words.count_in(file)
        if batch_id in lost:
            file.unlink()
            tallies.note("landing", searched=1, found=max(found, 1), files=1)
        else:
            tallies.note("landing", searched=1, found=found, removed=0)
            if found:
                waiting.append(file.relative_to(paths.root).as_posix())
    return waiting


def batches_that_lost_rows(paths: ShopPaths) -> set[str]:
    """Batches whose file holds rows of somebody who was erased."""
    if load_tombstones(paths) is None:
        return set()
    parquets = {**accepted_files(paths), **withdrawn_files(paths)}
    return {
        batch_id
        for batch_id, parquet in parquets.items()
        if ERASED_REASON in read_record(parquet.with_suffix(".json")).rows_left_out
    }


def _erase_from_batch(bench: Workbench, parquet: Path, person: Identifiers, tallies: Tallies) -> BatchRecord | None:
    place = "raw/withdrawn" if "withdrawn" in parquet.parts else "raw"
    source = f"read_parquet({literal(str(parquet))}, hive_partitioning = false)"
    condition = matcher_of(bench.connection, person).rows(columns_of(bench.connection.sql(f"from {source}")))
    found = 0
    if condition is not None:
        rows = bench.connection.execute(f"select count(*) from {source} where {condition}").fetchall()
        found = int(rows[0][0])
    if condition is not None and found:
        staged = parquet.with_name(f".{parquet.name}.{uuid.uuid4().hex}.tmp")
        without_rows(bench, source, condition, staged)
        flush(staged)
        staged.replace(parquet)
    tallies.note(place, searched=1, found=found, files=bool(found))
    return _count_anew(bench, parquet)


def _count_anew(bench: Workbench, parquet: Path) -> BatchRecord | None:
    """Let the ledger entry tell what the file holds; what a killed call removed is counted by the next."""
    entry = parquet.with_suffix(".json")
    record = read_record(entry)
    counts = count_rows(bench, parquet)
    gone = record.rows_read - counts.rows_read
    if gone > 0:
        left_out = record.rows_left_out
        record = record.model_copy(
            update={
                "rows_read": counts.rows_read,
                "rows_quarantined": counts.rows_quarantined,
                "quarantine_reasons": counts.quarantine_reasons,
                "rows_left_out": {**left_out, ERASED_REASON: left_out.get(ERASED_REASON, 0) + gone},
            }
        )
        write_record(entry, record)
    return record if gone > 0 or ERASED_REASON in record.rows_left_out else None
