"""Large texts read in portions come out as they do when read as one: the same rows, places and reasons."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fixtures.exports.everything import exports
from renqun.ingest import portions, read
from renqun.ingest.checks import Place
from renqun.ingest.columns import MARGIN, Cells, facts_of
from renqun.ingest.detect import detect
from renqun.ingest.engine import workbench
from renqun.ingest.facts import Job, Look
from renqun.ingest.load import write_batch
from renqun.ingest.portion import write_portions
from renqun.settings import Settings, Shop

DAY = date(2026, 8, 2)
EXPORTS = exports()
ORDER = {
    "订单编号": "90210000000000001",
    "买家会员名": "买家",
    "买家实际支付金额": "12.50",
    "订单状态": "交易成功",
    "订单创建时间": "2026-08-01 10:00:00",
    "订单付款时间 ": "2026-08-01 10:01:00",
    "联系手机": "'13000000000",
    "卖家服务费": "0元",
    "宝贝总数量": "2",
}
USUAL = list(ORDER.values())


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Every text is cut after a few rows, and no process is started; whether each could be read like that."""
    ways: list[bool] = []

    def noted(*arguments: Any) -> bool:
        ways.append(in_portions(*arguments))
        return ways[-1]

    in_portions = read._use_portions
    monkeypatch.setattr(portions, "PORTIONS_FROM", 0)
    monkeypatch.setattr(portions, "PORTION_BYTES", 200)
    monkeypatch.setattr(portions, "SHEET_ROWS_FROM", 0)
    monkeypatch.setattr(portions, "SHEET_PORTION_ROWS", 2)
    monkeypatch.setattr(portions, "_hand", MagicMock)
    monkeypatch.setattr(portions, "_work", lambda _, job: write_portions(Job.from_json(job)))
    monkeypatch.setattr(read, "_use_portions", noted)
    return ways


