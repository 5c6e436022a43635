"""Hostile and broken bytes in every format: a file is taken in or refused with a sentence, and soon."""

from __future__ import annotations

import gzip
import io
import json
import random
import time
import zipfile
from datetime import date
from functools import cache
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.exports import workbooks
from renqun.ingest.checks import Place as RowPlace
from renqun.ingest.detect import detect
from renqun.ingest.engine import workbench
from renqun.ingest.faults import FileRefused
from renqun.ingest.load import write_batch
from renqun.settings import Shop

SHOP = Shop(id="default")
DAY = date(2026, 3, 8)
SECONDS = 60.0
"""Bounded, not fast: what is tested is that nothing runs away, on a machine that does other things too."""

MAGIC = [b"PK\x03\x04", b"\x1f\x8b\x08", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1", b"{", b"[{"]
HEADER = ["订单编号", "买家会员名", "买家实际支付金额", "订单状态", "订单付款时间 "]
ROW = ['="90210000000000017"', '"某某"', '"1,201.12元"', '"交易成功"', '"2026/3/8 9:05"']


def order_text(encoding: str = "gb18030", delimiter: str = ",") -> bytes:
    return "\r\n".join(delimiter.join(row) for row in (HEADER, ROW, ROW, ROW, [])).encode(encoding)


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("导出.csv", content)
    return out.getvalue()


@cache
def good_files() -> dict[str, bytes]:
    """One sound file of every format and wrapping."""
    rows = [HEADER, ["90210000000000017", "某某", 9.9, "交易成功", "2026-03-08 09:05:00"]]
    event = {"event_date": "20260308", "event_timestamp": 1772928000000000, "event_name": "x", "user_pseudo_id": "1"}
    event |= {"event_params": [{"key": "ga_session_id", "value": {"int_value": 7}}]}
    return {
        "gb18030": order_text(),
        "utf-8": order_text("utf-8"),
        "utf-16": order_text("utf-16", "\t"),
        "tabs": order_text("utf-8-sig", "\t"),
        "semicolons": order_text("gb18030", ";"),
        "zip": zipped(order_text()),
        "gzip": gzip.compress(order_text(), mtime=0),
        "xlsx": workbooks.xlsx({"一": rows}),
        "xls": workbooks.xls({"一": rows}),
        "zipped workbook": zipped(workbooks.xlsx({"一": rows})),
        "jsonl": (json.dumps(event) + "\n").encode() * 3,
        "parquet": parquet(),
    }


def parquet() -> bytes:
    columns = "'1' AS order_id, '2026-03-08' AS ordered_at, 'i' AS item_id, 1 AS quantity, 2.5 AS unit_price"
    with workbench() as bench:
        path = bench.folder / "x.parquet"
        duckdb.sql(f"COPY (SELECT {columns}) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def look_at(content: bytes, folder: Path) -> str:
    """Take a file in, as far as raw; the refusal's sentence if it is refused."""
    path = folder / "fuzzed"
    path.write_bytes(content)
    began = time.monotonic()
    where = "landing/orders/2026-03-08/fuzzed"
    try:
        with workbench() as bench:
            found = detect(bench, path, group=None, where=where, day=DAY)
            place = RowPlace(SHOP, "fuzzed", "batch", SHOP.end_of_day(DAY))
            counts = write_batch(bench, path, found, place, where=where, target=folder / "out.parquet")
            assert counts.rows_quarantined <= counts.rows_read
            said = ""
    except FileRefused as refused:
        said = refused.what if refused.where and refused.remedy else "(a refusal that does not say where or what to do)"
    assert not said.startswith("("), said
    assert time.monotonic() - began < SECONDS
    return said


@pytest.mark.parametrize("kind", sorted(good_files()))
def test_a_sound_file_is_taken_in(kind: str, tmp_path: Path) -> None:
    said = look_at(good_files()[kind], tmp_path)
    assert not said or "not taken in as xls" in said


@pytest.mark.parametrize("kind", sorted(good_files()))
def test_a_file_cut_anywhere_is_taken_in_or_refused(kind: str, tmp_path: Path) -> None:
    content = good_files()[kind]
    draw = random.Random(f"cut {kind}")
    for place in [0, 1, 2, 3, 4, 8, len(content) - 1, *(draw.randrange(len(content)) for _ in range(8))]:
        look_at(content[:place], tmp_path)


@pytest.mark.parametrize("kind", sorted(good_files()))
def test_a_mutated_file_is_taken_in_or_refused(kind: str, tmp_path: Path) -> None:
    draw = random.Random(f"mutate {kind}")
    for _ in range(15):
        content = bytearray(good_files()[kind])
        for _ in range(draw.choice([1, 3, 20])):
            place = draw.randrange(len(content))
            match draw.randrange(3):
                case 0:
                    content[place] = draw.randrange(256)
                case 1:
                    del content[place : place + draw.randrange(1, 9)]
                case _:
                    content[place:place] = draw.choice([b'"', b",", b"\n", b"\x00", b'="', b"\xff", draw.randbytes(5)])
        look_at(bytes(content), tmp_path)


@settings(max_examples=40, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.tuples(
            st.sampled_from(MAGIC),
            st.binary(max_size=300),
        ).map(b"".join),
        st.tuples(st.just(order_text()[:60]), st.binary(max_size=200)).map(b"".join),
        st.text(st.sampled_from('订单编号买家,\t;|"=\n\r \x00状态付款时间1.'), max_size=80).map(str.encode),
        st.text(st.sampled_from('订单编号买家,\t"=\n 状态'), max_size=80).map(lambda text: text.encode("utf-16")),
    )
)
def test_any_bytes_are_taken_in_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    look_at(content, tmp_path_factory.mktemp("any"))


@pytest.mark.parametrize(
    "content",
    [
        b'"' * 2_000_000,
        b"," * 2_000_000,
        b"\n" * 2_000_000,
        "，".encode("gb18030") * 500_000,
        ("订单编号," * 20_000).encode(),
        ",".join(HEADER).encode() + b"\n" + b'"' * 2_000_001,
        ",".join(HEADER).encode() + b"\n" + b',="' * 300_000,
        b'{"a":' + b"[" * 100_000,
        b'{"event_date": "' + b"x" * 3_000_000,
    ],
    ids=["quotes", "commas", "lines", "wide", "names", "open", "guards", "nested", "long"],
)
def test_bytes_made_to_be_slow_are_not(content: bytes, tmp_path: Path) -> None:
    look_at(content, tmp_path)
