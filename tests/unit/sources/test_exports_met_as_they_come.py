"""The same exports saved again, cut off, or in the wrong folder: read right, or refused in words."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from loaded_exports import loaded, recognised, wrong_values

from fixtures.exports.everything import exports
from fixtures.exports.export import Export
from renqun.ingest.catalogue import get_source
from renqun.ingest.detect import Detection, FileRefused
from renqun.ingest.engine import Workbench, workbench
from renqun.settings import GROUPS

TEXTS = [export for export in exports() if export.text is not None and export.source != "ga4_events"]
"""JSON is in UTF-8 and names its fields on every line: it is no text of this kind."""
TABLES = [export for export in TEXTS if export.source != "taobao_excluded_orders"]
"""Those with several columns: without its only one, a list of orders is nothing at all."""
ONE_OF_EACH = list({(export.source, export.content[:2]): export for export in exports()}.values())
"""One file of every source and kind of file: enough where versions make no difference."""
by_export = pytest.mark.parametrize("export", exports(), ids=lambda export: export.called)
by_text = pytest.mark.parametrize("export", TEXTS, ids=lambda export: export.called)


@pytest.fixture(scope="module")
def bench() -> Iterator[Workbench]:
    with workbench() as opened:
        yield opened


def _is(detection: Detection, export: Export) -> bool:
    same_version = not export.version or detection.header_version == export.version
    return detection.source.source == export.source and same_version


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@by_text
def test_the_encoding_is_found_whatever_it_is(bench: Workbench, tmp_path: Path, export: Export, encoding: str) -> None:
    assert export.text is not None
    assert _is(recognised(bench, tmp_path, export.text.encode(encoding)), export)


@by_export
def test_an_archive_is_looked_into(bench: Workbench, tmp_path: Path, export: Export) -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("导出/文件.bin", export.content)
    if not export.content.startswith(b"\x1f\x8b"):  # an archive inside an archive is refused
        assert _is(recognised(bench, tmp_path, zipped.getvalue()), export)
        assert _is(recognised(bench, tmp_path, gzip.compress(export.content)), export)


@pytest.mark.parametrize("tenths", [0, 1, 5, 9])
@by_export
def test_a_file_that_was_cut_off_is_read_or_refused_in_words(
    bench: Workbench, tmp_path: Path, export: Export, tenths: int
) -> None:
    refused = _refusal(bench, tmp_path, export.content[: len(export.content) * tenths // 10])
    assert refused is None or refused.remedy


def _refusal(bench: Workbench, folder: Path, content: bytes) -> FileRefused | None:
    try:
        recognised(bench, folder, content)
    except FileRefused as refused:
        return refused
    return None


@by_export
def test_a_file_in_another_groups_folder_is_sent_to_its_own(bench: Workbench, tmp_path: Path, export: Export) -> None:
    group = get_source(export.source).group
    for other in GROUPS:
        if other == group:
            continue
        with pytest.raises(FileRefused, match=rf"landing/{group}/2026-08-02"):
            recognised(bench, tmp_path, export.content, other)


@pytest.mark.parametrize("export", TABLES, ids=lambda export: export.called)
def test_a_missing_name_is_told(bench: Workbench, tmp_path: Path, export: Export) -> None:
    """Whoever gets the message must know which source was nearest and which name to look for."""
    assert export.text is not None
    name = _a_needed_name(export)
    lines = export.text.splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if all(header.strip() in line for header in export.header))
    lines[at] = lines[at].replace(name, "别的名字", 1)
    refused = _refusal(bench, tmp_path, "".join(lines).encode())
    assert refused is not None
    assert name in str(refused) or "nearest source" in str(refused)


def _a_needed_name(export: Export) -> str:
    """A name in the header without which the file is of no source."""
    source = get_source(export.source)
    outside = source.dates.column if source.dates else None
    needed = [
        name for column in source.columns if column.required and column.name != outside for name in column.accepted
    ]
    written = [header.strip() for header in export.header]
    return next(name for name in (*needed, *source.recognise.has) if name in written)


@by_text
def test_columns_in_another_order_and_one_more_change_nothing(bench: Workbench, tmp_path: Path, export: Export) -> None:
    """A spreadsheet that saved the file again has quoted the guards, too."""
    found = loaded(bench, tmp_path, _turned_round(export).encode())
    assert wrong_values(found.detection.source, found.rows, export.planted) == []
    assert found.counts.rows_read == export.rows
    assert found.counts.rows_left_out == dict(export.left_out)
    assert [row["一个新列"] for row in found.rows] == ["新"] * export.rows


def _turned_round(export: Export) -> str:
    """The table with its columns in the opposite order and a new one at the end, which its source does not know."""
    assert export.text is not None
    delimiter = "\t" if export.text.count("\t") > export.text.count(",") else ","
    rows = list(csv.reader(io.StringIO(export.text, newline=""), delimiter=delimiter))
    width = len(export.header)
    at = next(n for n, row in enumerate(rows) if len(row) >= width > 0 and row[0].strip() == export.header[0].strip())
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerows(rows[:at])
    writer.writerow([*reversed(rows[at][:width]), "一个新列"])
    writer.writerows([*reversed(row[:width]), "新"] for row in rows[at + 1 :])
    return out.getvalue()


@pytest.mark.parametrize("export", ONE_OF_EACH, ids=lambda export: export.called)
def test_half_a_file_gives_sound_rows_or_none(bench: Workbench, tmp_path: Path, export: Export) -> None:
    """What is cut may be lost or quarantined; what is taken for sound is what was written."""
    try:
        found = loaded(bench, tmp_path, export.content[: len(export.content) * 3 // 4])
    except FileRefused as refused:
        said = refused
    else:
        assert found.counts.rows_read <= export.rows
        whole = [one for one in export.planted if one.row < found.counts.rows_read - 1]
        assert wrong_values(found.detection.source, found.rows, whole) == []
        return
    assert said.remedy