def as_one(folder: Path, content: bytes) -> tuple[Any, list[tuple[Any, ...]]]:
    """A file's counts and rows when it is read as one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portions, "PORTIONS_FROM", 1 << 60)
        patch.setattr(portions, "SHEET_ROWS_FROM", 1 << 60)
        return loaded(folder, content)


def loaded(folder: Path, content: bytes, threads: int = 2) -> tuple[Any, list[tuple[Any, ...]]]:
    path, target, shop = folder / "export", folder / "raw.parquet", Shop(id="default")
    path.write_bytes(content)
    with workbench(Settings(threads=threads)) as bench:
        detection = detect(bench, path, group=None, where="export", day=DAY)
        place = Place(shop, "export", "batch", shop.end_of_day(DAY))
        counts = write_batch(bench, path, detection, place, where="export", target=target)
    return counts, duckdb.sql(f"SELECT * FROM read_parquet('{target}')").fetchall()


def order_file(rows: Sequence[Sequence[str]], *, encoding: str = "gb18030", end: str = "\r\n") -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator=end).writerows([list(ORDER), *rows])
    return out.getvalue().encode(encoding)


def orders(count: int) -> list[list[str]]:
    return [[str(90210000000000000 + number), *USUAL[1:]] for number in range(count)]


# -- the same rows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("export", EXPORTS, ids=[export.called for export in EXPORTS])
def test_every_export_comes_out_the_same(tmp_path: Path, small_portions: list[bool], export: Any) -> None:
    assert loaded(tmp_path, export.content) == as_one(tmp_path, export.content)


def test_most_exports_can_be_read_in_portions(tmp_path: Path, small_portions: list[bool]) -> None:
    for export in EXPORTS:
        loaded(tmp_path, export.content)
    assert small_portions.count(True) > len(EXPORTS) / 2


SPECIAL = {
    "联系手机": "13000000000|'13000000000|+86 130|1.3E+10|1.30e+10|-|n/a|Null|N'|No:1",
    "买家会员名": "买家|tb_1|n|N/A|null|nULL|　买|买　|买 |x\u00a0|仿|\ufeffa|a\u200b|'a'|=a|#n/a|——|*|0",
    "买家实际支付金额": "12.50|0|-1|1,234.00|￥5|5元|1.2.3|.5|5.|1e3|1_000|1234567890123|00|9.1234567| 1|１",
    "订单创建时间": "2026-08-01 10:00:00|2026-08-01|2026-08-01 10:00|2026-08-01T10:00:00|2026-02-31|2026-8-1 1:02:03|"
    "1999-12-31 23:59:59|2026-08-01 24:00:00|2026-08-01 29:00:00|2999-01-01|2026-08-01-10:00:00|20260801",
    "卖家服务费": "0元|12.5元|元|1|-1元|1元元",
    "宝贝总数量": "1|-1|2.0|两|3件",
}
"""Cells of some columns, most of them unlike what such a column is full of; parted by `|`."""
HOSTILE = st.text(st.sampled_from(list("\"'=,\r\n\t -+.eE元　0a买\u00a0")), max_size=5)


@st.composite
def hostile_orders(draw: st.DrawFn) -> list[list[str]]:
    """Columns whose cells are almost all alike, and some that are not."""
    count = draw(st.integers(1, 12))
    columns = []
    for name, usual in ORDER.items():
        special = [usual, *SPECIAL.get(name, usual).split("|")]
        cells = draw(
            st.one_of(
                st.just(st.sampled_from([usual, ""])),
                st.just(st.sampled_from(special)),
                st.just(st.sampled_from(special[:3])),
                st.just(HOSTILE | st.just(usual)),
            )
        )
        columns.append(draw(st.lists(cells, min_size=count, max_size=count)))
    return [list(row) for row in zip(*columns, strict=True)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=hostile_orders(), encoding=st.sampled_from(["gb18030", "utf-8"]), end=st.sampled_from(["\n", "\r\n"]))
@example(rows=[[USUAL[0], "", "12.50", "", *USUAL[4:]]], encoding="gb18030", end="\n")
@example(rows=[[*USUAL[:3], "a\r\nb", *USUAL[4:]]] * 9, encoding="gb18030", end="\n")
@example(rows=[[*USUAL[:1], 'a"b', *USUAL[2:]]] * 9, encoding="utf-8", end="\r\n")
def test_hostile_cells_come_out_the_same(
    tmp_path: Path, small_portions: list[bool], rows: list[list[str]], encoding: str, end: str
) -> None:
    content = order_file(rows, encoding=encoding, end=end)
    assert loaded(tmp_path, content) == as_one(tmp_path, content)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"12.50", b'12"50', id="a quote inside a cell"),
        pytest.param(b"12.50,", b"12.50,,,,", id="too many cells"),
        pytest.param(b",12.50", b"", id="too few cells"),
        pytest.param(b"12.50", b"12.50\xff", id="bytes of no encoding"),
        pytest.param(b"\r\n", b"\r", id="a line end of another kind"),
        pytest.param(b'"', b"", id="a quote that does not close"),
        pytest.param(b"12.50", b'="12.50"', id="a guard"),
        pytest.param(b"12.50", b'=""', id="a guard around nothing"),
        pytest.param(b"12.50", b'="""1"""', id="a guard around quotes"),
        pytest.param(b"12.50", b'1="12.50"', id="no guard"),
    ],
)
def test_one_row_unlike_the_others_comes_out_the_same(
    tmp_path: Path, small_portions: list[bool], old: bytes, new: bytes
) -> None:
    rows = orders(30)
    rows[20][1] = "买,家"
    lines = order_file(rows).splitlines(keepends=True)
    lines[21] = lines[21].replace(old, new, 1)
    counts, found = loaded(tmp_path, b"".join(lines))
    assert (counts, found) == as_one(tmp_path, b"".join(lines))
    assert len(found) >= 29
    assert len(small_portions) == 2


# -- in order, whole, and the same everywhere ----------------------------------------------------------------------


def test_rows_have_their_places_in_the_file_wherever_it_is_cut(tmp_path: Path, small_portions: list[bool]) -> None:
    rows = orders(200)
    for row in rows[::7]:
        row[1] = '两\n行,和"引号"'
    _, found = loaded(tmp_path, order_file(rows, end="\n"))
    assert small_portions == [True]
    names = duckdb.sql(f"SELECT * FROM read_parquet('{tmp_path / 'raw.parquet'}') LIMIT 0").columns
    places = [row[names.index("_source_row")] for row in found]
    assert places == list(range(1, 201))
    assert [row[names.index("customer_id")] for row in found] == [row[1] for row in rows]


UGLY = ["亅", "俓", "丂", "乤", "𠮷", '引"号"', "两\n行", "两\r\n行", 'a,"\nb', '"', '""\n""', "逗,号", "", "=1"]
"""Signs whose second byte in GB18030 is that of `|`, backslash, `@` or a letter, or that have digits among four bytes;
cells with quotes, commas and line ends of their own."""


@pytest.mark.parametrize("portion", [1, 7, 30, 61, 97, 150, 233, 1000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_are_the_same_wherever_the_file_is_cut(
    tmp_path: Path, small_portions: list[bool], monkeypatch: pytest.MonkeyPatch, portion: int, end: str
) -> None:
    cells = [cell for cell in UGLY if end == "\r\n" or "\r" not in cell]
    assert {sign.encode("gb18030")[1] for sign in UGLY[:3]} == set(b"|\\@")
    rows = orders(3 * len(cells))
    for number, row in enumerate(rows):
        row[1] = cells[number % len(cells)]
    content = order_file(rows, end=end).replace(b"\n902100000000", b'\n="902100000000"', 1)
    monkeypatch.setattr(portions, "PORTION_BYTES", portion)
    counts, found = loaded(tmp_path, content)
    names = duckdb.sql(f"SELECT * FROM read_parquet('{tmp_path / 'raw.parquet'}') LIMIT 0").columns
    assert (counts, found) == as_one(tmp_path, content)
    assert len(found) == len(rows) == counts.rows_read
    assert [row[names.index("_source_row")] for row in found] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize("damage", [b"\xff", b"\xe4\xbd", b"\xed\xa0\x80"])
def test_what_is_no_text_is_found_in_utf8_too(tmp_path: Path, small_portions: list[bool], damage: bytes) -> None:
    content = order_file(orders(30), encoding="utf-8").replace(b"12.50", b"12.50" + damage, 1)
    counts, found = loaded(tmp_path, content)
    assert (counts, found) == as_one(tmp_path, content)
    assert small_portions == [False, False]
    assert counts.rows_quarantined == 1


def test_a_zero_far_behind_the_header_comes_out_the_same(
    tmp_path: Path, small_portions: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "PORTION_BYTES", 100_000)
    content = order_file(orders(4_000))
    content = content[:-200] + content[-200:].replace(b"12.50", b"12.50\x00", 1)
    assert len(content) > 256 * 1024
    assert loaded(tmp_path, content) == as_one(tmp_path, content)
    assert small_portions == [False, False]


def test_a_row_longer_than_any_is_no_row_of_a_portion(tmp_path: Path, small_portions: list[bool]) -> None:
    rows = orders(30)
    rows[4][1] = "x" * 2_500_000
    counts, found = loaded(tmp_path, order_file(rows))
    assert (counts, found) == as_one(tmp_path, order_file(rows))
    assert small_portions == [False, False]
    assert counts.quarantine_reasons == {"row_too_long": 1}


def test_the_bytes_are_the_same_for_one_two_and_four_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "PORTIONS_FROM", 0)
    monkeypatch.setattr(portions, "PORTION_BYTES", 1024 * 1024)
    content = order_file(orders(60_000))
    written = set()
    for threads in (1, 2, 4, 2):
        loaded(tmp_path, content, threads)
        written.add((tmp_path / "raw.parquet").read_bytes())
    assert len(written) == 1


def test_a_reader_that_loses_a_row_is_found_out(
    tmp_path: Path, small_portions: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = order_file(orders(30))
    whole = in_portions = portions.in_portions

    def one_more(*arguments: Any) -> Any:
        found = in_portions(*arguments)
        return found and replace(found, rows=(*found.rows[:-1], found.rows[-1] + 1))

    monkeypatch.setattr(read, "in_portions", one_more)
    assert whole is not one_more
    assert loaded(tmp_path, content) == as_one(tmp_path, content)
    assert small_portions == [False, False]


def test_a_small_file_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "_hand", lambda: pytest.fail("a process was started"))
    loaded(tmp_path, order_file(orders(30)))


# -- facts ---------------------------------------------------------------------------------------------------------


def found_in(cells: Sequence[str], look: Look) -> set[str]:
    data = np.frombuffer("|".join([*cells, ""]).encode() + bytes(MARGIN), np.uint8)
    lengths = np.array([len(cell.encode()) for cell in cells], dtype=np.int64)
    starts = np.cumsum(lengths + 1) - lengths - 1
    return set(facts_of(Cells(data, starts, lengths), look))


@pytest.mark.parametrize(
    ("look", "cells", "facts"),
    [
        ("text", ["买家", "A1", "tb_1", "1.7E+18"], {"filled", "clean"}),
        ("id", ["买家", "A1", "tb_1", "0"], {"filled", "clean", "whole_id"}),
        ("id", ["仿", "。"], {"filled", "whole_id"}),  # 。 may be a wide blank by its first byte
        ("id", ["仿", "廿"], {"filled", "clean", "whole_id"}),  # last bytes like those of wide blanks
        ("id", ["ok", " no"], {"whole_id"}),
        ("id", ["ok", "no "], {"filled", "whole_id"}),
        ("id", ["ok", "no　"], {"filled", "whole_id"}),
        ("id", ["ok", "n/a"], {"filled", "whole_id"}),
        ("id", ["ok", "-"], {"filled"}),
        ("id", ["1.7E+18", "ok"], {"filled", "clean"}),
        ("id", ["2E+18", "ok"], {"filled", "clean"}),
        ("id", ["'130", "'5"], {"filled", "whole_id", "apostrophe"}),
        ("id", ["'130", "'"], {"filled", "whole_id"}),
        ("number", ["1", "12.50", "999999999999"], {"filled", "number"}),
        ("number", ["1", "9999999999999"], {"filled"}),
        ("number", ["1", "-1"], {"filled"}),
        ("number", ["1", "1."], {"filled"}),
        ("number", ["1", ".1"], {"filled"}),
        ("number", ["1", "1.1.1"], {"filled"}),
        ("number", ["1元", "1.5元"], {"filled", "yuan"}),
        ("number", ["1元", "1"], {"filled"}),
        ("time", ["2026-08-01"], {"filled", "day", "time", "t_time"}),
        ("time", ["2026-08-01 23:59:59"], {"filled", "time"}),
        ("time", ["2026-08-01T23:59"], {"filled", "t_time"}),
        ("time", ["2026-08-01 24:00:00"], {"filled"}),
        ("time", ["1999-08-01 23:00:00"], {"filled"}),
        ("time", ["2026-08-01 23:00:00", "2026-08-01"], {"filled"}),
        ("time", ["2026-08-01x23:00:00"], {"filled"}),
        ("number", [], {"filled", "number", "yuan"}),
    ],
)
def test_facts_hold_for_every_cell(look: Look, cells: list[str], facts: set[str]) -> None:
    assert found_in(cells, look) == facts
