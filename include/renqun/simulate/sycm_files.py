"""生意参谋: the shop's traffic sources and its items, a workbook each a day, from the same visits and orders.

Lines above the header, every value as text (`1,234`, `12.34%`, `-` for nothing), and rows that sum others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from renqun.simulate.calendar import Calendar
from renqun.simulate.drafts import Drafts
from renqun.simulate.facts import Order, Session
from renqun.simulate.layouts import Book
from renqun.simulate.order_files import DOWNLOADED_TWICE_EVERY
from renqun.simulate.order_state import money
from renqun.simulate.sycm_headers import ITEMS, SOURCES
from renqun.simulate.traffic_files import SourceFigures
from renqun.simulate.wall import DAY, day_text

Kind = Literal["xlsx", "xls"]
Cells = dict[str, str]
NOTHING = "-"
_ROLL_UP = "汇总"
_CARRIERS = ("全店", "商品")
_SHEETS = ("全店流量来源", "分载体流量来源")


@dataclass(slots=True)
class _ItemFigures:
    """One item on one day; amounts in cents."""

    name: str = ""
    visitors: set[str] = field(default_factory=set)
    views: int = 0
    favourite_visitors: set[str] = field(default_factory=set)
    cart_visitors: set[str] = field(default_factory=set)
    carts: int = 0
    buyers_placed: set[str] = field(default_factory=set)
    placed_quantity: int = 0
    placed: int = 0
    buyers_paid: set[str] = field(default_factory=set)
    paid_quantity: int = 0
    paid: int = 0
    refunded: int = 0


def draft_shop_sources(
    figures: dict[int, dict[str, SourceFigures]], calendar: Calendar, drafts: Drafts, kind: Kind, *, twice: bool
) -> None:
    """A workbook a day: a row a source below the sum of its level, all below the sum of the shop; on two sheets."""
    for day in range(calendar.traffic_start, calendar.end + 1):
        shop, goods = (_rows_of_sources(figures[day], carrier) for carrier in _CARRIERS)
        lines_above = above(day, "店铺来源", lines=5)
        layout = Book(_SHEETS[0], kind, lines_above, {_SHEETS[1]: goods})
        name = f"【生意参谋平台】店铺来源_{day_text(day)}_{day_text(day)}"
        draft = drafts.file("traffic", "sycm_shop_sources", day, f"{name}.{kind}", SOURCES, layout=layout)
        draft.rows.extend(shop)
        draft.left_out["total"] = 1
        if twice and day % DOWNLOADED_TWICE_EVERY == 0:
            drafts.copy(draft, f"{name} (1).{kind}")


def _rows_of_sources(figures: dict[str, SourceFigures], carrier: str) -> list[list[str]]:
    rows = []
    everything = SourceFigures(_ROLL_UP)
    for one in figures.values():
        everything.add(one)
    rows.append(_row_of_source(everything, carrier, _ROLL_UP, _ROLL_UP, _ROLL_UP, _ROLL_UP))
    for level in dict.fromkeys(one.level for one in figures.values()):
        below = {source: one for source, one in figures.items() if one.level == level}
        total = SourceFigures(level)
        for one in below.values():
            total.add(one)
        rows.append(_row_of_source(total, carrier, level, _ROLL_UP, _ROLL_UP, _ROLL_UP))
        rows += [_row_of_source(one, carrier, level, source, NOTHING, NOTHING) for source, one in below.items()]
    return rows


def _row_of_source(one: SourceFigures, *levels: str) -> list[str]:
    cells = {
        "访客数": f"{one.visitors:,}",
        "加购人数": f"{one.cart_visitors:,}",
        "商品收藏人数": f"{one.favourite_visitors:,}",
        "支付买家数": f"{one.buyers_paid:,}",
        "支付金额": amount(one.paid),
        "支付转化率": rate(one.buyers_paid, one.visitors),
        "客单价": mean(one.paid, one.buyers_paid),
        "UV价值": mean(one.paid, one.visitors),
    }
    return [*levels, *(cells.get(name, NOTHING) for name in SOURCES[len(levels) :])]


def draft_items(
    sessions: Iterable[Session], orders: Iterable[Order], calendar: Calendar, drafts: Drafts, kind: Kind
) -> None:
    """A workbook a day: a row for every item that somebody looked at, ordered, paid for or gave back."""
    figures: dict[int, dict[str, _ItemFigures]] = {day: {} for day in range(calendar.traffic_start, calendar.end + 1)}
    for session in sessions:
        for at, _, event, _, item_id, _, _ in session.events:
            if item_id and (items := figures.get(at // DAY)) is not None:
                one = items.setdefault(item_id, _ItemFigures())
                one.visitors.add(session.visitor_id)
                one.views += event == "view"
                if event == "cart":
                    one.cart_visitors.add(session.visitor_id)
                    one.carts += 1
                elif event == "favourite":
                    one.favourite_visitors.add(session.visitor_id)
    titles: dict[str, str] = {}
    for order in orders:
        if not order.is_ghost:
            titles.update({line.item.item_id: line.item.name for line in order.lines})
            _count_order(order, figures, calendar)
    for day, items in figures.items():
        name = f"【生意参谋平台】商品_全部_{day_text(day)}_{day_text(day)}.{kind}"
        layout = Book("商品", kind, above(day, "全部终端", lines=4))
        draft = drafts.file("traffic", "sycm_items", day, name, ITEMS, layout=layout)
        draft.rows.extend(
            _row_of_item(day, item_id, titles.get(item_id, ""), one) for item_id, one in sorted(items.items())
        )


def _count_order(order: Order, figures: dict[int, dict[str, _ItemFigures]], calendar: Calendar) -> None:
    buyer = order.identity or order.order_id
    for line in order.lines:
        if (items := figures.get(order.placed_day)) is not None:
            one = items.setdefault(line.item.item_id, _ItemFigures())
            one.buyers_placed.add(buyer)
            one.placed_quantity += line.quantity
            one.placed += line.paid
        if order.paid_at is not None and (items := figures.get(order.paid_at // DAY)) is not None:
            one = items.setdefault(line.item.item_id, _ItemFigures())
            one.buyers_paid.add(buyer)
            one.paid_quantity += line.quantity
            one.paid += line.paid
    for refund in order.refunds:
        if (items := figures.get(calendar.refund_day(order, refund))) is not None:
            items.setdefault(order.lines[refund.line].item.item_id, _ItemFigures()).refunded += refund.amount


def _row_of_item(day: int, item_id: str, name: str, one: _ItemFigures) -> list[str]:
    visitors = len(one.visitors)
    cells = {
        "统计日期": day_text(day),
        "商品ID": item_id,
        "商品名称": name,
        "商品状态": "当前在线",
        "商品访客数": f"{visitors:,}",
        "商品浏览量": f"{one.views:,}",
        "商品收藏人数": f"{len(one.favourite_visitors):,}",
        "商品加购件数": f"{one.carts:,}",
        "商品加购人数": f"{len(one.cart_visitors):,}",
        "下单买家数": f"{len(one.buyers_placed):,}",
        "下单件数": f"{one.placed_quantity:,}",
        "下单金额": amount(one.placed),
        "下单转化率": rate(len(one.buyers_placed), visitors),
        "支付买家数": f"{len(one.buyers_paid):,}",
        "支付件数": f"{one.paid_quantity:,}",
        "支付金额": amount(one.paid),
        "商品支付转化率": rate(len(one.buyers_paid), visitors),
        "访客平均价值": mean(one.paid, visitors),
        "成功退款金额": amount(one.refunded),
    }
    return [cells.get(column, NOTHING) for column in ITEMS]


def above(day: int, about: str, *, lines: int) -> list[list[str]]:
    """What stands above the header."""
    text = day_text(day)
    return [["生意参谋平台"], [f"统计周期 {text} ~ {text}"], [], [about], []][:lines]


def amount(cents: int) -> str:
    """Money as 生意参谋 writes it."""
    return f"{cents // 100:,}.{cents % 100:02d}"


def mean(cents: int, count: int) -> str:
    """Money a head, to the cent; `-` where there is nobody."""
    return money((cents * 2 + count) // (count * 2)) if count else NOTHING


def rate(part: int, whole: int) -> str:
    """A percentage with two decimals, rounded half up."""
    if not whole:
        return NOTHING
    hundredths = (part * 20_000 + whole) // (whole * 2)
    return f"{hundredths // 100}.{hundredths % 100:02d}%"
