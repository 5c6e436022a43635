"""What a file is, by its bytes; and files that are refused whole, each with what to do."""

from __future__ import annotations

import json
import random

import duckdb
import pytest
from ingest_place import DAY, SOUND_CONSENT, SOUND_EVENT, SOUND_ORDER, Place, csv_file

from renqun.errors import RequestError
from renqun.ingest.ledger import all_batches, incoming_batches, rejected_batches

ORDERS = csv_file(SOUND_ORDER)
JUNK = random.Random(7).randbytes(4000)


@pytest.mark.parametrize(
    ("content", "said", "to_do"),
    [
        (b"", "is empty", "close-day"),
        (b"\n\n \n", "is empty", "close-day"),
        (b"\xef\xbb\xbf", "is empty", "close-day"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + JUNK, "Excel workbook", "CSV UTF-8"),
        (b"PK\x03\x04....xl/workbook.xml" + JUNK, "zip archive or Excel workbook is damaged", "again"),
        (b"\x1f\x8b\x08" + JUNK, "gzip archive is damaged", "again"),
        (b"Rar!" + JUNK, "RAR archive", "unpack"),
        (b"%PDF-1.7" + JUNK, "PDF", "CSV"),
        (b'[{"order_id": 1}]', "one JSON list", "one JSON object a line"),
        (b'{"order_id": \n1}', "no JSON objects", "JSON lines"),
        (b"<!DOCTYPE html><html><body>please log in", "web page", "export again"),
        (b"\xef\xbb\xbf\r\n<table><tr><td>order_id", "web page", "export again"),
        (b"PAR1" + JUNK, "Parquet file is damaged", "again"),
        (b"order\x00" + JUNK, "binary file", "CSV"),
        (JUNK.replace(b"\x00", b"\x01"), "binary file", "CSV"),
        (b"a,b,c\n1,2,3\n", "no source knows any of its columns (a, b, c)", "Required in a generic one are"),
        (b"13800138000,x@example.com\n", "(…, …)", "header line"),
        (ORDERS.replace("unit_price", "cost"), "nearest source is orders (order lines)", "with this column"),
        (ORDERS.replace("unit_price", "cost"), "but the header misses unit_price or", "with this column"),
        (ORDERS.replace("unit_price", "p").replace("item_id", "i"), "product_id, unit_price or", "these columns"),
        (ORDERS.replace("paid_at", "Paid_At"), "'Paid_At' for 'paid_at'", "exactly"),
        (ORDERS.replace("quantity", " quantity"), "' quantity' for 'quantity'", "exactly"),
        (ORDERS.replace("paid_at", "order_id"), "more than once: order_id", "once"),
        (ORDERS.replace("paid_at", ""), "no name for column 4", "name every column"),
        (ORDERS.replace("paid_at", "_batch_id"), "_batch_id", "as the platform made it"),
        (b'order_id,"item_id\no1,i1\n', "no CSV header", "one header line"),
        (csv_file(SOUND_EVENT), "belong to the group 'traffic'", f"move it to landing/traffic/{DAY}/"),
        (csv_file(SOUND_CONSENT), "belong to the group 'profiles'", f"landing/profiles/{DAY}/"),
    ],
)  # fmt: skip
def test_a_file_is_refused_whole_and_kept(place: Place, content: bytes | str, said: str, to_do: str) -> None:
    path = place.drop(content)
    with pytest.raises(RequestError) as refusal:
        place.receive()
    assert said in refusal.value.what
    assert to_do in str(refusal.value.remedy)
    assert refusal.value.where == f"landing/orders/{DAY}/export.csv"
    (record,) = rejected_batches(place.paths)
    kept = place.paths.raw / "rejected" / record.batch_id
    assert (kept / "export.csv").read_bytes() == path.read_bytes()
    assert json.loads((kept / "batch.json").read_text())["rejected_because"] == refusal.value.what
    assert incoming_batches(place.paths) == []


