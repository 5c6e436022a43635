"""What an order looks like on the evening of an export, whatever the form of the file."""

from __future__ import annotations

from dataclasses import dataclass

from renqun.simulate.calendar import Calendar
from renqun.simulate.facts import Order
from renqun.simulate.wall import DAY, wall_text

CLOSED = "交易关闭"
PRESALE = "定金已付，等待买家付尾款"


@dataclass(slots=True)
class OrderState:
    """An order as the files of a folder show it."""

    is_paid: bool
    refunded: list[int]
    """What had come back for each line, in cents."""
    refunded_at: list[str]
    """When it last did; empty where the platform does not say."""
    status: str
    """The platform's text."""
    signed_at: str
    """When the buyer received it; empty where that is not known, or all was given back."""


def money(cents: int) -> str:
    """Cents as a decimal number."""
    return f"{cents // 100}.{cents % 100:02d}" if cents >= 0 else f"-{money(-cents)}"


def state_of(order: Order, folder: int, calendar: Calendar) -> OrderState:
    """How an order stands in the files of a folder."""
    is_paid = order.paid_at is not None and calendar.folder(order.paid_at // DAY) <= folder
    refunded = [0] * len(order.lines)
    refunded_at = [""] * len(order.lines)
    for refund in order.refunds:
        if calendar.folder(refund.at // DAY) <= folder:
            refunded[refund.line] += refund.amount
            refunded_at[refund.line] = wall_text(refund.at) if refund.exports_time else ""
    status = _status(order, folder, calendar, is_paid=is_paid, refunded=sum(refunded))
    signed = calendar.signed_at(order)
    is_signed = is_paid and status != CLOSED and signed is not None and calendar.folder(signed // DAY) <= folder
    return OrderState(
        is_paid, refunded, refunded_at, status, wall_text(signed) if is_signed and signed is not None else ""
    )


def _status(order: Order, folder: int, calendar: Calendar, *, is_paid: bool, refunded: int) -> str:
    if not is_paid:
        if order.is_presale:
            return PRESALE
        return CLOSED if order.settles and calendar.settled_day(order) <= folder else "等待买家付款"
    if refunded and refunded >= order.paid:
        return CLOSED
    return "交易成功" if calendar.settled_day(order) <= folder else "买家已付款，等待卖家发货"
