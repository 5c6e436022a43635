"""Orders in the generic form: one row a line, in the state of the evening of the export."""

from __future__ import annotations

from collections.abc import Iterable

from renqun.simulate import dirt
from renqun.simulate.calendar import Calendar
from renqun.simulate.drafts import Drafts, FileDraft
from renqun.simulate.facts import Order
from renqun.simulate.order_forms import in_order, planted_order
from renqun.simulate.order_state import money, state_of
from renqun.simulate.planting import Planting
from renqun.simulate.wall import day_text, wall_text

COLUMNS = (
    "order_id", "line_id", "customer_id", "ordered_at", "paid_at", "status", "item_id", "item_name", "category_id",
    "quantity", "unit_price", "line_paid_amount", "order_paid_amount", "refunded_amount", "refunded_at", "currency",
    "phone", "email", "province", "city", "discount_amount", "signed_at",
)  # fmt: skip
FILE_NAME = "orders.csv"
DOWNLOADED_TWICE_EVERY = 13
OVERLAPPING_EVERY = 9


class GenericOrders:
    """Drafts `orders.csv`."""

    def __init__(self, calendar: Calendar, drafts: Drafts, currency: str) -> None:
        self.calendar = calendar
        self.drafts = drafts
        self.currency = currency

    def rows_of(self, order: Order, folder: int) -> list[list[str]]:
        """The rows that show an order in the files of a folder."""
        state = state_of(order, folder, self.calendar)
        is_paid = state.is_paid
        head = [
            order.customer_id,
            wall_text(order.ordered_at),
            wall_text(order.paid_at) if is_paid and order.paid_at else "",
            state.status,
        ]
        person = order.person
        place = (person.province, person.city) if person else ("", "")
        # A guest is nobody in every form: a phone or an address would name a person.
        contact = (person.phone, person.email) if person and order.identity else ("", "")
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
                money(state.refunded[number]) if is_paid else "",
                state.refunded_at[number],
                self.currency,
                *contact,
                *place,
                money(line.discount),
                state.signed_at,
            ]
            for number, line in enumerate(order.lines)
        ]

    def draft_orders(self, orders: Iterable[Order]) -> None:
        """Every export of every order, in the order in which they were placed."""
        for order in in_order(orders):
            name = "orders_late.csv" if order.is_late else FILE_NAME
            for folder in self.calendar.export_folders(order):
                draft = self.drafts.file("orders", "orders", folder, name, COLUMNS, is_late=order.is_late)
                draft.rows.extend(self.rows_of(order, folder))

    def draft_planted_exports(self, bed: Planting) -> None:
        """The exports of planted orders that say the same twice, or something old."""
        day = bed.end - 12
        twice = self.drafts.file("orders", "orders", day, "orders_again.csv", COLUMNS)
        twice.rows.extend(self.rows_of(planted_order(bed, "order_in_two_files"), day))
        later, before_refund = bed.end - 9, bed.end - 11
        stale = self.drafts.file("orders", "orders", later, "orders_stale.csv", (*COLUMNS, "exported_at"))
        for row in self.rows_of(planted_order(bed, "order_stale_export"), before_refund):
            stale.rows.append([*row, f"{day_text(before_refund)} 23:00:00"])

    def draft_bad_rows(self) -> None:
        """Rows that belong into quarantine, at least one for each reason."""
        dirt.draft_bad_orders(self.calendar, self.currency, self.drafts)

    def draft_dirty_export(self, bed: Planting) -> None:
        """A later export of a planted order, with one impossible line and one that is only in bad company."""
        draft = self._of_day(bed.end - 9)
        rows = self.rows_of(planted_order(bed, "order_dirty_export"), draft.day)
        rows[0][COLUMNS.index("quantity")] = "-1"
        rows[1][COLUMNS.index("refunded_amount")] = "30.00"
        draft.faults.extend(",".join(row).encode() for row in rows)
        draft.quarantined.update({"negative_quantity": 1, "order_has_quarantined_line": 1})

    def draft_duplicates(self) -> None:
        """Files downloaded twice, and files that overlap with the one of the day."""
        for day in range(self.calendar.daily_from, self.calendar.end + 1):
            draft = self._of_day(day)
            if day % OVERLAPPING_EVERY == 0:
                again = self.drafts.file("orders", "orders", day, "orders_part.csv", COLUMNS)
                wanted = sorted({row[0] for row in draft.rows})[::3]
                again.rows.extend(row for row in draft.rows if row[0] in wanted)
            if day % DOWNLOADED_TWICE_EVERY == 0:
                self.drafts.copy(draft, "orders_copy.csv")

    def _of_day(self, day: int) -> FileDraft:
        return self.drafts.files[(False, f"orders/{day_text(day)}/{FILE_NAME}")]
