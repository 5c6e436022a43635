"""Looking at a file without loading it: what `renqun sources check FILE` tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from renqun.errors import RequestError
from renqun.ingest import places
from renqun.ingest.checks import Place
from renqun.ingest.detect import Detection, detect
from renqun.ingest.engine import Workbench, literal, quoted, workbench
from renqun.ingest.load import RowCounts, write_batch
from renqun.ingest.names import tidied
from renqun.settings import Shop

PREVIEW_ROWS = 10
EXAMPLES_PER_REASON = 3
MASK = "***"

_PERSONAL_NAME = re.compile(
    r"phone|mobile|cell|tel(ephone)?$|e-?mail|address|addr|receiver|recipient|consignee|(first|last|full|real|buyer)_?name"
    r"|nick(name)?$|手机|电话|邮箱|邮件|地址|收货人|姓名|身份证|会员名|昵称|旺旺|支付宝|留言|备注|发票抬头",
    re.IGNORECASE,
)
_PERSONAL_VALUE = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|(?<!\d)(\+?\d{1,3}[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
"""E-mail addresses and mobile phone numbers of mainland China, wherever they stand."""


@dataclass(frozen=True)
class QuarantineExample:
    """One row that would be quarantined."""

    row: int
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
            examples=_examples(bench, table, detection, counts),
            drop_folder=f"landing/{source.group}/{day or '<YYYY-MM-DD>'}/",
        )


def masked(column: str, value: str | None, *, personal: bool = False) -> str | None:
    """A cell as it may be shown: personal data replaced, by the column's name and by what the value looks like."""
    if value is None:
        return None
    if personal or _PERSONAL_NAME.search(column):
        return MASK
    return _PERSONAL_VALUE.sub(MASK, value)


def _preview(bench: Workbench, table: str, detection: Detection) -> tuple[dict[str, str | None], ...]:
    names = [*detection.columns, *detection.unknown_columns]
    selected = ", ".join(quoted(name) for name in names)
    rows = bench.connection.execute(
        f"SELECT {selected} FROM {table} ORDER BY _source_row LIMIT {PREVIEW_ROWS}"
    ).fetchall()
    return tuple(_shown(detection, dict(zip(names, row, strict=True))) for row in rows)


def _examples(bench: Workbench, table: str, detection: Detection, counts: RowCounts) -> tuple[QuarantineExample, ...]:
    found: dict[int, QuarantineExample] = {}
    for reason in counts.quarantine_reasons:
        about = [name for name in reason.partition(":")[2].split("|") if name in detection.columns]
        selected = ", ".join(["_source_row", "_quarantine_reason", *(quoted(name) for name in about)])
        rows = bench.connection.execute(
            f"SELECT {selected} FROM {table} WHERE list_contains(string_split(_quarantine_reason, ','), ?) "
            f"ORDER BY _source_row LIMIT {EXAMPLES_PER_REASON}",
            [reason],
        ).fetchall()
        for row, reasons, *cells in rows:
            shown = _shown(detection, dict(zip(about, cells, strict=True)))
            earlier = found[row].cells if row in found else {}
            found[row] = QuarantineExample(row, tuple(reasons.split(",")), {**earlier, **shown})
    return tuple(found[row] for row in sorted(found))


def _shown(detection: Detection, cells: dict[str, str | None]) -> dict[str, str | None]:
    personal = {column.name for column in detection.source.columns if column.personal}
    return {name: masked(name, value, personal=name in personal) for name, value in cells.items()}