def test_all_bad_files_of_a_call_are_named_at_once_and_good_ones_are_received(place: Place) -> None:
    place.drop("a,b\n", name="first.csv")
    place.drop(ORDERS, name="good.csv")
    place.drop("", name="second.csv")
    place.drop(ORDERS, day="2024-3-6")
    place.folder().parent.joinpath("stray.csv").write_text(ORDERS)
    with pytest.raises(RequestError) as refusal:
        place.receive()
    for named in ("first.csv", "second.csv", "2024-3-6", "stray.csv", "YYYY-MM-DD"):
        assert named in str(refusal.value)
    assert "good.csv" not in str(refusal.value)
    assert [record.file_name for record in incoming_batches(place.paths)] == ["good.csv"]


def test_a_refused_file_can_be_corrected(place: Place) -> None:
    place.drop(csv_file(SOUND_EVENT))
    with pytest.raises(RequestError):
        place.receive()
    place.folder().joinpath("export.csv").unlink()
    place.drop(csv_file(SOUND_EVENT), group="traffic")
    (record,) = place.receive("traffic").batches
    assert [(entry.batch_id, entry.verdict) for entry in all_batches(place.paths)] == [(record.batch_id, "incoming")]


@pytest.mark.parametrize(
    ("group", "header", "source"),
    [
        ("orders", "unit_price,order_id,quantity,item_id,ordered_at", "orders"),
        ("traffic", "visitor_id,event_type,event_at,item_id", "traffic_events"),
        ("traffic", "date,source_level_1,visitors", "traffic_sources"),
        ("profiles", "customer_id", "members"),
        ("profiles", "customer_id,phone,email,province,city", "members"),
        ("profiles", "customer_id,phone,email,channel,purpose,granted,recorded_at", "consent"),
        ("profiles", "customer_id,phone,email,cause,status,recorded_at", "suppressions"),
    ],
)
def test_header_names_decide_in_any_order_and_a_header_only_file_is_a_batch_of_no_rows(
    place: Place, group: str, header: str, source: str
) -> None:
    record = place.receive_one(header, group=group)
    assert (record.source, record.rows_read, record.rows_quarantined) == (source, 0, 0)
    assert place.rows(record) == []


def test_a_consent_file_needs_one_of_its_keys(place: Place) -> None:
    place.drop("channel,purpose,granted,recorded_at\n", group="profiles")
    with pytest.raises(RequestError, match="misses customer_id or phone or email"):
        place.receive("profiles")


def test_header_versions_are_equal_when_the_names_are(place: Place) -> None:
    one = place.receive_one("order_id,ordered_at,item_id,quantity,unit_price\n")
    other = place.receive_one("item_id,order_id,ordered_at,quantity,unit_price\n")
    third = place.receive_one("item_id,order_id,ordered_at,quantity,unit_price,note\n")
    assert one.header_version == other.header_version != third.header_version
    assert third.unknown_columns == ("note",)
    assert "customer_id" in third.missing_columns


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_byte_order_marks_and_line_ends_change_nothing(place: Place, mark: str, line_end: str) -> None:
    row = SOUND_ORDER | {"item_name": 'a "mug", blue'}
    record = place.receive_one(mark + csv_file(row, row | {"order_id": "o2"}).replace("\n", line_end))
    assert place.rows(record, "order_id, item_name, unit_price") == [
        ("o1", 'a "mug", blue', "9.90"),
        ("o2", 'a "mug", blue', "9.90"),
    ]
    assert record.encoding == ("utf-8-sig" if mark else "utf-8")


def test_blank_lines_before_the_header_and_between_rows_are_no_rows(place: Place) -> None:
    record = place.receive_one("\n\n" + ORDERS.replace("\n", "\n\n"))
    assert place.rows(record, "order_id, _source_row") == [("o1", 1)]


