"""The ledger of batches: one JSON beside each batch's Parquet says where it came from and what became of it.

A batch is one file, named after the sha256 of its bytes. Where the *Parquet* lies decides what it is (incoming,
accepted, withdrawn); the JSON is written to the new place before the Parquet moves there, and removed from the
old place afterwards. A process killed between any two of these steps leaves a state that reads as either before
or after, and the next run ends what it began.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from renqun.errors import TechnicalError
from renqun.ingest import places
from renqun.ingest.catalogue import all_sources, sources_of
from renqun.settings import Group, ShopPaths
from renqun.storage import write_json_atomically

Verdict = Literal["incoming", "accepted", "rejected", "withdrawn"]

BATCH_ID_LENGTH = 16


class BatchRecord(BaseModel):
    """The ledger entry of one batch. It holds counts and names, never a customer's data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_id: str
    source: str
    """Empty for a file that no source describes."""
    group: Group
    ds: date
    file_name: str
    sha256: str
    size: int
    format: str
    encoding: str
    header_version: str
    """Names the header's set of columns: equal headers, equal versions, whatever their order. A version that the
    source knows has its name."""
    rows_read: int
    rows_quarantined: int
    quarantine_reasons: dict[str, int]
    """Rows by reason (`<id>:<column>`); a row with two reasons counts under both."""
    rows_left_out: dict[str, int] = Field(default_factory=dict)
    """Rows of the file that are none (roll-ups, totals), by reason: rows in the file = rows read + rows left out."""
    columns: tuple[str, ...]
    """Canonical columns that the file has."""
    missing_columns: tuple[str, ...]
    unknown_columns: tuple[str, ...]
    verdict: Verdict
    rejected_because: str | None = None

    @property
    def rows_sound(self) -> int:
        """Rows that staging will hold."""
        return self.rows_read - self.rows_quarantined

    def with_verdict(self, verdict: Verdict, because: str | None = None) -> BatchRecord:
        """The same batch with another verdict."""
        return self.model_copy(update={"verdict": verdict, "rejected_because": because})


class Delivery(BaseModel):
    """A file whose bytes are a batch already: the day has been delivered, nothing is loaded again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Group
    ds: date
    file_name: str
    batch_id: str


def batch_id_of(sha256: str) -> str:
    """The batch that a file with this sha256 is."""
    return sha256[:BATCH_ID_LENGTH]


def write_record(path: Path, record: BatchRecord) -> None:
    """Write a ledger entry in one atomic step."""
    write_json_atomically(path, record.model_dump(mode="json"))


def read_record(path: Path) -> BatchRecord:
    """A ledger entry.

    Raises:
        TechnicalError: it is damaged.
    """
    try:
        return BatchRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise TechnicalError(
            f"a ledger entry cannot be read: {error}",
            where=str(path),
            remedy="restore the file from a backup, or move it and the Parquet beside it away and ingest the day again",
        ) from error


def incoming_batches(
    paths: ShopPaths, group: Group | None = None, days: Collection[date] | None = None
) -> list[BatchRecord]:
    """Batches that wait for the raw gate, by day, source and file name.

    Args:
        paths: the shop's folders.
        group: only this group's; all where not given.
        days: only batches of these date folders; all where not given.
    """
    records = (
        read_record(entry)
        for entry in places.batch_files(places.incoming(paths), "*.json")
        if entry.with_suffix(".parquet").exists()
    )
    return _sorted(
        record for record in records if (group is None or record.group == group) and (days is None or record.ds in days)
    )


def accepted_batches(paths: ShopPaths) -> list[BatchRecord]:
    """Accepted batches of all sources, by day, source and file name."""
    return _sorted(
        read_record(parquet.with_suffix(".json"))
        for source in all_sources()
        for _, folder in places.day_folders(paths.raw / source.source)
        for parquet in places.batch_files(folder, "*.parquet")
    )


def sources_with_older_columns(paths: ShopPaths) -> list[str]:
    """Sources that have accepted batches from before one of their columns was described.

    Accepted raw is never rewritten: its older files lack the column, and whoever reads old and new ones together has
    to match them by name.
    """
    described = {source.source: {column.name for column in source.columns} for source in all_sources()}
    return sorted(
        {
            batch.source
            for batch in accepted_batches(paths)
            if not described[batch.source] <= {*batch.columns, *batch.missing_columns}
        }
    )


def rejected_batches(paths: ShopPaths) -> list[BatchRecord]:
    """Refused files, whole or by a gate, that have not been accepted since."""
    return _sorted(read_record(entry) for entry in places.batch_files(places.rejected(paths), "*/batch.json"))


def withdrawn_batches(paths: ShopPaths) -> list[BatchRecord]:
    """Batches that were taken out again."""
    return _sorted(
        read_record(parquet.with_suffix(".json"))
        for source in all_sources()
        for _, folder in places.day_folders(paths.raw / "withdrawn" / source.source)
        for parquet in places.batch_files(folder, "*.parquet")
    )


def all_batches(paths: ShopPaths) -> list[BatchRecord]:
    """The whole ledger: what `renqun batches list` shows."""
    return _sorted(
        [
            *incoming_batches(paths),
            *accepted_batches(paths),
            *rejected_batches(paths),
            *withdrawn_batches(paths),
        ]
    )


def incoming_parquet(paths: ShopPaths, record: BatchRecord) -> Path:
    """The Parquet of an incoming batch."""
    return places.incoming(paths) / f"{record.batch_id}.parquet"


def accepted_parquet(paths: ShopPaths, record: BatchRecord) -> Path:
    """The Parquet of an accepted batch."""
    return places.accepted_folder(paths, record.source, record.ds) / f"{record.batch_id}.parquet"


def accepted_files(paths: ShopPaths, group: Group | None = None) -> dict[str, Path]:
    """The Parquet file of every accepted batch by its id, from file names alone."""
    return _parquets(paths.raw, group)


def withdrawn_files(paths: ShopPaths, group: Group | None = None) -> dict[str, Path]:
    """The Parquet file of every withdrawn batch by its id, from file names alone."""
    return _parquets(paths.raw / "withdrawn", group)


def deliveries(paths: ShopPaths, group: Group, day: date) -> list[Delivery]:
    """Files of a day's folder that repeat another batch."""
    folder = places.delivery_file(paths, group, day, "_").parent
    return [Delivery.model_validate(json.loads(entry.read_bytes())) for entry in places.batch_files(folder, "*.json")]


def note_delivery(paths: ShopPaths, delivery: Delivery) -> None:
    """Record that a day's folder held a file whose bytes are a batch already."""
    target = places.delivery_file(paths, delivery.group, delivery.ds, delivery.batch_id)
    if not target.exists():
        write_json_atomically(target, delivery.model_dump(mode="json"))


def _parquets(root: Path, group: Group | None) -> dict[str, Path]:
    described = all_sources() if group is None else sources_of(group)
    return {
        parquet.stem: parquet
        for source in described
        for _, folder in places.day_folders(root / source.source)
        for parquet in places.batch_files(folder, "*.parquet")
    }


def _sorted(records: Iterable[BatchRecord]) -> list[BatchRecord]:
    return sorted(records, key=lambda record: (record.ds, record.source, record.file_name, record.batch_id))
