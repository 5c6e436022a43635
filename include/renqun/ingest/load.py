"""From one recognised file to one batch: the Parquet in raw's layout and its ledger entry.

The incoming Parquet, which a gate may read with `read_parquet` over all incoming files of a source
(`union_by_name = true`, since extra columns differ), holds the source's canonical columns as text in the order of
its description, the file's unknown columns as text, and then `METADATA_COLUMNS`. Rows are in the file's order;
a row with a `_quarantine_reason` is quarantined, the others are sound.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from renqun.errors import TechnicalError
from renqun.ingest.checks import Place, judged_relation, left_out_relation, rows_that_share, whole_relation
from renqun.ingest.detect import Detection, FileRefused
from renqun.ingest.engine import Workbench
from renqun.ingest.facts import Facts
from renqun.ingest.read import read_file
from renqun.persons.identifiers import columns_of
from renqun.persons.tombstones import ERASED_REASON, Tombstones
from renqun.sql_text import literal

_PARQUET = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, DICTIONARY_SIZE_LIMIT 4096)"
"""A column with more values than that in a row group gains little from a dictionary; looking for one costs much."""


@dataclass(frozen=True)
class RowCounts:
    """How many rows a file had, and how many of them are quarantined, by reason."""

    rows_read: int
    rows_quarantined: int
    quarantine_reasons: dict[str, int]
    rows_left_out: dict[str, int] = field(default_factory=dict)
    """Rows of the file that are none (roll-ups, totals), by reason. They are not among `rows_read`."""


def write_batch(
    bench: Workbench,
    path: Path,
    detection: Detection,
    place: Place,
    *,
    where: str,
    target: Path,
    tombstones: Tombstones | None = None,
) -> RowCounts:
    """Read a file, judge its rows, write them as Parquet. `target` appears at once and whole.

    Equal files give equal bytes. Rows of people who were erased are left out: no trace of them is kept.

    Raises:
        FileRefused: the file as a whole cannot be read.
        TechnicalError: the Parquet could not be written.
    """
    _refuse_another_currency(detection, place, where)
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    judged = staged.with_suffix(".judged.tmp")

    counts = RowCounts(0, 0, {})

    left_out: dict[str, int] = {}

    def judge(sql: str, rows: int | None, facts: Facts) -> int:
        nonlocal counts, left_out
        copy_to_parquet(bench, judged_relation(sql, detection, place, facts), staged)
        counts = count_rows(bench, staged)
        # Rows are only left out if some are not there: most files need no second look.
        is_whole = counts.rows_read == rows
        left_out = {} if is_whole else _count_left_out(bench, left_out_relation(sql, detection, place))
        return counts.rows_read + sum(left_out.values())

    try:
        read_file(bench, path, detection, where, judge)
        if counts.rows_quarantined and _some_share_a_fate(bench, staged, detection):
            staged.replace(judged)
            copy_to_parquet(bench, whole_relation(f"read_parquet({literal(str(judged))})", detection), staged)
            counts = count_rows(bench, staged)
        erased = _leave_out_erased(bench, staged, judged, tombstones) if tombstones else 0
        if erased:
            counts = count_rows(bench, staged)
            left_out = {**left_out, ERASED_REASON: erased}
        flush(staged)
        staged.replace(target)
    except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:
        raise TechnicalError(
            f"a batch could not be written: {error}",
            where=str(target),
            remedy="make room on the disk and run again; nothing was loaded from this file",
        ) from error
    finally:
        judged.unlink(missing_ok=True)
        staged.unlink(missing_ok=True)
    return replace(counts, rows_left_out=left_out)


def _refuse_another_currency(detection: Detection, place: Place, where: str) -> None:
    """A platform that sells in one currency does not write it into its rows: none of them would be sound."""
    source, shop = detection.source, place.shop
    named = {source.rules.shop_currency or "currency", "currency_code"}
    if not source.currency or source.currency == shop.currency or named & set(detection.columns):
        return
    if any(column.kind == "money" and column.name in detection.places for column in source.columns):
        raise FileRefused(
            f"{source.title} are in {source.currency}, but the currency of the shop {shop.id!r} is {shop.currency}",
            where=where,
            remedy="drop the file into the shop that it belongs to, or correct the shop's currency in shops.yml",
        )


def copy_to_parquet(bench: Workbench, sql: str, target: Path) -> None:
    """Write a relation as Parquet."""
    bench.connection.execute(f"COPY ({sql}) TO {literal(str(target))} {_PARQUET}")


def flush(path: Path) -> None:
    """Make sure that a file's bytes are on the disk before its name says so."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _some_share_a_fate(bench: Workbench, parquet: Path, detection: Detection) -> bool:
    """Whether a sound row belongs together with a quarantined one."""
    sql = rows_that_share(f"read_parquet({literal(str(parquet))})", detection)
    return sql is not None and bool(bench.connection.execute(f"SELECT 1 FROM ({sql}) LIMIT 1").fetchall())


def _count_left_out(bench: Workbench, sql: str | None) -> dict[str, int]:
    rows = bench.connection.execute(sql).fetchall() if sql else []
    return dict(sorted(rows))


def without_rows(bench: Workbench, relation: str, condition: str, target: Path) -> None:
    """Write a batch's rows, in their order, without those that meet a condition."""
    copy_to_parquet(bench, f"SELECT * FROM {relation} WHERE NOT ({condition}) ORDER BY _source_row", target)


def _leave_out_erased(bench: Workbench, staged: Path, aside: Path, tombstones: Tombstones) -> int:
    """Take the rows of erased people out of a batch; how many there were."""
    relation = f"read_parquet({literal(str(staged))})"
    matcher = tombstones.matcher(bench.connection)
    condition = matcher.rows(columns_of(bench.connection.sql(f"FROM {relation}")))
    if condition is None:
        return 0
    found = int(bench.connection.execute(f"SELECT count(*) FROM {relation} WHERE {condition}").fetchall()[0][0])
    if found:
        staged.replace(aside)
        without_rows(bench, f"read_parquet({literal(str(aside))})", condition, staged)
    return found


def count_rows(bench: Workbench, parquet: Path) -> RowCounts:
    """Rows of a batch's Parquet, and how many of them are set aside, by reason."""
    table = f"read_parquet({literal(str(parquet))})"
    rows = bench.connection.execute(
        f"SELECT _quarantine_reason, count(*) FROM {table} GROUP BY _quarantine_reason"
    ).fetchall()
    reasons: Counter[str] = Counter()
    for joined, count in rows:
        for reason in (joined or "").split(","):
            reasons[reason] += count
    sound = reasons.pop("", 0)
    total = sum(count for _, count in rows)
    return RowCounts(total, total - sound, dict(sorted(reasons.items())))
