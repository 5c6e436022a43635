"""Loading one export's bytes, and comparing what came out with what was planted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb

from fixtures.exports.export import Planted
from renqun.ingest.catalogue import NUMBER_KINDS, Column, Source
from renqun.ingest.checks import Place
from renqun.ingest.detect import Detection, detect
from renqun.ingest.engine import Workbench
from renqun.ingest.load import RowCounts, write_batch
from renqun.settings import Group, Shop

DAY = date(2026, 8, 2)
WHERE = f"landing/orders/{DAY}/export"


@dataclass(frozen=True)
class Loaded:
    """A file as raw has it."""

    detection: Detection
    counts: RowCounts
    rows: list[dict[str, str | None]]


def recognised(bench: Workbench, folder: Path, content: bytes, group: Group | None = None) -> Detection:
    """What some bytes are."""
    path = folder / "export"
    path.write_bytes(content)
    return detect(bench, path, group=group, where=WHERE, day=DAY)


def loaded(bench: Workbench, folder: Path, content: bytes) -> Loaded:
    """Some bytes as a batch."""
    shop = Shop(id="default")
    detection = recognised(bench, folder, content)
    target = folder / "raw.parquet"
    place = Place(shop, "export", "batch", shop.end_of_day(DAY))
    counts = write_batch(bench, folder / "export", detection, place, where=WHERE, target=target)
    return Loaded(detection, counts, raw_rows(target))


def raw_rows(parquet: Path) -> list[dict[str, str | None]]:
    """Raw's rows, in the file's order."""
    relation = duckdb.sql(f"SELECT * FROM read_parquet('{parquet}') ORDER BY _source_row")
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def is_same(column: Column, value: str | None, wanted: str | None) -> bool:
    """The same value in raw's words: a number by its size, a time by its instant or its day."""
    if value is None or wanted is None:
        return value is wanted
    if column.kind in NUMBER_KINDS:
        return Decimal(value) == Decimal(wanted)
    if column.kind == "timestamp":
        return datetime.fromisoformat(value) == datetime.fromisoformat(wanted)
    return value == wanted


def wrong_values(
    source: Source, rows: list[dict[str, str | None]], planted: Iterable[Planted]
) -> list[tuple[Planted, str | None]]:
    """What was planted and did not come out, with what came out instead."""
    came_out = [(one, rows[one.row][one.column]) for one in planted]
    return [(one, value) for one, value in came_out if not is_same(source.column(one.column), value, one.value)]
