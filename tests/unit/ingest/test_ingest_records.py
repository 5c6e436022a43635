"""Splitting CSV: no record lost, no cell changed, and the careful reader agrees with the fast one."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renqun.errors import TechnicalError
from renqun.ingest import quotes, read, records
from renqun.ingest.catalogue import get_source
from renqun.ingest.detect import Detection, Header
from renqun.ingest.engine import Workbench, workbench
from renqun.ingest.plain import Plain
from renqun.ingest.quotes import quoting_of
from renqun.ingest.records import count_records, split_records

HEADER = ("order_id", "ordered_at", "item_id")

CELLS = st.text(st.sampled_from("ab,\"\n\r \t中é\u2028\x0b#\\'"), max_size=6)
SOUP = st.text(st.sampled_from('ab,,""\n\n\r '), max_size=40).map(str.encode)
BROKEN_BYTES = st.lists(st.sampled_from([b"a", b",", b"\xff", b"\xe4\xb8", b"\n", b'"', b" "]), max_size=30).map(
    b"".join
)


def cells(data: bytes) -> list[list[bytes] | None]:
    return [record.cells for record in split_records(data, 0)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\r\nc,d", [[b"a", b"b"], [b"c", b"d"]]),
        (b"a,b\nc,d\r\n", [[b"a", b"b"], [b"c", b"d"]]),
        (b'"a,""x""","b\r\nc"\n', [[b'a,"x"', b"b\r\nc"]]),
        (b"a,\n,\n", [[b"a", b""], [b"", b""]]),
        (b"\n\na\n\n", [[b"a"]]),
        (b'5" pot,b\n', [[b'5" pot', b"b"]]),
        (b'a, "b"\n', [[b"a", b' "b"']]),
        (b'"a" ,"b,c"  ,d\n"e"\t,f,"g" \r\n', [[b"a", b"b,c", b"d"], [b"e", b"f", b"g"]]),
        # Quotes that do not close take no other record with them.
        (b'a,"b\nc,d\n', [None, [b"c", b"d"]]),
        (b'a,"b"x\nc,d\n', [None, [b"c", b"d"]]),
        (b'a,"b\nc,"d"\n', [None, [b"c", b"d"]]),
    ],
)
def test_records_are_split_by_the_rules(data: bytes, expected: list[list[bytes] | None]) -> None:
    assert cells(data) == expected


def test_a_tab_behind_a_quote_separates_where_tabs_do() -> None:
    (record,) = split_records(b'"a" \t\t"b"\n', 0, b"\t")
    assert record.cells == [b"a", b"", b"b"]


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_what_a_csv_writer_wrote_comes_back(rows: list[list[str]], line_end: str) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=line_end).writerows(rows)
    assert cells(out.getvalue().encode()) == [[cell.encode() for cell in row] for row in rows]


@settings(deadline=None)
@given(SOUP)
def test_no_byte_but_line_ends_is_lost(data: bytes) -> None:
    kept = b"".join(record.text for record in split_records(data, 0))
    assert kept.translate(None, b"\r\n") == data.translate(None, b"\r\n")


@pytest.fixture(scope="module")
def bench() -> object:
    with workbench() as opened:
        yield opened


@settings(max_examples=100, deadline=None)
@given(body=st.one_of(SOUP, BROKEN_BYTES), line_end=st.sampled_from([b"\n", b"\r\n"]))
def test_the_fast_reader_agrees_with_the_careful_one_when_it_does_not_refuse(
    bench: Workbench, tmp_path_factory: pytest.TempPathFactory, body: bytes, line_end: bytes
) -> None:
    data = (",".join(HEADER).encode() + b"\n" + body).replace(b"\n", line_end)
    path = tmp_path_factory.getbasetemp() / "fast_and_careful.csv"
    path.write_bytes(data)
    detection = detection_of(data)
    plain = plain_of(path, data)
    if not quoting_of(path, plain.data_start, ",").is_sound:
        return
    columns = ", ".join(f"c{place}" for place in range(len(HEADER)))
    try:
        fast = bench.connection.execute(f"SELECT {columns} FROM ({read._strict_relation(bench, plain)})")
        fast_rows = fast.fetchall()
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        return
    careful = [
        tuple(cell.decode() for cell in record.cells or ())
        for record in split_records(data, detection.header.data_start)
    ]
    assert fast_rows == careful
    assert count_records(io.BytesIO(data)) == len(careful) + 1


