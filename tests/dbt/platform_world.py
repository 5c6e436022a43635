"""A small shop that tells its orders in every platform's own way, over three days; every value is invented.

o1   two lines, 100.02 with postage; a refund of 40.00 is open on the 2nd and succeeds on the 3rd
o2   placed and unpaid on the 1st, paid on the 2nd
o3   no buyer, no item file: three pieces, 30.00, of which the order file says on the 2nd that 5.00 went back
o4   placed by the shop itself; the list says so on the 3rd
o9   an item file without a time on the 1st; its order file comes on the 3rd, without a pay time: the item file has it
#1   Shopify: the head on the first row only, 2.00 of 20.00 given back
1001 WooCommerce: a head without lines, completed, and so paid
1002 WooCommerce: completed, and given back as a whole in a later download
A-1  Amazon: two lines without an order amount, shipped; A-2 is cancelled
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from raw_shop import RawShop, Row

DAYS = (date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3))


class File(NamedTuple):
    """A file and the day on which it arrives."""

    source: str
    day: date
    rows: tuple[Row, ...]
    name: str = ""
    folder: date | None = None
    """The folder's date, where the file comes later."""


def accept(shop: RawShop, day: date) -> None:
    """Accept every file of a day."""
    for number, file in enumerate(FILES):
        if file.day == day:
            name = file.name or f"{number:02}.csv"
            shop.add_batch(file.source, file.folder or day, file.rows, file_name=name)


def head(order_id: str, paid_amount: str, **others: str | None) -> Row:
    """A row of 订单报表; placed on the 1st at noon unless told otherwise."""
    return {"order_id": order_id, "order_paid_amount": paid_amount, "ordered_at": "2026-03-01 12:00:00"} | others


def item(order_id: str, line_id: str, item_id: str, price: str, **others: str | None) -> Row:
    """A row of 宝贝报表."""
    return {
        "order_id": order_id, "line_id": line_id, "item_id": item_id, "item_name": f"item {item_id}",
        "unit_price": price, "quantity": "1",
    } | others  # fmt: skip


def ad(campaign: str, cost: str, orders: str, **others: str | None) -> Row:
    """A row of a 万相台 report about the 1st."""
    return {
        "stat_date": "2026-03-01", "stat_end_date": "2026-03-01", "campaign_id": campaign, "campaign_name": campaign,
        "impressions": "100", "clicks": "10", "cost": cost, "attributed_orders": orders, "attributed_amount": "20.00",
    } | others  # fmt: skip


def visit(time: str, name: str, visitor: str, **others: str | None) -> Row:
    """A row of GA4's export about the 1st."""
    return {
        "event_date": "2026-03-01", "event_at": f"2026-03-01T{time}Z", "event_name": name, "visitor_id": visitor,
    } | others  # fmt: skip


_WAITING = "买家已付款，等待卖家发货"
_PAID = "2026-03-01 12:05:00"
_DAY_1, _DAY_2, _DAY_3 = DAYS

