"""Orders as the platform exports them: one row a line, in the state of the evening of the export."""

from __future__ import annotations

from collections.abc import Iterable

from renqun.simulate.calendar import Calendar
from renqun.simulate.drafts import Drafts, FileDraft
from renqun.simulate.facts import Order
from renqun.simulate.planting import Planting
from renqun.simulate.wall import DAY, day_text, wall_text

COLUMNS = (
    "order_id", "line_id", "customer_id", "ordered_at", "paid_at", "status", "item_id", "item_name", "category_id",
    "quantity", "unit_price", "line_paid_amount", "order_paid_amount", "refunded_amount", "refunded_at", "currency",
    "phone", "email", "province", "city", "discount_amount",
)  # fmt: skip
FILE_NAME = "orders.csv"
_DOWNLOADED_TWICE_EVERY = 13
_OVERLAPPING_EVERY = 9


def money(cents: int) -> str:
    """Cents as a decimal number."""
    return f"{cents // 100}.{cents % 100:02d}" if cents >= 0 else f"-{money(-cents)}"


def rows_of(order: Order, folder: int, calendar: Calendar, currency: str) -> list[list[str]]:
    """The rows that show an order in the files of a folder."""
    is_paid = order.paid_at is not None and calendar.folder(order.paid_at // DAY) <= folder
    shown = [refund for refund in order.refunds if calendar.folder(refund.at // DAY) <= folder]
    refunded = [0] * len(order.lines)
    refunded_at = [""] * len(order.lines)
    for refund in shown:
        refunded[refund.line] += refund.amount
        refunded_at[refund.line] = wall_text(refund.at) if refund.exports_time else ""
    head = [
        order.customer_id,
        wall_text(order.ordered_at),
        wall_text(order.paid_at) if is_paid and order.paid_at else "",
    ]
    head.append(_status(order, folder, calendar, is_paid=is_paid, refunded=sum(refunded)))
    person = order.person
    tail = [currency, *((person.phone, person.email, person.province, person.city) if person else ("", "", "", ""))]
    return [
        [
            order.order_id,
            line.line_id,
            *head,
            line.item.item_id,
            line.item.name,
            line.item.category_id,
            str(line.quantity),
            money(line.unit),
            money(line.paid) if is_paid and line.exports_paid else "",
            money(order.paid) if is_paid and order.exports_paid else "",
            money(refunded[place]) if is_paid else "",
            refunded_at[place],
            *tail,
            money(line.discount),
        ]
        for place, line in enumerate(order.lines)
    ]


def _status(order: Order, folder: int, calendar: Calendar, *, is_paid: bool, refunded: int) -> str:
    if not is_paid:
        if order.is_presale:
            return "定金已付，等待买家付尾款"
        return "交易关闭" if order.settles and calendar.settled_day(order) <= folder else "等待买家付款"
    if refunded and refunded >= order.paid:
        return "交易关闭"
    return "交易成功" if calendar.settled_day(order) <= folder else "买家已付款，等待卖家发货"


def draft_orders(orders: Iterable[Order], calendar: Calendar, currency: str, drafts: Drafts) -> None:
    """Every export of every order, in the order in which they were placed."""
    for order in sorted(orders, key=lambda one: (one.ordered_at, one.order_id, not one.is_ghost)):
        for folder in calendar.export_folders(order):
            name = "orders_late.csv" if order.is_late else FILE_NAME
            draft = drafts.file("orders", "orders", folder, name, COLUMNS, is_late=order.is_late)
            draft.rows.extend(rows_of(order, folder, calendar, currency))


def draft_duplicates(calendar: Calendar, drafts: Drafts) -> None:
    """Files downloaded twice, and files that overlap with the one of the day."""
    for day in range(calendar.daily_from, calendar.end + 1):
        draft = drafts.files[(False, f"orders/{day_text(day)}/{FILE_NAME}")]
        if day % _OVERLAPPING_EVERY == 0:
            again = drafts.file("orders", "orders", day, "orders_part.csv", COLUMNS)
            wanted = sorted({row[0] for row in draft.rows})[::3]
            again.rows.extend(row for row in draft.rows if row[0] in wanted)
        if day % _DOWNLOADED_TWICE_EVERY == 0:
            drafts.copy(draft, "orders_copy.csv")


def draft_planted_exports(bed: Planting, calendar: Calendar, currency: str, drafts: Drafts) -> None:
    """The exports of planted orders that say the same twice, something old, or something impossible."""
    orders = {plant.kind: plant.orders[0] for plant in bed.plants if plant.orders}
    day = bed.end - 12
    twice = drafts.file("orders", "orders", day, "orders_again.csv", COLUMNS)
    twice.rows.extend(rows_of(orders["order_in_two_files"], day, calendar, currency))
    later = bed.end - 9
    stale = drafts.file("orders", "orders", later, "orders_stale.csv", (*COLUMNS, "exported_at"))
    before_refund = bed.end - 11
    for row in rows_of(orders["order_stale_export"], before_refund, calendar, currency):
        stale.rows.append([*row, f"{day_text(before_refund)} 23:00:00"])


def draft_dirty_export(bed: Planting, calendar: Calendar, currency: str, draft: FileDraft) -> None:
    """A later export of a planted order, with one impossible line and one that is only in bad company."""
    order = next(plant.orders[0] for plant in bed.plants if plant.kind == "order_dirty_export")
    rows = rows_of(order, draft.day, calendar, currency)
    rows[0][COLUMNS.index("quantity")] = "-1"
    rows[1][COLUMNS.index("refunded_amount")] = "30.00"
    draft.raw_lines.extend(",".join(row).encode() for row in rows)
    draft.quarantined.update({"negative_quantity": 1, "order_has_quarantined_line": 1})
