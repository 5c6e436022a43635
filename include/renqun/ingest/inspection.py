"""Looking at a file without loading it: what `renqun sources check FILE` tells."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from renqun.errors import RequestError
from renqun.ingest import places
from renqun.ingest.checks import Place
from renqun.ingest.detect import Detection, detect
from renqun.ingest.engine import Workbench, workbench
from renqun.ingest.lines import lines_of_rows
from renqun.ingest.load import RowCounts, write_batch
from renqun.ingest.names import tidied
from renqun.quality.suite import load_suite
from renqun.settings import Shop
from renqun.sql_text import identifier, literal

PREVIEW_ROWS = 10
EXAMPLES_PER_REASON = 3
MASK = "***"
HALF_IS_SOUND = "batches-half_is_sound"
"""The check of the raw gate that decides whether a file is wrong, or only some of its rows."""

_PERSONAL_VALUE = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|(?<!\d)(\+?\d{1,3}[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
"""E-mail addresses and mobile phone numbers of mainland China, wherever they stand."""


@dataclass(frozen=True)
class QuarantineExample:
    """One row that would be quarantined."""

    row: int
    """Its place among the file's rows, from 1."""
    line: int | None
    """The line of the text, or the row of the sheet, on which it begins; unknown in Parquet files and in archives of
    several."""
    reasons: tuple[str, ...]
    cells: dict[str, str | None]
    """The cells that the reasons are about, personal data masked."""


@dataclass(frozen=True)
class FileInspection:
    """What a file is and what would become of its rows. Nothing was loaded."""

    file_name: str
    source: str
    group: str
    title: str
    format: str
    encoding: str
    header_version: str
    """The known version's name; of an unknown one, equal sets of names have equal versions."""
    sheet: str
    """The workbook's sheet that was read."""
    days: tuple[date, date] | None
    """The days that the file is about, where its rows do not say it."""
    notes: tuple[str, ...]
    mapped_columns: dict[str, str]
    """Canonical column by header name, as the file writes it without blanks around it."""
    missing_columns: tuple[str, ...]
    """Columns that the source knows and the file does not have; none of them is required."""
    unknown_columns: tuple[str, ...]
    """Columns that the source does not know: kept in raw, used by nothing."""
    counts: RowCounts
    """Rows that would be taken in, set aside and left out, by reason."""
    preview: tuple[dict[str, str | None], ...]
    """The first rows, personal data masked."""
    examples: tuple[QuarantineExample, ...]
    drop_folder: str
    """Where the file belongs."""
    rejected_because: str | None
    """Why nothing of the file would count, if so."""


def inspect_file(shop: Shop, file: Path, *, day: date | None = None) -> FileInspection:
    """Say what a file is, without loading it.

    Args:
        shop: the shop; its zone and currency decide what is sound.
        file: the file, anywhere.
        day: the export's business date; the name of the file's folder where not given. Without either, times are
            not compared with the export's.

    Raises:
        RequestError: there is no such file, or no source describes it.
    """
    if not file.is_file():
        raise RequestError("there is no such file", where=str(file), remedy="check the path")
    day = day or places.day_of(file.parent.name)
    with workbench() as bench:
        detection = detect(bench, file, group=None, where=str(file), day=day)
        parquet = bench.folder / "inspected.parquet"
        place = Place(shop, file.name, "", shop.end_of_day(day) if day else None)
        counts = write_batch(bench, file, detection, place, where=str(file), target=parquet)
        table = f"read_parquet({literal(str(parquet))})"
        source = detection.source
        return FileInspection(
            file_name=file.name,
            source=source.source,
            group=source.group,
            title=source.title,
            format=detection.header.format,
            encoding=detection.header.encoding,
            header_version=detection.header_version,
            sheet=detection.header.sheet,
            days=detection.days,
            notes=detection.notes,
            mapped_columns={tidied(detection.header.names[at]): name for name, at in detection.places.items()},
            missing_columns=detection.missing_columns,
            unknown_columns=detection.unknown_columns,
            counts=counts,
            preview=_preview(bench, table, detection),
            examples=_examples(bench, table, file, detection, counts),
            drop_folder=f"landing/{source.group}/{day or '<YYYY-MM-DD>'}/",
            rejected_because=_rejected_because(bench, counts),
        )


def masked(value: str | None, *, is_known: bool, personal: bool) -> str | None:
    """A cell as it may be shown: what describes a person is replaced, and whatever nobody has described.

    Args:
        value: the cell.
        is_known: whether the source describes the column.
        personal: whether it says that the column is about a person.
    """
    if value is None:
        return None
    return MASK if personal or not is_known else _PERSONAL_VALUE.sub(MASK, value)


def _rejected_because(bench: Workbench, counts: RowCounts) -> str | None:
    """What the raw gate will say of the share of rows that are set aside, by its own rule."""
    bad, rows = counts.rows_quarantined, counts.rows_read
    if not rows:
        return "it has no rows"
    rule = next(one for one in load_suite("raw", "batches").expectations if one.id == HALF_IS_SOUND)
    batch = f"(SELECT '' AS batch_id, {rows} AS rows_read, {bad} AS rows_quarantined)"
    assert rule.query is not None, f"{HALF_IS_SOUND} is a query"
    if bench.connection.execute(rule.query.replace("{batch}", batch)).fetchone() is not None or bad == rows:
        return f"{bad:,} of {rows:,} rows are set aside"
    return None


def _preview(bench: Workbench, table: str, detection: Detection) -> tuple[dict[str, str | None], ...]:
    names = [*detection.columns, *detection.unknown_columns]
    selected = ", ".join(identifier(name) for name in names)
    rows = bench.connection.execute(
        f"SELECT {selected} FROM {table} ORDER BY _source_row LIMIT {PREVIEW_ROWS}"
    ).fetchall()
    return tuple(_shown(detection, dict(zip(names, row, strict=True))) for row in rows)


def _examples(
    bench: Workbench, table: str, file: Path, detection: Detection, counts: RowCounts
) -> tuple[QuarantineExample, ...]:
    found: dict[int, QuarantineExample] = {}
    for reason in counts.quarantine_reasons:
        about = [name for name in reason.partition(":")[2].split("|") if name in detection.columns]
        selected = ", ".join(["_source_row", "_quarantine_reason", *(identifier(name) for name in about)])
        rows = bench.connection.execute(
            f"SELECT {selected} FROM {table} WHERE list_contains(string_split(_quarantine_reason, ','), ?) "
            f"ORDER BY _source_row LIMIT {EXAMPLES_PER_REASON}",
            [reason],
        ).fetchall()
        for row, reasons, *cells in rows:
            shown = _shown(detection, dict(zip(about, cells, strict=True)))
            earlier = found[row].cells if row in found else {}
            found[row] = QuarantineExample(row, None, tuple(reasons.split(",")), {**earlier, **shown})
    lines = lines_of_rows(file, detection, found.keys())
    return tuple(replace(found[row], line=lines.get(row)) for row in sorted(found))


def _shown(detection: Detection, cells: dict[str, str | None]) -> dict[str, str | None]:
    source = detection.source
    personal = {name for column in source.columns if column.personal for name in (column.name, column.last)}
    return {
        name: masked(value, is_known=name in source.names, personal=name in personal) for name, value in cells.items()
    }