def test_typed_parquet_becomes_the_text_an_export_would_hold(place: Place) -> None:
    path = place.folder() / "orders [1]*.parquet"
    path.parent.mkdir(parents=True)
    duckdb.sql(f"""
        COPY (SELECT 12345678901234567 AS order_id, 17850.0::DOUBLE AS customer_id,
            TIMESTAMP '2024-03-05 10:00:00' AS ordered_at, TIMESTAMPTZ '2024-03-05 03:00:00+00' AS paid_at,
            1.71e18::DOUBLE AS category_id, 'i1' AS item_id, 2::DOUBLE AS quantity, 9.90::DECIMAL(10,2) AS unit_price,
            0.00005::DOUBLE AS discount_amount, DATE '2024-03-05' AS refunded_at, true AS is_gift)
        TO '{path}' (FORMAT parquet)""")
    (record,) = place.receive().batches
    assert record.format == "parquet"
    assert place.rows(
        record,
        "order_id, customer_id, ordered_at, left(paid_at, 16), quantity, unit_price, discount_amount, refunded_at, "
        "is_gift, _quarantine_reason",
    ) == [
        (
            "12345678901234567", "17850", "2024-03-05 10:00:00", "2024-03-05 03:00", "2", "9.90", "0.00005",
            "2024-03-05", "true", "digits_lost:category_id",
        )
    ]  # fmt: skip


def test_a_parquet_file_that_was_cut_off_is_refused(place: Place) -> None:
    path = place.folder() / "orders.parquet"
    path.parent.mkdir(parents=True)
    duckdb.sql(f"COPY (SELECT 'o' || range AS order_id FROM range(5000)) TO '{path}' (FORMAT parquet)")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RequestError, match="damaged or cut off"):
        place.receive()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_text_is_read_in_any_encoding_and_with_any_separator(place: Place, encoding: str, delimiter: str) -> None:
    rows = [SOUND_ORDER | {"order_id": f"o{n}", "item_name": f"加厚杯子{n}"} for n in range(3)]
    content = csv_file(*rows).replace(",", delimiter)
    record = place.receive_one(content.encode(encoding))
    assert record.format == "csv"
    assert place.rows(record, "order_id, item_name, _source_row") == [
        ("o0", "加厚杯子0", 1), ("o1", "加厚杯子1", 2), ("o2", "加厚杯子2", 3),
    ]  # fmt: skip
    assert set(place.reasons(record)) == {None}


def test_western_text_is_read(place: Place) -> None:
    rows = [SOUND_ORDER | {"item_name": "Café crème – 5 €"}, SOUND_ORDER | {"item_name": "Müller"}]
    record = place.receive_one(csv_file(*rows).encode("windows-1252"))
    assert record.encoding == "windows-1252"
    assert place.rows(record, "item_name") == [("Café crème – 5 €",), ("Müller",)]


def test_chinese_signs_after_a_long_stretch_of_ascii_are_found(place: Place) -> None:
    rows = [SOUND_ORDER | {"order_id": f"o{n}", "item_name": "x" * 200} for n in range(30_000)]
    content = csv_file(*rows, SOUND_ORDER | {"item_name": "搪瓷杯"}, SOUND_ORDER | {"item_name": "玻璃杯"})
    record = place.receive_one(content.encode("gb18030"))
    assert (record.encoding, record.rows_read, record.rows_quarantined) == ("gb18030", 30_002, 0)
    assert place.rows(record, "max(item_name)") == [("玻璃杯",)]


def test_one_broken_sign_in_a_chinese_file_quarantines_its_row_only(place: Place) -> None:
    rows = [SOUND_ORDER | {"order_id": f"o{n}", "item_name": "搪瓷杯"} for n in range(3)]
    content = csv_file(*rows).encode("gb18030").replace("搪".encode("gb18030"), b"\xff\xff", 1)
    record = place.receive_one(content)
    assert place.reasons(record) == ["broken_encoding", None, None]