FILES = (
    File("taobao_orders", _DAY_1, (
        head("o1", "100.02", customer_id="tb_one", paid_at=_PAID, status=_WAITING, quantity="2"),
        head("o2", "10.00", customer_id="tb_two", status="等待买家付款", quantity="1"),
        head("o3", "30.00", customer_id="张**", paid_at=_PAID, status="交易成功", quantity="3"),
        head("o4", "50.00", customer_id="tb_four", paid_at=_PAID, status="交易成功", quantity="1"),
    )),
    File("taobao_order_items", _DAY_1, (
        item("o1", "o1a", "i1", "239.00"), item("o1", "o1b", "i2", "119.50"),
        item("o2", "o2a", "i1", "10.00"), item("o4", "o4a", "i1", "50.00"),
        item("o9", "o9a", "i3", "8.00"),
    )),
    File("wanxiangtai_reports", _DAY_1, (
        ad("c1", "5.00", "1"), ad("c1", "5.00", "1", keyword="shoes"),
        ad("c2", "9.00", "1", stat_end_date="2026-03-02"),
    )),
    File("taobaoke_settlements", _DAY_1, (
        {"order_id": "o1", "line_id": "o1a", "deal_amount": "66.68", "commission_amount": "3.33",
         "settled_at": "2026-03-01 20:00:00"},
        {"order_id": "o4", "line_id": "o4a", "deal_amount": "50.00", "commission_amount": "2.50",
         "settled_at": "2026-03-01 20:00:00"},
    )),
    File("sycm_shop_sources", _DAY_1, (
        {"stat_date": "2026-03-01", "carrier": "商品", "source_level_1": "搜索", "visitors": "50", "buyers_paid": "5"},
    )),
    File("ga4_events", _DAY_1, (
        visit("04:00:00", "view_item", "v1", items='[{"item_id": "i1"}]'), visit("06:00:00", "search", "v2"),
    )),
    File("taobao_orders", _DAY_2, (
        head("o2", "10.00", customer_id=None, paid_at="2026-03-02 09:00:00", status=_WAITING, quantity="1"),
        head("o3", "30.00", paid_at=_PAID, status="交易成功", quantity="3", order_refunded_amount="5.00"),
    )),
    File("taobao_refunds", _DAY_2, (
        {"refund_id": "r1", "order_id": "o1", "refund_amount": "40.00", "refund_status": "退款中"},
    )),
    # The platform found a second order for the 1st; GA4 writes the day anew, in two files: an event more, and one less.
    File("wanxiangtai_reports", _DAY_2, (ad("c1", "5.00", "2"), ad("c1", "5.00", "2", keyword="shoes"))),
    File("woocommerce_orders", _DAY_2, (
        {"order_id": "1002", "ordered_at": "2026-03-02 09:00:00", "status": "completed", "quantity": "1",
         "net_sales_amount": "6.00"},
    )),
    File("sycm_shop_sources", _DAY_2, (
        {"stat_date": "2026-03-01", "carrier": "商品", "source_level_1": "推荐", "visitors": "51", "buyers_paid": "5"},
    )),
    File("ga4_events", _DAY_2, (
        visit("04:00:00", "view_item", "v1", items='[{"item_id": "i1"}]'),
    )),
    File("ga4_events", _DAY_2, (
        visit("05:00:00", "add_to_cart", "v1", items='[{"item_id": "i1"}]'), visit("05:00:00", "scroll", "v1"),
    )),
    # An older writing that comes after the newer one changes nothing.
    File("ga4_events", _DAY_3, (visit("07:00:00", "search", "v3"),), folder=_DAY_1),
    File("sycm_items", _DAY_1, (
        {"stat_date": "2026-03-01", "item_id": "i1", "item_name": "kettle", "visitors": "40", "buyers_paid": "4"},
        {"stat_date": "2026-03-01", "item_id": "i7", "item_name": "lid", "visitors": "2"},
    )),
    File("sycm_items", _DAY_3, (
        {"stat_date": "2026-03-01", "item_id": "i1", "item_name": "kettle, red", "visitors": "41", "buyers_paid": "4"},
    )),
    File("sycm_shop_daily", _DAY_1, ({"stat_date": "2026-03-01", "visitors": "60", "paid_amount": "170.02"},)),
    # The platform counts the 1st anew.
    File("sycm_shop_daily", _DAY_2, ({"stat_date": "2026-03-01", "visitors": "60", "paid_amount": "180.02"},)),
    File("shopify_customers", _DAY_3, (
        {"customer_id": "77", "email": "Somebody@shop.example", "city": "Leeds", "accepts_email_marketing": "yes",
         "accepts_sms_marketing": "no"},
    )),
    File("taobao_refunds", _DAY_3, (
        {"refund_id": "r1", "order_id": "o1", "refund_amount": "40.00", "refund_status": "退款成功",
         "refunded_at": "2026-03-03 10:00:00"},
    )),
    File("taobao_excluded_orders", _DAY_3, ({"order_id": "o4"},)),
    File("taobao_orders", _DAY_3, ({"order_id": "o9", "order_paid_amount": "8.00", "status": _WAITING},)),
    File("taobao_order_items", _DAY_3, (
        item("o9", "o9a", "i3", "8.00", ordered_at="2026-03-01 10:00:00", paid_at="2026-03-01 10:01:00"),
    )),
    File("shopify_orders", _DAY_3, (
        {"order_id": "#1", "email": "somebody@shop.example", "ordered_at": "2026-03-03T01:00:00Z",
         "paid_at": "2026-03-03T01:01:00Z", "order_total_amount": "20.00", "order_refunded_amount": "2.00",
         "status": "partially_refunded", "item_name": "cup", "sku": "CUP", "quantity": "1", "unit_price": "15"},
        {"order_id": "#1", "item_name": "plate", "sku": "PLATE", "quantity": "1", "unit_price": "5"},
    )),
    File("woocommerce_orders", _DAY_3, (
        {"order_id": "1001", "ordered_at": "2026-03-03 09:00:00", "status": "completed", "quantity": "2",
         "net_sales_amount": "12.00"},
        {"order_id": "1002", "ordered_at": "2026-03-02 09:00:00", "status": "refunded", "quantity": "1",
         "net_sales_amount": "6.00"},
    )),
    File("amazon_orders", _DAY_3, (
        {"order_id": "A-1", "sku": "S1", "ordered_at": "2026-03-03T01:00:00Z", "status": "Shipped", "quantity": "2",
         "item_price_amount": "20.00", "item_tax_amount": "1.60"},
        {"order_id": "A-1", "sku": "S2", "ordered_at": "2026-03-03T01:00:00Z", "status": "Shipped", "quantity": "1",
         "item_price_amount": "5.00"},
        {"order_id": "A-2", "sku": "S1", "ordered_at": "2026-03-03T01:00:00Z", "status": "Cancelled", "quantity": "0"},
    )),
)  # fmt: skip