@settings(max_examples=100, deadline=None)
@given(body=st.one_of(SOUP, BROKEN_BYTES), line_end=st.sampled_from([b"\n", b"\r\n"]))
def test_the_careful_reader_hands_over_every_record(
    bench: Workbench, tmp_path_factory: pytest.TempPathFactory, body: bytes, line_end: bytes
) -> None:
    data = (",".join(HEADER).encode() + b"\n" + body).replace(b"\n", line_end)
    path = tmp_path_factory.getbasetemp() / "careful.csv"
    path.write_bytes(data)
    detection, split = detection_of(data), path.with_suffix(".split")
    expected = []
    for record in split_records(data, detection.header.data_start):
        fault = read._fault(record, plain_of(path, data))
        expected.append(tuple(cell.decode() for cell in record.cells or ()) if fault is None else fault)
    assert read._split_to(plain_of(path, data), detection, split) == len(expected)
    rows = bench.connection.execute(
        f"SELECT c0, c1, c2, fault FROM ({read._split_relation(detection, split, ',')}) ORDER BY source_row"
    ).fetchall()
    assert [row[:3] if row[3] is None else row[3] for row in rows] == expected


def plain_of(path: Path, data: bytes) -> Plain:
    return Plain(path, ",", len(HEADER), len(HEADER), data.index(b"\n") + 1, starts_with_header=True, is_tolerant=False)


def detection_of(data: bytes) -> Detection:
    return Detection(get_source("orders"), Header(HEADER, "csv", "utf-8", data.index(b"\n") + 1))


def test_the_splitter_keeps_every_record_with_its_place(tmp_path: Path, bench: Workbench) -> None:
    data = b'order_id,ordered_at,item_id\n1,a,b\n2,a\n3,\xff,b\n4,a,b,c\n5,"a\n6,a,b\n'
    path = tmp_path / "broken.csv"
    path.write_bytes(data)
    rows: list[tuple[object, ...]] = []

    def fetch(sql: str, *_: object) -> int:
        rows[:] = bench.connection.execute(f"SELECT source_row, c0, fault, record_text FROM ({sql})").fetchall()
        return len(rows)

    read.read_file(bench, path, detection_of(data), "there", fetch)
    assert rows == [
        (1, "1", None, None),
        (2, "2", "ragged_row", "2,a"),
        (3, "3", "broken_encoding", "3,\\xff,b"),
        (4, "4", "ragged_row", "4,a,b,c"),
        (5, "", "ragged_row", '5,"a'),
        (6, "6", None, None),
    ]


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=8), st.integers(1, 7))
def test_records_are_counted_whatever_the_chunks(rows: list[list[str]], chunk: int) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_CHUNK_BYTES", chunk)
        assert count_records(io.BytesIO(out.getvalue().encode())) == len(rows)


@settings(deadline=None)
@given(st.one_of(SOUP, BROKEN_BYTES, st.binary(max_size=30)), st.integers(1, 7), st.sampled_from([",", "\t", ";"]))
def test_vectors_judge_quotes_as_the_patterns_do(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, chunk: int, delimiter: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "quotes.csv"
    path.write_bytes(data.replace(b",", delimiter.encode()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quotes, "_CHUNK_BYTES", chunk)
        fast = quoting_of(path, 0, delimiter, vectors_from=0)
    slow = quoting_of(path, 0, delimiter, vectors_from=10**9)
    assert fast.is_sound == slow.is_sound
    if slow.is_sound:
        assert fast.records == slow.records


def test_a_reader_that_loses_rows_is_found_out(tmp_path: Path, bench: Workbench) -> None:
    data = b"order_id,ordered_at,item_id\n1,a,b\n2,a,b\n"
    path = tmp_path / "sound.csv"
    path.write_bytes(data)
    counts = iter([1, 2])
    read.read_file(bench, path, detection_of(data), "there", lambda *_: next(counts))
    assert next(counts, None) is None, "the careful reader had to be asked"
    with pytest.raises(TechnicalError, match="2 rows, but 1 were read"):
        read.read_file(bench, path, detection_of(data), "there", lambda *_: 1)
