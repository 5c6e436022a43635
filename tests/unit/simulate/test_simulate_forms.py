"""The forms of a simulated shop: files that are recognised as what they are meant to be, and the same facts in all."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from simulated_shop import SimulatedShop, make_shop

from renqun.errors import RequestError
from renqun.ingest.detect import detect
from renqun.ingest.engine import workbench
from renqun.ingest.inspection import inspect_file
from renqun.settings import Shop
from renqun.simulate import FORMS, Dirt, Form, planting, small_config
from renqun.simulate.shopify_files import share
from renqun.simulate.workbooks import xls, xlsx

END = "2026-06-30"
PLATFORMS: tuple[Form, ...] = ("taobao", "taobao_xlsx", "shopify")
_GENERIC_ALWAYS = {"traffic_events": {""}, "members": {""}, "consent": {""}, "suppressions": {""}}
_VERSIONS: dict[str, dict[str, set[str]]] = {
    "taobao": {
        "taobao_orders": {"2017-2018 gb18030"},
        "taobao_order_items": {"2021 gb18030", "classic gb18030"},
        "taobao_refunds": {"2017 gb18030"},
        "sycm_shop_sources": {"four levels xls"},
        "sycm_items": {"38 columns xls"},
        "sycm_shop_daily": {"with paid promotion xls"},
        "taobao_excluded_orders": {"1d4a675b gb18030"},
    },
    "taobao_xlsx": {
        "taobao_orders": {"2025 xlsx"},
        "taobao_order_items": {"2025 xlsx"},
        "taobao_refunds": {"2026 xlsx"},
        "sycm_shop_sources": {"four levels xlsx"},
        "sycm_items": {"38 columns xlsx"},
        "sycm_shop_daily": {"with paid promotion xlsx"},
        "taobao_excluded_orders": {"1d4a675b xlsx"},
    },
    "shopify": {
        "shopify_orders": {"79 columns utf-8"},
        "shopify_customers": {"with customer ids utf-8"},
        "traffic_sources": {""},
    },
}
_REASONS = {
    "taobao_orders": {
        "missing_required", "unparsable_value", "time_before_2000", "paid_before_ordered", "time_after_export",
        "digits_lost", "ragged_row", "broken_encoding",
    },
    "taobao_order_items": {
        "missing_required", "unparsable_value", "negative_quantity", "negative_price", "digits_lost", "ragged_row",
        "broken_encoding", "order_has_quarantined_line",
    },
    "taobao_refunds": {"missing_required", "unparsable_value", "negative_price"},
    "shopify_orders": {
        "missing_required", "unparsable_value", "negative_quantity", "negative_price", "time_before_2000",
        "time_after_export", "foreign_currency", "digits_lost", "ragged_row", "broken_encoding",
        "order_has_quarantined_line",
    },
}  # fmt: skip
"""What a form can show; Shopify's source asks nothing of an order paid before it was placed."""
_SHOP = Shop(id="default")
_QUIET = {
    **dict.fromkeys(("paid_amount", "net_amount", "refunded_amount"), "0.00"),
    **dict.fromkeys(
        ("visitors", "views", "cart_visitors", "favourite_visitors", "events", "sessions", "attempts", "orders_placed",
         "orders_paid", "item_quantity", "buyers_paid", "new_buyers_lifetime"), 0
    ),
}  # fmt: skip
"""A day on which nothing happened: the truth may leave it out."""


@pytest.fixture(scope="module")
def shops(dirty_shop: SimulatedShop, tmp_path_factory: pytest.TempPathFactory) -> dict[str, SimulatedShop]:
    """The same shop in every form, with every fault and late files."""
    made = {"generic": dirty_shop}
    for form in PLATFORMS:
        made[form] = make_shop(tmp_path_factory.mktemp(form), replace(small_config(hold_back=True), form=form))
    return made


def _places(shop: SimulatedShop) -> list[tuple[str, Path, dict[str, Any]]]:
    """Every file: its place below landing, where it is, and what the truth says of it."""
    late = shop.root / "late"
    return [
        (place, (late if entry["is_late"] else shop.landing) / place, entry)
        for place, entry in shop.truth["files"].items()
    ]


def _texts(shop: SimulatedShop, source: str, *, late: bool = False) -> list[str]:
    """The texts of all files of a source, by place."""
    return [
        path.read_bytes().decode("gb18030", errors="replace")
        for _, path, entry in _places(shop)
        if entry["source"] == source and entry["is_late"] == late
    ]


