"""Orders that the shop placed itself (补单), and the list by which it says so: exported, and no facts.

Only Taobao's forms have such a list. Each order is on the list of the day on which it is first exported, so that the
marts never show it, whatever day they are as of.
"""

from __future__ import annotations

from typing import Any

from renqun.simulate.calendar import Calendar
from renqun.simulate.config import SimulationConfig
from renqun.simulate.drafts import Drafts
from renqun.simulate.facts import Order
from renqun.simulate.layouts import Book, GuardedText
from renqun.simulate.order_state import money
from renqun.simulate.planting import Planting
from renqun.simulate.wall import DAY, day_text

_AGES = (10, 3)
_HEADER = ("订单编号", "原因")


def place_excluded_orders(config: SimulationConfig, bed: Planting) -> list[Order]:
    """The orders, paid and never sent; none where the form has no list of them, or nothing is planted."""
    if not (config.plant and config.form.startswith("taobao")):
        return []
    item = bed.item("brushed", 9_900)
    orders = []
    for number, age in enumerate(_AGES, start=1):
        line = bed.line(item)
        line.line_id = f"P-brushed-{number}-1"
        orders.append(
            Order(
                order_id=f"P-brushed-{number}",
                customer_id=f"planted_brusher_{number}",
                ordered_at=bed.at(age, "10:00:00"),
                paid_at=bed.at(age, "10:01:00"),
                paid=line.paid,
                lines=[line],
                settles=False,
                is_ghost=True,
            )
        )
    return orders


def draft_excluded_orders(config: SimulationConfig, orders: list[Order], calendar: Calendar, drafts: Drafts) -> None:
    """A list a day that has such orders."""
    is_text = config.form == "taobao"
    layout = GuardedText(frozenset(_HEADER[:1]), "\r\n", "") if is_text else Book("补单")
    for order in orders:
        day = calendar.first_folder(order)
        name = f"补单{day_text(day)}.{'csv' if is_text else 'xlsx'}"
        draft = drafts.file("orders", "taobao_excluded_orders", day, name, _HEADER, layout=layout)
        draft.rows.append([order.order_id, "补单"])


def describe_excluded_orders(orders: list[Order]) -> list[dict[str, Any]]:
    """What the truth says of them: no mart may show them, but as the number of a day that was left out."""
    return [
        {
            "order_id": order.order_id,
            "customer_id": order.customer_id,
            "paid_date": day_text((order.paid_at or order.ordered_at) // DAY),
            "paid_amount": money(order.paid),
        }
        for order in orders
    ]
