"""Orders and customers as Shopify exports them, and what of the facts these files can tell.

One row a line; what belongs to the order stands on its first row only. Shopify tells no id of a line, no amount paid
for a line, of refunds only the order's total so far, and never when one succeeded: `facts_as_told` makes the facts what
remains. The shop's order names have no prefix, so that its orders are called as in the other forms, and the buyer's id
stands in a column beyond Shopify's 79, as apps add it: by the e-mail address alone, a buyer would be another person
than the one in events and members.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from renqun.simulate.calendar import Calendar
from renqun.simulate.dirt import BROKEN, LOST_DIGITS, NOBODY, NOON, RAGGED, Cells, days_of_faults, soil_plain
from renqun.simulate.drafts import Drafts, FileDraft
from renqun.simulate.facts import Facts, Order, Refund
from renqun.simulate.layouts import names
from renqun.simulate.order_files import DOWNLOADED_TWICE_EVERY, OVERLAPPING_EVERY
from renqun.simulate.order_forms import in_order, planted_order
from renqun.simulate.order_state import CLOSED, PRESALE, OrderState, money, state_of
from renqun.simulate.planting import Planting
from renqun.simulate.profile_files import Consent, snapshot_days
from renqun.simulate.wall import DAY, day_text, wall_text

ORDER_COLUMNS = names(
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,"
    "Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,"
    "Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,"
    "Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,"
    "Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,"
    "Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,"
    "Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,"
    "Lineitem discount,Tax 1 Name,Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,"
    "Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name,Payment ID,"
    "Payment Terms Name,Next Payment Due At,Payment References,Customer ID"
)
CUSTOMER_COLUMNS = names(
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Company,Address1,Address2,City,Province,Country,"
    "Zip,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Tags,Note,Tax Exempt"
)
FILE_NAME = "orders_export_1.csv"
_AGAIN, _LATE, _EARLIER = "orders_export_2.csv", "orders_export_3.csv", "orders_export.csv"
_EPOCH = datetime(1970, 1, 1)


class ShopifyOrders:
    """Drafts `orders_export_1.csv`."""

    def __init__(self, calendar: Calendar, drafts: Drafts, currency: str, time_zone: str) -> None:
        self.calendar = calendar
        self.drafts = drafts
        self.currency = currency
        self.zone = ZoneInfo(time_zone)

    def draft_orders(self, orders: Iterable[Order]) -> None:
        """Every export of every order, in the order in which they were placed."""
        for order in in_order(orders):
            for folder in self.calendar.export_folders(order):
                draft = self._file(folder, _LATE if order.is_late else FILE_NAME, is_late=order.is_late)
                # Lines have no ids here: an order that stands in a file twice would have every line twice.
                while draft.rows and draft.rows[-1][0] == order.order_id:
                    draft.rows.pop()
                draft.rows.extend(map(_row, self._lines(order, folder)))

    def draft_planted_exports(self, bed: Planting) -> None:
        """A second file with an order of the day, and one made before an order's refund, on the same day."""
        day = bed.end - 12
        self._file(day, _AGAIN).rows.extend(map(_row, self._lines(planted_order(bed, "order_in_two_files"), day)))
        refunded = bed.end - 10
        before = self._lines(planted_order(bed, "order_stale_export"), refunded - 1)
        self._file(refunded, _EARLIER).rows.extend(map(_row, before))

    def draft_bad_rows(self) -> None:
        """Rows that belong into quarantine, at least one for each reason."""
        days = days_of_faults(self.calendar.daily_from, self.calendar.end, len(self._faults(0)))
        for number, day in enumerate(days):
            reason, change = self._faults(day)[number]
            soil_plain(self._of_day(day), reason, self._sound(day, number) | change)

    def draft_dirty_export(self, bed: Planting) -> None:
        """A later export of a planted order, with one impossible line and one that is only in bad company."""
        draft = self._of_day(bed.end - 9)
        first, second = self._lines(planted_order(bed, "order_dirty_export"), draft.day)
        soil_plain(draft, "negative_quantity", first | {"Lineitem quantity": "-1", "Refunded Amount": "30.00"})
        soil_plain(draft, "order_has_quarantined_line", second)

    def draft_duplicates(self) -> None:
        """Files downloaded twice, and files that overlap with the one of the day."""
        for day in range(self.calendar.daily_from, self.calendar.end + 1):
            draft = self._of_day(day)
            if day % OVERLAPPING_EVERY == 0:
                wanted = set(sorted({row[0] for row in draft.rows})[::3])
                again = self._file(day, "orders_export_1 (1).csv")
                again.rows.extend(row for row in draft.rows if row[0] in wanted)
            if day % DOWNLOADED_TWICE_EVERY == 0:
                self.drafts.copy(draft, "orders_export_1 (2).csv")

    def _lines(self, order: Order, folder: int) -> list[Cells]:
        """The rows that show an order in the files of a folder."""
        state = state_of(order, folder, self.calendar)
        shown = self._head(order, state)
        rows = []
        for line in order.lines:
            shown |= {
                "Name": order.order_id,
                "Email": _email(order),
                "Lineitem quantity": str(line.quantity),
                "Lineitem name": line.item.name,
                "Lineitem price": money(line.unit),
                "Lineitem sku": line.item.item_id,
                "Lineitem discount": money(line.discount),
                "Lineitem requires shipping": "true",
                "Lineitem taxable": "true",
                "Lineitem fulfillment status": "fulfilled" if state.status == "交易成功" else "pending",
            }
            rows.append(shown)
            shown = {}
        return rows

    def _head(self, order: Order, state: OrderState) -> Cells:
        goods = min(order.paid, sum(line.paid for line in order.lines))
        person = order.person
        is_known = bool(order.identity)
        return {
            "Financial Status": _financial_status(order, state),
            "Paid at": self._time(order.paid_at) if state.is_paid and order.paid_at else "",
            "Fulfillment Status": "fulfilled" if state.status == "交易成功" else "unfulfilled",
            "Accepts Marketing": "no",
            "Currency": self.currency,
            "Subtotal": money(goods),
            "Shipping": money(order.paid - goods),
            "Taxes": "0.00",
            "Total": money(order.paid),
            "Discount Amount": "0.00",
            "Shipping Method": "Standard",
            "Created at": self._time(order.ordered_at),
            "Shipping City": person.city if person else "",
            "Shipping Province Name": person.province if person else "",
            "Shipping Country": "CN",
            "Refunded Amount": money(sum(state.refunded)),
            "Outstanding Balance": "0.00" if state.is_paid else money(order.paid),
            "Phone": f"'+86{person.phone}" if person and is_known else "",
            "Source": "web",
            "Customer ID": order.shown_id,
        }

    def _time(self, at: int) -> str:
        offset = (_EPOCH + timedelta(seconds=at)).replace(tzinfo=self.zone).strftime("%z")
        return f"{wall_text(at)} {offset}"

    def _file(self, day: int, name: str, *, is_late: bool = False) -> FileDraft:
        return self.drafts.file("orders", "shopify_orders", day, name, ORDER_COLUMNS, is_late=is_late)

    def _of_day(self, day: int) -> FileDraft:
        return self.drafts.files[(False, f"orders/{day_text(day)}/{FILE_NAME}")]

    def _sound(self, day: int, number: int) -> Cells:
        at = self._time(day * DAY + NOON)
        return {
            "Name": f"D-{day_text(day)}-{number}", "Financial Status": "paid", "Paid at": at, "Created at": at,
            "Total": "10.00", "Lineitem quantity": "1", "Lineitem name": "planted-nothing", "Lineitem price": "10.00",
            "Lineitem sku": "planted-nothing", "Customer ID": NOBODY,
        }  # fmt: skip

    def _faults(self, day: int) -> list[tuple[str, Cells]]:
        foreign = "USD" if self.currency != "USD" else "EUR"
        return [
            ("missing_required", {"Lineitem name": ""}),
            ("unparsable_value", {"Refunded Amount": "12,5O"}),
            ("unparsable_value", {"Created at": "2026-02-30 12:00:00 +0800"}),
            ("negative_quantity", {"Lineitem quantity": "-2"}),
            ("negative_price", {"Lineitem price": "-10.00"}),
            ("time_before_2000", {"Created at": "1970-01-01 08:00:00 +0800"}),
            ("time_after_export", {"Created at": self._time((day + 3) * DAY + NOON), "Paid at": ""}),
            ("foreign_currency", {"Currency": foreign}),
            ("digits_lost", {"Name": LOST_DIGITS}),
            (RAGGED, {}),
            (BROKEN, {}),
        ]