@pytest.mark.parametrize("form", PLATFORMS)
def test_every_file_is_recognised_as_the_source_that_it_is_meant_to_be(
    shops: dict[str, SimulatedShop], form: str
) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    with workbench() as bench:
        for place, path, entry in _places(shops[form]):
            day = date.fromisoformat(entry["date"])
            detection = detect(bench, path, group=place.split("/")[0], where=place, day=day)  # type: ignore[arg-type]
            source = detection.source
            assert source.source == entry["source"], place
            if source.dates:
                assert detection.days == (day, day), place
            version = "" if source.is_generic else f"{detection.header_version} {detection.header.encoding}"
            found[source.source].add(version)

    assert found == _VERSIONS[form] | _GENERIC_ALWAYS


@pytest.mark.parametrize("form", PLATFORMS)
def test_files_on_disk_are_those_that_the_truth_lists(shops: dict[str, SimulatedShop], form: str) -> None:
    shop = shops[form]
    on_disk = {path for root in (shop.landing, shop.root / "late") for path in root.rglob("*") if path.is_file()}

    assert on_disk == {path for _, path, _ in _places(shop)}
    late = {entry["source"] for _, _, entry in _places(shop) if entry["is_late"]}
    assert late >= set(_VERSIONS[form]) & {"taobao_orders", "taobao_order_items", "shopify_orders"} | {"traffic_events"}


@pytest.mark.parametrize("form", PLATFORMS)
def test_ingest_sets_aside_and_leaves_out_what_the_truth_lists(shops: dict[str, SimulatedShop], form: str) -> None:
    reasons: dict[str, set[str]] = defaultdict(set)
    left_out = 0
    for place, path, entry in _places(shops[form]):
        is_looked_at = entry["quarantined"] and place.startswith("orders/") and not entry["same_bytes_as"]
        if not is_looked_at and not (entry["left_out"] and entry["date"] == END):
            continue
        counts = inspect_file(_SHOP, path).counts
        told = Counter[str]()
        for reason, count in counts.quarantine_reasons.items():
            told[reason.partition(":")[0]] += count
        assert (counts.rows_read, dict(told), counts.rows_left_out) == (
            entry["rows"],
            entry["quarantined"],
            entry["left_out"],
        ), place
        assert counts.rows_quarantined == sum(entry["quarantined"].values()), place
        reasons[entry["source"]].update(told)
        left_out += sum(counts.rows_left_out.values())
    reasons.pop("sycm_shop_sources", None)

    unknown_to_workbooks = {"broken_encoding"} if form == "taobao_xlsx" else set()
    wanted = {source: known - unknown_to_workbooks for source, known in _REASONS.items() if source in _VERSIONS[form]}
    assert reasons == wanted
    assert left_out == (1 if form.startswith("taobao") else 0)


