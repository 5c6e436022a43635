"""Files as platforms give them, with every quirk: what they are, and what comes out of them."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pytest
from ingest_place import DAY, SOUND_ORDER, Place

from fixtures.exports import workbooks
from renqun.errors import RequestError
from renqun.ingest import unpack
from renqun.ingest.inspection import inspect_file
from renqun.ingest.ledger import BatchRecord
from renqun.settings import Group, Shop

HEADER = "订单编号,买家会员名,总金额,买家实际支付金额,订单状态,订单创建时间,订单付款时间 ,宝贝标题 ,卖家服务费,联系手机"
ROW = (
    '="90210000000000017","某某","1,201.12","1201.12元","买家已付款，等待卖家发货","2024/3/5 9:05",'
    '"2024-03-05 09:06:07","加厚,杯子","0元","\'13000000001"'
)
ITEMS = "订单编号,标题,价格,购买数量,外部系统编号,商品属性,套餐信息,备注,订单状态,商家编码"
ITEM_ROW = '="90210000000000017",杯子,39.00,2,A-1,颜色分类：红;尺码：M,,,交易成功,M-1'


def text(*lines: str, encoding: str = "gb18030", end: str = "\r\n") -> bytes:
    return (end.join(lines) + end).encode(encoding)


def received(place: Place, content: bytes, *, group: Group = "orders", name: str = "x.bin") -> BatchRecord:
    """The batch of one file of any name."""
    place.drop(content, group=group, name=name)
    (record,) = place.receive(group).batches
    return record


def refusal(place: Place, content: bytes, *, group: Group = "orders", name: str = "x.bin") -> RequestError:
    place.drop(content, group=group, name=name)
    with pytest.raises(RequestError) as caught:
        place.receive(group)
    return caught.value


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_the_classic_order_file_comes_out_clean(place: Place) -> None:
    record = received(place, text(HEADER, ROW))
    assert (record.source, record.encoding, record.format) == ("taobao_orders", "gb18030", "csv")
    assert place.rows(
        record, "order_id, order_paid_amount, order_list_amount, ordered_at, paid_at, item_names, phone"
    ) == [
        (
            "90210000000000017",
            "1201.12",
            "1201.12",
            "2024-03-05 09:05",
            "2024-03-05 09:06:07",
            "加厚,杯子",
            "13000000001",
        )
    ]
    assert place.reasons(record) == [None]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_guards_are_undone_in_any_encoding(place: Place, encoding: str, end: str) -> None:
    rows = [ROW, ROW.replace('="90210000000000017"', '="90210000000000018"').replace('"某某"', '=""')]
    record = received(place, text(HEADER, *rows, encoding=encoding, end=end))
    assert place.rows(record, "order_id, customer_id") == [("90210000000000017", "某某"), ("90210000000000018", None)]


def test_a_guard_inside_a_text_is_text(place: Place) -> None:
    row = ROW.replace("加厚,杯子", '写着,=""x"" 的杯子')
    record = received(place, text(HEADER, row))
    assert place.rows(record, "item_names") == [('写着,="x" 的杯子',)]


def test_columns_come_in_any_order_and_seller_selected(place: Place) -> None:
    record = received(place, text("买家实付金额,订单状态,订单编号,支付详情", "9.90,交易成功,90210000000000017,x"))
    assert (record.source, record.header_version) == ("taobao_orders", "2025")
    assert place.rows(record, "order_id, order_paid_amount") == [("90210000000000017", "9.90")]


def test_rows_with_one_more_empty_cell_than_the_header_are_whole(place: Place) -> None:
    record = received(place, text(ITEMS, ITEM_ROW + ",", ITEM_ROW + ",", ITEM_ROW + ",stray"))
    assert record.source == "taobao_order_items"
    assert place.rows(record, "item_name, quantity, item_properties, _source_row")[0] == (
        "杯子", "2", "颜色分类：红;尺码：M", 1,
    )  # fmt: skip
    # The stray cell makes its row ragged, and its order's other lines wait with it.
    assert place.reasons(record)[2] == "ragged_row"


def test_some_rows_with_a_trailing_comma_and_some_without_are_whole(place: Place) -> None:
    row = ITEM_ROW.replace("0017", "0018")
    record = received(place, text(ITEMS, ITEM_ROW + ",", row, row + ",,"))
    assert place.reasons(record) == [None, None, None]


def test_a_header_with_an_empty_end_is_read(place: Place) -> None:
    record = received(place, text(ITEMS + ",", ITEM_ROW + ","))
    assert place.reasons(record) == [None]


def test_rows_that_are_blank_are_left_out_and_counted(place: Place) -> None:
    record = received(place, text(HEADER, ROW, "," * HEADER.count(",")))
    assert (record.rows_read, record.rows_left_out) == (1, {"blank_row": 1})


def test_ids_that_a_spreadsheet_shortened_are_quarantined(place: Place) -> None:
    record = received(place, text(HEADER, ROW.replace('="90210000000000017"', "9.02E+16")))
    assert place.reasons(record) == ["digits_lost:order_id"]


def test_two_header_versions_in_one_day_are_two_batches(place: Place) -> None:
    place.drop(text(HEADER, ROW), name="one")
    place.drop(text("订单编号,买家实付金额,订单状态", "90210000000000018,9.90,交易成功"), name="two")
    versions = {record.header_version for record in place.receive().batches}
    assert len(versions) == 2


def test_the_name_of_an_unknown_column_may_be_one_of_raws_own(place: Place) -> None:
    record = received(place, text(HEADER + ",order_id,date,_batch_id,备用,备用", ROW + ",a,b,c,d,e"))
    names = ("order_id (in the file)", "date (in the file)", "_batch_id (in the file)", "备用", "备用 (in the file)")
    assert record.unknown_columns == names
    assert place.rows(record, ", ".join(f'"{name}"' for name in names)) == [("a", "b", "c", "d", "e")]


@pytest.mark.parametrize(
    ("content", "said", "to_do"),
    [
        (text(HEADER.replace("买家实际支付金额", "实付"), ROW), "nearest source is taobao_orders", "this column"),
        (
            text(HEADER.replace("买家实际支付金额", "实付"), ROW),
            "misses 买家实付金额 or 买家实际支付金额",
            "width and case",
        ),
        (text(HEADER.replace("总金额", "订单编号 "), ROW), "more than once: 订单编号", "once"),
        (text("订单编号,标题\x01", "1,2").replace(b"\x01", b""), "the nearest source is", "columns"),
        (b"<html><table><tr><td>\xb6\xa9", "web page", "export again"),
    ],
)
def test_a_near_miss_says_what_is_missing(place: Place, content: bytes, said: str, to_do: str) -> None:
    refused = refusal(place, content)
    assert said in refused.what
    assert to_do in str(refused.remedy)


# --- archives ---------------------------------------------------------------------------------------------------------


def test_an_archive_with_one_file_or_several_of_a_kind_is_one_batch(place: Place) -> None:
    other = text(HEADER, ROW.replace("0017", "0018"))
    content = zipped({"导出/一.csv": text(HEADER, ROW), "导出/二.csv": other, "__MACOSX/x": b"junk", ".DS_Store": b"j"})
    record = received(place, content)
    assert place.rows(record, "order_id, _source_row") == [("90210000000000017", 1), ("90210000000000018", 2)]


def test_gzip_is_read(place: Place) -> None:
    assert received(place, gzip.compress(text(HEADER, ROW), mtime=0)).rows_read == 1


def test_a_workbook_in_an_archive_is_read(place: Place) -> None:
    book = workbooks.xlsx(
        {"订单": [["订单编号", "买家实付金额", "订单状态"], ["90210000000000017", "9.90", "交易成功"]]}
    )
    assert received(place, zipped({"book": book})).format == "xlsx"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped({"one": text(HEADER, ROW), "two": text(ITEMS, ITEM_ROW)}), "several kinds"),
        (zipped({"one": text(HEADER, ROW), "two": text(HEADER + ",更多", ROW + ",x")}), "different columns"),
        (zipped({"one": zipped({"two": b"a,b\n"})}), "archive inside an archive"),
        (gzip.compress(gzip.compress(b"a,b\n", mtime=0), mtime=0), "archive inside an archive"),
        (zipped({"../../etc/passwd": text(HEADER, ROW)}), "leads out of it"),
        (zipped({"/tmp/x": text(HEADER, ROW)}), "leads out of it"),
        (zipped({"C:\\x": text(HEADER, ROW)}), "leads out of it"),
        (zipped({".hidden": b"x"}), "holds no file"),
        (zipped({"one": text(HEADER, ROW)})[:-30], "damaged"),
        (gzip.compress(text(HEADER, ROW), mtime=0)[:-9], "damaged"),
    ],
)
def test_an_archive_that_cannot_be_trusted_is_refused(place: Place, content: bytes, said: str) -> None:
    assert said in refusal(place, content).what


def test_a_bomb_is_refused_before_it_fills_the_disk(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "RATIO_COUNTS_FROM", 1_000_000)
    for content in (gzip.compress(b"0" * 5_000_000), zipped({"one": b"0" * 5_000_000})):
        assert "unpacks to far more" in refusal(place, content).what
    book = workbooks.xlsx({"a": [["订单编号"], ["0" * 3_000_000]]}, shared=False)
    assert "unpacks to far more" in refusal(place, book).what
    monkeypatch.setattr(unpack, "WORKBOOK_LIMIT", 1000)
    assert "too large" in refusal(place, workbooks.xlsx({"a": [["订单编号"], ["1"] * 200]})).what


def test_too_many_files_in_an_archive_are_refused(place: Place) -> None:
    assert "more than 200" in refusal(place, zipped({f"m{n}": b"x" for n in range(201)})).what


# --- workbooks --------------------------------------------------------------------------------------------------------

NEW = ["订单编号", "买家实付金额", "订单状态", "订单付款时间", "手机订单"]


@pytest.mark.parametrize("dimension", [None, "A1", "A1:ZZ9"])
def test_a_workbook_is_read_whatever_it_says_of_its_size(place: Place, dimension: str | None) -> None:
    rows = [
        NEW,
        ["90210000000000017", 9.9, "交易成功", "2024-03-05 09:05:00", "是"],
        [None] * 5,
        ["90210000000000018", 12, "x"],
    ]
    record = received(place, workbooks.xlsx({"Sheet1": rows}, dimension=dimension))
    assert place.rows(record, "order_id, order_paid_amount, paid_at, _source_row") == [
        ("90210000000000017", "9.9", "2024-03-05 09:05:00", 1), ("90210000000000018", "12", None, 2),
    ]  # fmt: skip


def test_a_number_that_has_lost_digits_quarantines_its_row(place: Place) -> None:
    rows = [NEW, [90210000000000017, 9.9, "交易成功"], [9021000000000001, 9.9, "交易成功"]]
    record = received(place, workbooks.xlsx({"Sheet1": rows}))
    assert place.reasons(record)[0] == "digits_lost:order_id"


def test_formulas_are_what_they_were_and_formula_looking_text_is_text(place: Place) -> None:
    rows: Sequence[Sequence[workbooks.Value]] = [
        NEW, ["90210000000000017", workbooks.Formula("1+8.9", "9.9"), "=cmd|' /C calc'!A0"],
    ]  # fmt: skip
    record = received(place, workbooks.xlsx({"Sheet1": rows}))
    assert place.rows(record, "order_paid_amount, status") == [("9.9", "=cmd|' /C calc'!A0")]


def test_the_one_sheet_that_is_an_export_is_taken(place: Place) -> None:
    rows = [NEW, ["90210000000000017", 9.9, "交易成功"]]
    content = workbooks.xlsx({"说明": [["这是一个说明"]], "订单": rows, "空": []})
    record = received(place, content)
    assert record.rows_read == 1
    found = inspect_file(place.shop, place.folder() / "x.bin")
    assert found.sheet == "订单"
    assert "'说明'" in found.notes[0]


def test_several_sheets_that_are_exports_are_told(place: Place) -> None:
    rows = [NEW, ["90210000000000017", 9.9, "交易成功"]]
    refused = refusal(place, workbooks.xlsx({"一": rows, "二": rows}))
    assert "'一' (taobao_orders), '二' (taobao_orders)" in refused.what


def test_an_old_workbook_is_read_with_its_preamble(place: Place) -> None:
    rows = [["店铺：某某"], ["统计日期：2024-03-04"], [], NEW, ["90210000000000017", "9.90", "交易成功"]]
    refused = refusal(place, workbooks.xls({"数据": rows}))
    assert "not taken in as xls" in refused.what


# --- days from outside ------------------------------------------------------------------------------------------------

SHOP_SOURCES = "一级来源,二级来源,三级来源,访客数,下单金额,下单买家数,支付金额,支付买家数,支付转化率"


def sources_workbook(*preamble: str, level: str = "汇总") -> bytes:
    names = [
        "流量载体",
        "一级来源",
        "二级来源",
        "三级来源",
        "四级来源",
        "访客数",
        "新访客",
        "支付买家数",
        "支付转化率",
        "支付金额",
    ]
    rows = [[line] for line in preamble]
    rows += [names, ["全店", "付费推广", "汇总", "汇总", "汇总", "1,100", "9", "5", "2.50%", "1,234.50"]]
    rows += [["全店", "付费推广", "关键词推广", "-", "-", "100", "9", "5", "2.50%", "234.50"]]
    return workbooks.xlsx({"全店流量来源": rows})


@pytest.mark.parametrize(
    ("preamble", "name", "day"),
    [
        (["统计日期：2024-03-01 ~ 2024-03-01", "导出时间：2024-03-05 08:00"], "2024-03-02.xlsx", "2024-03-01"),
        ([], "来源_2024-03-02_2024-03-02 (1).xlsx", "2024-03-02"),
        ([], "whatever", str(DAY)),
    ],
)
def test_the_day_comes_from_the_preamble_the_name_or_the_folder(
    place: Place, preamble: list[str], name: str, day: str
) -> None:
    record = received(place, sources_workbook(*preamble), group="traffic", name=name)
    assert record.source == "sycm_shop_sources"
    assert record.rows_left_out == {}
    assert place.rows(record, "stat_date, visitors, paid_rate, _source_row") == [
        (day, "1100", "0.025", 1),
        (day, "100", "0.025", 2),
    ]


def test_a_file_over_several_days_is_refused(place: Place) -> None:
    refused = refusal(place, sources_workbook("统计日期：2024-03-01至2024-03-07"), group="traffic")
    assert "sums up 2024-03-01 to 2024-03-07" in refused.what


def test_amounts_of_another_currency_than_the_shops_are_not_mixed_in(place: Place) -> None:
    abroad = Place(place.home, Shop(id="default", currency="USD"))
    assert "CNY" in refusal(abroad, text(HEADER, ROW)).what


# --- JSON lines and Parquet -------------------------------------------------------------------------------------------

EVENT = {
    "event_date": "20240304",
    "event_timestamp": 1709542800123456,
    "event_name": "view_item",
    "user_pseudo_id": "1.2",
    "event_params": [{"key": "ga_session_id", "value": {"int_value": 7}}],
    "items": [{"item_id": "i1"}],
}


def test_json_lines_keep_nested_values_as_json_and_broken_lines_their_place(place: Place) -> None:
    lines = [json.dumps(EVENT), '{"event_date": ', "", json.dumps({**EVENT, "later_field": [1]})]
    record = received(place, "\n".join(lines).encode(), group="traffic")
    assert (record.source, record.format, record.rows_read) == ("ga4_events", "jsonl", 3)
    assert place.reasons(record) == [None, "broken_json", None]
    params = place.rows(record, "event_params")[0][0]
    assert json.loads(params)[0]["value"]["int_value"] in {7, "7"}


def test_nested_parquet_becomes_json(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    source = tmp_path / "events.json"
    source.write_text(json.dumps(EVENT))
    duckdb.sql(f"COPY (SELECT * FROM read_json('{source}')) TO '{path}' (FORMAT parquet)")
    record = received(place, path.read_bytes(), group="traffic")
    assert (record.source, record.format) == ("ga4_events", "parquet")
    assert json.loads(place.rows(record, "event_params")[0][0])[0]["key"] == "ga_session_id"


# --- size -------------------------------------------------------------------------------------------------------------


def test_ten_million_bytes_in_one_cell_break_one_row(place: Place) -> None:
    rows = [ROW, ROW.replace("加厚,杯子", "杯" * 5_000_000), ROW.replace("0017", "0018")]
    record = received(place, text(HEADER, *rows))
    assert place.reasons(record) == [None, "row_too_long", None]


def test_half_a_file_loses_its_last_row_only(place: Place) -> None:
    content = text(HEADER, *[ROW] * 3)
    record = received(place, content[:-40])
    assert place.reasons(record) == [None, None, "ragged_row"]


def test_a_format_that_the_source_never_has_is_refused(place: Place) -> None:
    content = workbooks.xlsx({"a": [list(SOUND_ORDER), list(SOUND_ORDER.values())]})
    refused = refusal(place, content)
    assert "not taken in as xlsx" in refused.what
    assert "csv or parquet" in str(refused.remedy)