def draft_customers(facts: Facts, consents: list[Consent], calendar: Calendar, drafts: Drafts) -> None:
    """Everyone who had ordered by the day of the snapshot, with what they had spent."""
    for day in snapshot_days(calendar):
        granted = {
            consent.person.customer_id
            for consent in consents
            if consent.is_granted and consent.given_day <= day and (consent.withdrawn_day or day + 1) > day
        }
        orders: dict[str, int] = {}
        spent: dict[str, int] = {}
        for order in facts.orders:
            customer = order.identity
            if customer and not order.is_ghost and not order.is_late and calendar.first_folder(order) <= day:
                orders[customer] = orders.get(customer, 0) + 1
                state = state_of(order, day, calendar)
                net = order.paid - sum(state.refunded) if state.is_paid else 0
                spent[customer] = spent.get(customer, 0) + net
        draft = drafts.file("profiles", "shopify_customers", day, "customers_export.csv", CUSTOMER_COLUMNS)
        for person in facts.people:
            customer = person.customer_id
            if customer not in orders:
                continue
            accepts = "yes" if customer in granted else "no"
            cells = {
                "Customer ID": customer,
                "First Name": "Given",
                "Last Name": "Name",
                "Email": person.email,
                "Accepts Email Marketing": accepts,
                "City": person.city,
                "Province": person.province,
                "Country": "CN",
                "Phone": f"'+86{person.phone}",
                "Accepts SMS Marketing": accepts,
                "Total Spent": money(spent[customer]),
                "Total Orders": str(orders[customer]),
                "Tax Exempt": "no",
            }
            draft.rows.append([cells.get(column, "") for column in CUSTOMER_COLUMNS])