@pytest.fixture(scope="module")
def without_phones(tmp_path_factory: pytest.TempPathFactory) -> SimulatedShop:
    """The generic shop without the persons who are known by the phone of an order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planting, "WITHOUT_PHONES", frozenset(FORMS))
        return make_shop(tmp_path_factory.mktemp("without"), small_config(hold_back=True))


@pytest.mark.parametrize("form", ["taobao", "taobao_xlsx"])
def test_facts_are_the_same_in_taobaos_forms(
    shops: dict[str, SimulatedShop], without_phones: SimulatedShop, form: str
) -> None:
    generic = (without_phones if form == "taobao_xlsx" else shops["generic"]).truth
    told = shops[form].truth
    for part in ("totals", "planted", "left_out", "not_told", "same_person"):
        assert told[part] == generic[part], part
    assert len(told["late_files"]) >= len(generic["late_files"])
    brushers = [order["customer_id"] for order in told["excluded_orders"]]
    assert told["absent_customers"] == generic["absent_customers"] + brushers


def test_every_form_tells_what_it_cannot(shops: dict[str, SimulatedShop]) -> None:
    phoneless = dict.fromkeys(
        ("same_person", "hidden_nick_with_phone", "phone_of", "device_of_two_nicks"), "no order shows a phone"
    )

    assert {form: shop.truth["not_told"] for form, shop in shops.items()} == {
        "generic": {}, "taobao": {}, "taobao_xlsx": phoneless, "shopify": {},
    }  # fmt: skip
    assert all(shop.truth["left_out"] == [] for shop in shops.values())
    # Members name a person's ids in every form.
    chain = {"planted_members_chain_second": "planted_members_chain_first"}
    assert all(shop.truth["same_person"].items() >= chain.items() for shop in shops.values())


def test_facts_are_the_same_in_shopifys_form_but_for_what_it_cannot_tell(shops: dict[str, SimulatedShop]) -> None:
    for day, stages in shops["generic"].truth["totals"].items():
        for stage, wanted in stages.items():
            shown = shops["shopify"].truth["totals"][day][stage]
            differing = {name for name in wanted if wanted[name] != shown[name]}
            # No amount of a line is told: what the order paid, postage too, is shared over them.
            assert differing == {"lines_paid_amount", "unallocated_amount", "days"}
            assert shown["unallocated_amount"] == "0.00"
            # A refund counts on the day of the export that shows it: for old orders, that of the file of the history.
            for name in wanted["days"].keys() | shown["days"].keys():
                one, other = ({**_QUIET, **totals["days"].get(name, {})} for totals in (wanted, shown))
                assert {key for key in one if one[key] != other[key]} <= {"refunded_amount"}, name
            assert _sum_of_refunds(shown) == _sum_of_refunds(wanted)


def _sum_of_refunds(totals: dict[str, Any]) -> Decimal:
    return sum((Decimal(day["refunded_amount"]) for day in totals["days"].values()), Decimal(0))


def test_refunds_of_daily_files_keep_their_day_in_shopifys_form(shops: dict[str, SimulatedShop]) -> None:
    days = shops["generic"].truth["totals"][END]["after_late"]["days"]
    shown = shops["shopify"].truth["totals"][END]["after_late"]["days"]

    # The history's only file lies in the folder of the day before.
    daily = [day for day in days if day >= "2026-05-22"]
    assert any(days[day]["refunded_amount"] != "0.00" for day in daily)
    assert [days[day] for day in daily] == [shown[day] for day in daily]


@pytest.mark.parametrize("form", FORMS)
def test_faults_change_no_fact_in_any_form(form: Form, shops: dict[str, SimulatedShop], tmp_path: Path) -> None:
    clean = make_shop(tmp_path, replace(small_config(hold_back=True), form=form, dirt=Dirt.none()))

    assert clean.truth["totals"][END]["after_late"] == shops[form].truth["totals"][END]["after_late"]


@pytest.mark.parametrize("form", PLATFORMS)
def test_a_form_gives_the_same_bytes_when_made_in_another_process(
    shops: dict[str, SimulatedShop], form: str, tmp_path: Path
) -> None:
    code = (
        "import sys; from dataclasses import replace; from pathlib import Path; "
        "from renqun.simulate import simulate, small_config; root = Path(sys.argv[1]); "
        "simulate(replace(small_config(hold_back=True), form=sys.argv[2]), root / 'landing', root / 'truth.json')"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "America/New_York", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path), form], check=True, env=environment)

    assert _digest(tmp_path) == _digest(shops[form].root)


def _digest(root: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file():
            total.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return total.hexdigest()


def test_classic_orders_look_as_the_platform_writes_them(shops: dict[str, SimulatedShop]) -> None:
    header, *lines = _texts(shops["taobao"], "taobao_orders")[0].splitlines()

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
    (classic,) = (text for text in _texts(shops["taobao"], "taobao_order_items") if "子订单编号" not in text)
    header, *lines = classic.splitlines()

    assert len(header.split(",")) == 10
    assert [line.split(",")[0] for line in lines] == ['="P-lines_without_id-1"'] * 2
    # Every row has a comma more than the header.
    assert all(len(next(csv.reader([line]))) == 11 and line.endswith(",") for line in lines)


def test_newer_workbooks_have_half_wide_commas_and_hide_addresses(shops: dict[str, SimulatedShop]) -> None:
    path = next(path for _, path, entry in _places(shops["taobao_xlsx"]) if entry["source"] == "taobao_orders")
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
        for _, path, entry in _places(shops["taobao_xlsx"])
        if entry["source"] == "taobao_orders" and "digits_lost" in entry["quarantined"]
    )

    assert 1.71e18 in {row[0] for row in CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()}


@pytest.mark.parametrize("form", ["taobao", "taobao_xlsx"])
def test_shop_sources_add_up_to_their_sums_and_to_the_generic_figures(
    shops: dict[str, SimulatedShop], form: str
) -> None:
    (path,) = (
        path
        for _, path, entry in _places(shops[form])
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
    for _, path, entry in _places(shops[form]):
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
    for place, path, _ in sorted(_places(shop), key=lambda one: one[0]):
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
    path = next(path for _, path, entry in _places(shops["shopify"]) if entry["source"] == "shopify_orders")
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
