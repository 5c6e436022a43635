"""生意参谋, 店铺整体: the platform's own total of a day, a workbook each. What the shop ordered itself counts there."""

from __future__ import annotations

from dataclasses import dataclass, field

from renqun.simulate.calendar import Calendar
from renqun.simulate.drafts import Drafts
from renqun.simulate.facts import Facts, Order
from renqun.simulate.layouts import Book
from renqun.simulate.sycm_files import NOTHING, Kind, above, amount, mean, rate
from renqun.simulate.sycm_headers import SHOP
from renqun.simulate.wall import DAY, day_text


@dataclass(slots=True)
class _Figures:
    """The shop on one day; amounts in cents."""

    visitors: set[str] = field(default_factory=set)
    views: int = 0
    cart_visitors: set[str] = field(default_factory=set)
    favourite_visitors: set[str] = field(default_factory=set)
    carts: int = 0
    buyers_placed: set[str] = field(default_factory=set)
    placed_quantity: int = 0
    placed: int = 0
    buyers_paid: set[str] = field(default_factory=set)
    orders_paid: int = 0
    lines_paid: int = 0
    paid_quantity: int = 0
    paid: int = 0
    refunded: int = 0


def draft_shop_days(facts: Facts, excluded: list[Order], calendar: Calendar, drafts: Drafts, kind: Kind) -> None:
    """A workbook a day with traffic, of one row."""
    figures = {day: _Figures() for day in range(calendar.traffic_start, calendar.end + 1)}
    for session in facts.sessions:
        for at, _, event, *_ in session.events:
            if (one := figures.get(at // DAY)) is not None:
                one.visitors.add(session.visitor_id)
                one.views += event == "view"
                if event == "cart":
                    one.cart_visitors.add(session.visitor_id)
                    one.carts += 1
                elif event == "favourite":
                    one.favourite_visitors.add(session.visitor_id)
    for order in [*(order for order in facts.orders if not order.is_ghost), *excluded]:
        _count_order(order, figures, calendar)
    for day, one in figures.items():
        name = f"【生意参谋平台】店铺整体_{day_text(day)}_{day_text(day)}.{kind}"
        layout = Book("店铺整体", kind, above(day, "店铺整体", lines=4))
        draft = drafts.file("traffic", "sycm_shop_daily", day, name, SHOP, layout=layout)
        draft.rows.append(_row(day, one))


def _count_order(order: Order, figures: dict[int, _Figures], calendar: Calendar) -> None:
    buyer = order.identity or order.order_id
    pieces = sum(line.quantity for line in order.lines)
    if (one := figures.get(order.placed_day)) is not None:
        one.buyers_placed.add(buyer)
        one.placed_quantity += pieces
        one.placed += order.paid
    if order.paid_at is not None and (one := figures.get(order.paid_at // DAY)) is not None:
        one.buyers_paid.add(buyer)
        one.orders_paid += 1
        one.lines_paid += len(order.lines)
        one.paid_quantity += pieces
        one.paid += order.paid
    for refund in order.refunds:
        if (one := figures.get(calendar.refund_day(order, refund))) is not None:
            one.refunded += refund.amount


def _row(day: int, one: _Figures) -> list[str]:
    visitors, buyers = len(one.visitors), len(one.buyers_paid)
    cells = {
        "统计日期": day_text(day),
        "访客数": f"{visitors:,}",
        "浏览量": f"{one.views:,}",
        "商品收藏买家数": f"{len(one.favourite_visitors):,}",
        "加购人数": f"{len(one.cart_visitors):,}",
        "加购件数": f"{one.carts:,}",
        "下单买家数": f"{len(one.buyers_placed):,}",
        "下单件数": f"{one.placed_quantity:,}",
        "下单金额": amount(one.placed),
        "支付买家数": f"{buyers:,}",
        "支付父订单数": f"{one.orders_paid:,}",
        "支付子订单数": f"{one.lines_paid:,}",
        "支付件数": f"{one.paid_quantity:,}",
        "支付金额": amount(one.paid),
        "支付转化率": rate(buyers, visitors),
        "客单价": mean(one.paid, buyers),
        "UV价值": mean(one.paid, visitors),
        "成功退款金额": amount(one.refunded),
    }
    return [cells.get(column, NOTHING) for column in SHOP]
