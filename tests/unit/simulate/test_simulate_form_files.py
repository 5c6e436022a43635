"""What the files of each form look like: as the platform writes them, its quirks included."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from simulated_shop import END, SimulatedShop, make_shop

from renqun.errors import RequestError
from renqun.simulate import Dirt, small_config
from renqun.simulate.shopify_files import share
from renqun.simulate.workbooks import xls, xlsx


def test_classic_orders_look_as_the_platform_writes_them(shops: dict[str, SimulatedShop]) -> None:
    header, *lines = shops["taobao"].texts("taobao_orders")[0].splitlines()

    assert len(header.split(",")) == 54
    assert [name for name in header.split(",") if name != name.strip()] == [
        "收货地址 ", "联系电话 ", "订单付款时间 ", "宝贝标题 ", "宝贝种类 ", "物流单号 ",
    ]  # fmt: skip
    assert '"' not in header
    assert all(line.startswith('="') and ',="",' in line for line in lines)
    text = "\n".join(lines)
    assert "\"'154" in text
    assert '"0元"' in text
    assert "买家已付款，等待卖家发货" in text
    assert "请用“礼盒”, 谢谢" in text
    rows = csv.reader(text.replace('="', '"').splitlines())
    assert {row[header.split(",").index("订单关闭原因")] for row in rows} == {"订单未关闭", "买家未付款", "退款"}


def test_lines_without_ids_come_in_the_classic_item_report(shops: dict[str, SimulatedShop]) -> None:
    (classic,) = (text for text in shops["taobao"].texts("taobao_order_items") if "子订单编号" not in text)
    header, *lines = classic.splitlines()

    assert len(header.split(",")) == 10
    assert [line.split(",")[0] for line in lines] == ['="P-lines_without_id-1"'] * 2
    # Every row has a comma more than the header.
    assert all(len(next(csv.reader([line]))) == 11 and line.endswith(",") for line in lines)


def test_newer_workbooks_have_half_wide_commas_and_hide_addresses(shops: dict[str, SimulatedShop]) -> None:
    path = next(path for _, path, entry in shops["taobao_xlsx"].places() if entry["source"] == "taobao_orders")
    header, *rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    shown = [dict(zip(map(str, header), map(str, row), strict=True)) for row in rows]

    assert "买家会员昵称" in shown[0]
    assert "联系手机" not in shown[0]
    assert any(row["订单状态"] == "买家已付款,等待卖家发货" for row in shown)
    assert not any("，" in row["订单状态"] for row in shown if row["订单状态"] != "定金已付，等待买家付尾款")
    assert {row["收货地址"][-4:] for row in shown if row["收货地址"]} == {"****"}
    assert not any("154" in row["收货地址"] for row in shown)


def test_an_id_that_a_spreadsheet_damaged_is_a_number_in_a_workbook(shops: dict[str, SimulatedShop]) -> None:
    path = next(
        path
        for _, path, entry in shops["taobao_xlsx"].places()
        if entry["source"] == "taobao_orders" and "digits_lost" in entry["quarantined"]
    )

    assert 1.71e18 in {row[0] for row in CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()}


@pytest.mark.parametrize("form", ["taobao", "taobao_xlsx"])
def test_shop_sources_add_up_to_their_sums_and_to_the_generic_figures(
    shops: dict[str, SimulatedShop], form: str
) -> None:
    (path,) = (
        path
        for _, path, entry in shops[form].places()
        if entry["source"] == "sycm_shop_sources" and entry["date"] == END and not entry["same_bytes_as"]
    )
    book = CalamineWorkbook.from_path(str(path))
    assert book.sheet_names == ["全店流量来源", "分载体流量来源"]
    table = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    header = table[5]
    rows = [dict(zip(map(str, header), map(str, row), strict=True)) for row in table[6:]]
    with (shops["generic"].landing / "traffic" / END / "traffic_sources.csv").open(encoding="utf-8") as stream:
        generic = {row["source_level_2"]: row for row in csv.DictReader(stream)}

    leaves = {row["二级来源"]: row for row in rows if row["二级来源"] != "汇总"}
    assert leaves.keys() == generic.keys()
    for source, row in leaves.items():
        assert row["访客数"].replace(",", "") == generic[source]["visitors"]
        assert Decimal(row["支付金额"].replace(",", "")) == Decimal(generic[source]["paid_amount"])
    for total in (row for row in rows if row["二级来源"] == "汇总"):
        below = [row for row in leaves.values() if total["一级来源"] in (row["一级来源"], "汇总")]
        assert len(below) > 1
        assert int(total["访客数"].replace(",", "")) == sum(int(row["访客数"].replace(",", "")) for row in below)


@pytest.mark.parametrize("form", ["taobao", "taobao_xlsx"])
def test_the_platforms_total_is_the_shops_own_and_what_the_shop_placed_itself(
    shops: dict[str, SimulatedShop], form: str
) -> None:
    truth = shops[form].truth
    days = truth["totals"][END]["after_late"]["days"]
    brushed = {order["paid_date"]: order for order in truth["excluded_orders"]}
    found = set()
    for _, path, entry in shops[form].places():
        if entry["source"] != "sycm_shop_daily":
            continue
        header, row = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)[4:]
        shown = {str(name): str(cell).replace(",", "") for name, cell in zip(header, row, strict=True)}
        day, extra = shown["统计日期"], brushed.get(shown["统计日期"])
        wanted = days[day]
        assert (int(shown["访客数"]), int(shown["浏览量"])) == (wanted["visitors"], wanted["views"])
        assert int(shown["支付父订单数"]) == wanted["orders_paid"] + bool(extra)
        own = Decimal(wanted["paid_amount"]) + Decimal(extra["paid_amount"] if extra else 0)
        assert Decimal(shown["支付金额"]) == own
        found.add(day)
    assert brushed.keys() < found
    assert len(found) == 40


def test_only_taobaos_forms_have_orders_of_the_shop_itself(shops: dict[str, SimulatedShop]) -> None:
    counts = {form: shop.truth["excluded_order_count"] for form, shop in shops.items()}
    assert counts == {"generic": 0, "taobao": 2, "taobao_xlsx": 2, "shopify": 0}


def test_a_recount_of_clean_classic_files_gives_the_totals(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, replace(small_config(), form="taobao", dirt=Dirt.none()))
    totals = shop.truth["totals"][END]["after_late"]
    heads: dict[str, dict[str, str]] = {}
    lines: dict[str, list[dict[str, str]]] = {}
    refunds: dict[str, dict[str, str]] = {}
    for place, path, _ in sorted(shop.places(), key=lambda one: one[0]):
        if not place.startswith("orders/"):
            continue
        text = path.read_bytes().decode("gb18030").replace('="', '"')
        names, *cells = csv.reader(text.splitlines())
        rows = [dict(zip((name.strip() for name in names), row, strict=False)) for row in cells]
        together: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in rows:
            if "退款编号" in row:
                refunds[row["退款编号"]] = row
            elif "购买数量" in row:
                together[row.get("主订单编号") or row["订单编号"]].append(row)
            else:
                heads[row["订单编号"]] = row
        lines.update(together)
    listed = {order["order_id"] for order in shop.truth["excluded_orders"]}
    assert len(listed) == shop.truth["excluded_order_count"] == 2
    assert listed <= heads.keys()
    heads = {order: row for order, row in heads.items() if order not in listed}
    lines = {order: rows for order, rows in lines.items() if order not in listed}
    paid = [row for row in heads.values() if row["订单付款时间"]]
    given_back = [row for row in refunds.values() if row["退款状态"] == "退款成功"]

    assert len(heads) == totals["orders"]
    assert len(paid) == totals["orders_paid"]
    assert sum(Decimal(row["买家实际支付金额"]) for row in paid) == Decimal(totals["paid_amount"])
    assert sum(Decimal(row["买家退款金额"]) for row in given_back) == Decimal(totals["refunded_amount"])
    assert len(refunds) > len(given_back) > 0
    # One file shows a line of an order twice.
    distinct = {(order, row.get("子订单编号") or str(n)) for order, rows in lines.items() for n, row in enumerate(rows)}
    assert len(distinct) == totals["order_lines"]


def test_shopify_tells_of_the_order_on_its_first_row_only(shops: dict[str, SimulatedShop]) -> None:
    path = next(path for _, path, entry in shops["shopify"].places() if entry["source"] == "shopify_orders")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    by_order: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_order[row["Name"]].append(row)

    assert any(len(lines) > 1 for lines in by_order.values())
    for first, *others in by_order.values():
        assert first["Financial Status"]
        assert first["Created at"].endswith(" +0800")
        for row in others:
            of_line = {name for name, value in row.items() if value} - {"Name", "Email"}
            assert of_line
            assert all(name.startswith("Lineitem") for name in of_line)
    assert {row["Financial Status"] for row in rows if row["Financial Status"]} >= {
        "paid", "partially_refunded", "refunded", "voided",
    }  # fmt: skip


def test_shopify_names_a_guest_by_nothing(shops: dict[str, SimulatedShop]) -> None:
    for path in (shops["shopify"].landing / "orders").rglob("*.csv"):
        with path.open(encoding="utf-8", errors="replace", newline="") as stream:
            for row in csv.DictReader(stream):
                is_known_by_phone = row["Name"].startswith("P-hidden_nick_with_phone")
                if row["Financial Status"] and not row["Customer ID"] and not is_known_by_phone:
                    assert (row["Email"], row["Phone"]) == ("", "")


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (5_500, [1_000, 4_000], [1_100, 4_400]),
        (10, [0, 0], [5, 5]),
        # 2.5 and 7.5: equal remainders, the first in place gets the cent.
        (10, [1, 3], [3, 7]),
        (0, [3, 4], [0, 0]),
    ],
)
def test_cents_are_shared_by_the_largest_remainder(amount: int, weights: list[int], shares: list[int]) -> None:
    assert share(amount, weights) == shares


@pytest.mark.parametrize("write", [xls, xlsx])
def test_workbooks_hold_what_was_put_in(write: Any, tmp_path: Path) -> None:
    rows = [["生意参谋平台", ""], ["订单", "金额"], ["351", 1.71e18], ["", "1,234.00"], ["𠮷", "=1+1"]]
    many = [[f"{n}", "文字" * 30] for n in range(3_000)]
    content = write({"一": rows, "二": many})
    path = tmp_path / "book"
    path.write_bytes(content)
    book = CalamineWorkbook.from_path(str(path))

    assert book.sheet_names == ["一", "二"]
    assert book.get_sheet_by_name("一").to_python() == rows
    assert book.get_sheet_by_name("二").to_python() == many
    assert write({"一": rows, "二": many}) == content


def test_a_workbook_larger_than_its_writer_can_make_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        xls({"big": [["文字" * 100] * 20 for _ in range(1_000)]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"form": "ebay"}, "the form must be one of generic, taobao, taobao_xlsx, shopify"),
        ({"form": "taobao", "time_zone": "America/New_York"}, "Asia/Shanghai and CNY"),
        ({"form": "taobao_xlsx", "currency": "USD"}, "Asia/Shanghai and CNY"),
    ],
)
def test_a_form_is_refused_when_it_cannot_tell_of_the_shop(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        replace(small_config(), **change)