def facts_as_told(facts: Facts, calendar: Calendar) -> None:
    """Make the facts what the files tell: lines share what the order paid and each increase of its refunded total, in
    proportion to price times quantity, and a refund counts on the day of the export that shows it."""
    for order in facts.orders:
        weights = [line.unit * line.quantity for line in order.lines]
        for line, paid in zip(order.lines, share(order.paid, weights), strict=True):
            line.paid = paid
        increases: dict[int, list[Refund]] = {}
        for refund in order.refunds:
            increases.setdefault(calendar.shown_from(order, refund.at // DAY), []).append(refund)
        order.refunds = [
            Refund(place, max(refund.at for refund in together), amount, exports_time=False)
            for together in increases.values()
            for place, amount in enumerate(share(sum(refund.amount for refund in together), weights))
            if amount
        ]


def share(amount: int, weights: list[int]) -> list[int]:
    """Cents by weight: everyone the floor of their share, the cents left to the largest remainders, ties by place."""
    if not any(weights):
        weights = [1] * len(weights)
    total = sum(weights)
    shares = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(amount * weights[place] % total), place))
    for place in by_remainder[: amount - sum(shares)]:
        shares[place] += 1
    return shares


def _row(cells: Cells) -> list[str]:
    return [cells.get(column, "") for column in ORDER_COLUMNS]


def _email(order: Order) -> str:
    """A guest leaves none: an address names a person, and a guest is nobody in every form."""
    return order.person.email if order.person and order.identity else ""


def _financial_status(order: Order, state: OrderState) -> str:
    refunded = sum(state.refunded)
    if not state.is_paid:
        return {CLOSED: "voided", PRESALE: "partially_paid"}.get(state.status, "pending")
    if refunded:
        return "refunded" if refunded >= order.paid else "partially_refunded"
    return "paid"
