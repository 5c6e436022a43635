"""Cleaning cells: every way in which platforms write a value, and no value changed into another one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renqun.ingest.catalogue import Column, parse_source
from renqun.ingest.clean import cleaning, last_of_range, steps_applied
from renqun.settings import Shop

SOURCE = parse_source(
    """
source: things
group: orders
title: things
formats: [csv]
merge: {mode: append, key: [thing_id]}
columns: [{name: thing_id, kind: id, meaning: it}]
""",
    "things.yml",
)
SHOP = Shop(id="default")
CONNECTION = duckdb.connect()
CONNECTION.execute("SET TimeZone = 'UTC'")


def clean(value: str | None, kind: str, shop: Shop = SHOP, **options: object) -> str | None:
    """A cell as raw will hold it."""
    last = {"last": "last_day"} if kind == "date_range" else {}
    column = Column.model_validate({"name": "it", "kind": kind, "meaning": "it", **last, **options})
    return applied(cleaning(SOURCE, column, shop), value)


def applied(how: object, value: str | None) -> str | None:
    sql = "SELECT ?::VARCHAR AS c0"
    way = steps_applied(how, "c0", "v")  # type: ignore[arg-type]
    for name, expression in way:
        sql = f"SELECT *, {expression} AS {name} FROM ({sql})"
    row = CONNECTION.execute(f"SELECT {way[-1][0]} FROM ({sql})", [value]).fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("id", '="90210000000000017"', "90210000000000017"),
        ("id", '=""', None),
        ("id", "'13000000001", "13000000001"),
        ("id", "\t90210000000000017\t", "90210000000000017"),
        ("id", "-", None),
        ("id", "--", None),
        ("id", "  ", None),
        ("id", None, None),
        ("id", "9.02E+16", "9.02E+16"),
        ("id", "tb_某人1", "tb_某人1"),
        ("text", " 手淘搜索\u3000", "手淘搜索"),
        ("text", "-", None),
        ("text", "a - b", "a - b"),
        ("text", "'tis a mug, really", "'tis a mug, really"),
        ("text", '="=SUM(A1)"', "=SUM(A1)"),
        ("text", "=SUM(A1)", "=SUM(A1)"),
        ("text", "第一行\n第二行 and more", "第一行\n第二行 and more"),
        ("money", "12.30元", "12.30"),
        ("money", "0元", "0"),
        ("money", "￥1,234.00", "1234.00"),
        ("money", "¥1,234,567.89", "1234567.89"),
        ("money", "-¥12", "-12"),
        ("money", "¥-12", "-12"),
        ("money", "(12.00)", "-12.00"),
        ("money", "（￥1,200.50）", "-1200.50"),
        ("money", "１２．３０", "12.30"),
        ("money", "+12.30", "12.30"),
        ("money", "\t12.30 ", "12.30"),
        ("money", "CNY 12.30", "12.30"),
        ("money", "$12.30", "$12.30"),
        ("money", "12,34,567.00", "1234567.00"),
        ("money", "1.234,56", "1234.56"),
        ("money", "9,38", "9.38"),
        ("money", "0,123", "0.123"),
        ("money", "1.2E-05", "0.000012"),
        ("money", "1.71E+18", "1.71E+18"),
        ("money", "12.3.4", "12.3.4"),
        ("money", "无", "无"),
        ("money", " --", None),
        ("quantity", "11,269", "11269"),
        ("quantity", "3件", "3"),
        ("percent", "78.15%", "0.7815"),
        ("percent", "7,815.00%", "78.15"),
        ("percent", "9,38%", "0.0938"),
        ("percent", "100%", "1"),
        ("percent", "0.00%", "0"),
        ("percent", "-2.5%", "-0.025"),
        ("percent", "７８．１５％", "0.7815"),
        ("percent", "0.07861", "0.07861"),
        ("percent", "-", None),
        ("percent", "many", "many"),
        ("duration", "35.21", "35.21"),
        ("duration", "00:01:05", "65"),
        ("duration", "01:05", "65"),
        ("duration", "1分5秒", "65"),
        ("duration", "12秒", "12"),
        ("timestamp", "2026-03-08 09:05:00", "2026-03-08 09:05:00"),
        ("timestamp", "2026/3/8 9:05", "2026-03-08 09:05"),
        ("timestamp", "2026/03/08 09:05:07", "2026-03-08 09:05:07"),
        ("timestamp", "2026年3月8日 9:05:07", "2026-03-08 09:05:07"),
        ("timestamp", "2026-03-08T09:05:07+08:00", "2026-03-08 09:05:07+08:00"),
        ("timestamp", "2026-08-01 00:30:00 +0530", "2026-08-01 00:30:00+0530"),
        ("timestamp", "2026-08-01 00:30:00 UTC", "2026-08-01 00:30:00Z"),
        ("timestamp", "20260308090507", "2026-03-08 09:05:07"),
        ("timestamp", "2026-03-08 9:5:7.5", "2026-03-08 09:05:7.5"),
        ("timestamp", "0000-00-00 00:00:00", None),
        ("timestamp", "########", "########"),
        ("timestamp", "45810.5", "45810.5"),
        ("timestamp", "03/08/2026", "03/08/2026"),
        ("date", "20260308", "2026-03-08"),
        ("date", "2026-03-08\t", "2026-03-08"),
        ("date", "2026/3/8", "2026-03-08"),
        ("date", "2026-03-08 00:00:00", "2026-03-08"),
        ("date_range", "20260301至20260307", "2026-03-01"),
        ("date_range", "2026-03-01 ~ 2026-03-07", "2026-03-01"),
        ("date_range", "20260301", "2026-03-01"),
        ("date_range", "2026-03-01", "2026-03-01"),
        ("boolean", "是", "true"),
        ("boolean", "No", "false"),
        ("boolean", "maybe", "maybe"),
    ],
)
def test_a_cell_becomes_canonical(kind: str, written: str | None, value: str | None) -> None:
    assert clean(written, kind) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [("20260301至20260307", "2026-03-07"), ("2026/3/1-2026/3/7", "2026-03-07"), ("20260301", "2026-03-01")],
)
def test_a_date_range_has_a_last_day(written: str, value: str) -> None:
    column = Column(name="it", kind="date_range", last="last_day", meaning="it")
    assert applied(last_of_range(column), written) == value


def test_options_of_a_column_are_kept() -> None:
    assert clean("无退款申请", "money", nulls=["无退款申请"]) is None
    assert clean("0.5", "percent", percent_as="points") == "0.005"
    assert clean("0.5%", "percent", percent_as="points") == "0.005"
    assert clean("1717200000123456", "timestamp", time_unit="microseconds") == "2024-06-01T00:00:00.123456Z"
    assert clean("1717200000", "timestamp", time_unit="seconds") == "2024-06-01T00:00:00.000000Z"
    assert clean("soon", "timestamp", time_unit="seconds") == "soon"


def test_an_amount_in_the_shops_own_sign_is_read_and_in_another_one_not() -> None:
    american = Shop(id="seattle", currency="USD", time_zone="America/Los_Angeles")
    assert clean("$1,234.50", "money", american) == "1234.50"
    assert clean("￥12.30", "money", american) == "￥12.30"


def test_times_of_another_zone_than_the_shops_say_so() -> None:
    american = Shop(id="seattle", currency="USD", time_zone="America/Los_Angeles")
    source = SOURCE.model_copy(update={"time_zone": "Asia/Shanghai"})
    column = Column(name="it", kind="timestamp", meaning="it")
    assert applied(cleaning(source, column, american), "2026/3/8 9:05") == "2026-03-08T01:05:00Z"
    assert applied(cleaning(source, column, SHOP), "2026/3/8 9:05") == "2026-03-08 09:05"


def around(text: str, before: str, after: str) -> str:
    return before + text + after


BLANKS = st.text(st.sampled_from(" \t\u00a0\u3000\ufeff"), max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.decimals(-999_999, 999_999, places=2), st.sampled_from(["", "￥", "¥"]), st.booleans(), BLANKS, BLANKS)
def test_an_amount_is_the_same_amount_however_it_is_dressed(
    amount: Decimal, sign: str, in_brackets: bool, before: str, after: str
) -> None:
    written = f"{sign}{abs(amount):,.2f}"
    if amount < 0:
        written = f"({written})" if in_brackets else f"-{written}"
    found = clean(around(written, before, after), "money")
    assert found is not None
    assert Decimal(found) == amount


@settings(max_examples=60, deadline=None)
@given(st.from_regex(r"[0-9]{10,19}", fullmatch=True), st.sampled_from(["{}", '="{}"', "'{}", "\t{}\t"]))
def test_an_id_keeps_every_digit(digits: str, guard: str) -> None:
    assert clean(guard.format(digits), "id") == digits


@settings(max_examples=60, deadline=None)
@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(lambda at: at.replace(microsecond=0)))
def test_a_time_is_the_same_time_however_it_is_written(at: datetime) -> None:
    for written in (
        f"{at.year}/{at.month}/{at.day} {at.hour}:{at.minute:02}:{at.second:02}",
        f"{at.year}年{at.month}月{at.day}日 {at:%H:%M:%S}",
        f"{at:%Y%m%d%H%M%S}",
        f"{at:%Y-%m-%d %H:%M:%S}",
    ):
        assert clean(written, "timestamp") == f"{at:%Y-%m-%d %H:%M:%S}"


@settings(max_examples=80, deadline=None)
@given(
    st.text(st.sampled_from("0123456789.,-+()%¥元=\"' \t至/年月日:E￥１abc"), max_size=14),
    st.sampled_from(["id", "text", "money", "quantity", "percent", "duration", "timestamp", "date", "boolean"]),
)
def test_cleaning_never_fails_and_cleaning_twice_changes_nothing(text: str, kind: str) -> None:
    once = clean(text, kind)
    if kind in {"money", "quantity", "timestamp", "date", "duration"} and once is not None:
        assert clean(once, kind) in {once, None}


@given(
    st.from_regex(r"['-]?\d{1,24}(\.\d{0,8})?(元|元元|')?", fullmatch=True),
    st.sampled_from(["id", "money", "duration"]),
)
@settings(max_examples=60, deadline=None)
def test_the_quick_way_and_the_steps_make_the_same_text(value: str, kind: str) -> None:
    column = Column.model_validate({"name": "it", "kind": kind, "meaning": "it"})
    how = cleaning(SOURCE, column, SHOP)

    assert how.quick is not None
    assert applied(how, value) == applied(replace(how, quick=None), value)
