"""The same exports saved again, cut off, or in the wrong folder: read right, or refused in words."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from fixtures.exports.everything import exports
from fixtures.exports.export import Export
from renqun.ingest.catalogue import get_source
from renqun.ingest.detect import Detection, FileRefused, detect
from renqun.ingest.engine import Workbench, workbench
from renqun.settings import GROUPS

DAY = date(2026, 8, 2)
WHERE = "landing/orders/2026-08-02/export"

TEXTS = [export for export in exports() if export.text is not None and export.source != "ga4_events"]
"""JSON is in UTF-8 and names its fields on every line: it is no text of this kind."""
TABLES = [export for export in TEXTS if export.source != "taobao_excluded_orders"]
"""Those with several columns: without its only one, a list of orders is nothing at all."""
by_export = pytest.mark.parametrize("export", exports(), ids=lambda export: export.called)
by_text = pytest.mark.parametrize("export", TEXTS, ids=lambda export: export.called)


@pytest.fixture(scope="module")
def bench() -> Iterator[Workbench]:
    with workbench() as opened:
        yield opened


def _detected(bench: Workbench, folder: Path, content: bytes, group: str | None = None) -> Detection:
    path = folder / "export"
    path.write_bytes(content)
    return detect(bench, path, group=group, where=WHERE, day=DAY)  # type: ignore[arg-type]


def _is(detection: Detection, export: Export) -> bool:
    same_version = not export.version or detection.header_version == export.version
    return detection.source.source == export.source and same_version


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@by_text
def test_the_encoding_is_found_whatever_it_is(bench: Workbench, tmp_path: Path, export: Export, encoding: str) -> None:
    assert export.text is not None
    assert _is(_detected(bench, tmp_path, export.text.encode(encoding)), export)


@by_export
def test_an_archive_is_looked_into(bench: Workbench, tmp_path: Path, export: Export) -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("导出/文件.bin", export.content)
    if not export.content.startswith(b"\x1f\x8b"):  # an archive inside an archive is refused
        assert _is(_detected(bench, tmp_path, zipped.getvalue()), export)
        assert _is(_detected(bench, tmp_path, gzip.compress(export.content)), export)


@pytest.mark.parametrize("tenths", [0, 1, 5, 9])
@by_export
def test_a_file_that_was_cut_off_is_read_or_refused_in_words(
    bench: Workbench, tmp_path: Path, export: Export, tenths: int
) -> None:
    refused = _refusal(bench, tmp_path, export.content[: len(export.content) * tenths // 10])
    assert refused is None or refused.remedy


def _refusal(bench: Workbench, folder: Path, content: bytes) -> FileRefused | None:
    try:
        _detected(bench, folder, content)
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
            _detected(bench, tmp_path, export.content, other)


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
