"""A shop in a temporary home, and files dropped into it with only the interesting fields."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from renqun.ingest.ledger import BatchRecord, accepted_parquet, incoming_parquet
from renqun.ingest.promote import PromoteReport, promote_batches
from renqun.ingest.receive import ReceiveReport, receive_files
from renqun.settings import Group, Home, Shop, ShopPaths

DAY = date(2024, 3, 5)

SOUND_ORDER = {
    "order_id": "o1",
    "customer_id": "c1",
    "ordered_at": "2024-03-05 10:00:00",
    "paid_at": "2024-03-05T10:05:00",
    "item_id": "i1",
    "quantity": "2",
    "unit_price": "9.90",
}
SOUND_EVENT = {"event_at": "2024-03-05 09:00:00", "event_type": "view", "visitor_id": "v1", "item_id": "i1"}
SOUND_CONSENT = {
    "customer_id": "c1",
    "phone": "",
    "channel": "sms",
    "purpose": "marketing",
    "granted": "true",
    "recorded_at": "2024-03-01",
}


@dataclass(frozen=True)
class Place:
    """A shop and its folders, with short ways to drop, receive and read."""

    home: Home
    shop: Shop

    @property
    def paths(self) -> ShopPaths:
        return self.home.paths(self.shop.id)

    def folder(self, group: Group = "orders", day: date | str = DAY) -> Path:
        return self.paths.landing / group / str(day)

    def drop(
        self, content: bytes | str, *, group: Group = "orders", day: date | str = DAY, name: str = "export.csv"
    ) -> Path:
        """Put a file into a date folder."""
        path = self.folder(group, day) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def receive(self, group: Group = "orders", days: Sequence[date] = (DAY,)) -> ReceiveReport:
        return receive_files(self.home, self.shop, group, days, look_again_seconds=0)

    def receive_one(self, content: bytes | str, *, group: Group = "orders") -> BatchRecord:
        """Drop one file and receive it."""
        self.drop(content, group=group)
        (record,) = self.receive(group).batches
        return record

    def promote(self, group: Group = "orders", days: Sequence[date] = (DAY,)) -> PromoteReport:
        return promote_batches(self.home, self.shop, group, days)

    def parquet(self, record: BatchRecord) -> Path:
        find = accepted_parquet if record.verdict == "accepted" else incoming_parquet
        return find(self.paths, record)

    def rows(self, record: BatchRecord, columns: str = "*") -> list[tuple[Any, ...]]:
        """Some columns of a batch's Parquet, in its order."""
        return duckdb.sql(f"SELECT {columns} FROM read_parquet('{self.parquet(record)}')").fetchall()

    def reasons(self, record: BatchRecord) -> list[str | None]:
        """The quarantine reason of every row, in order."""
        return [row[0] for row in self.rows(record, "_quarantine_reason")]


def csv_file(*rows: Mapping[str, str], header: Sequence[str] | None = None) -> str:
    """CSV with a header line of the first row's names."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header or list(rows[0]), lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def tree(place: Place) -> dict[str, bytes]:
    """Every file below raw/, with its bytes."""
    root = place.paths.raw
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
