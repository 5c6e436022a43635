"""The books of the simulated shop: kept from what happened, in plain dictionaries, never from what was exported.

`keep_books` walks over the facts once and enters each into the page of its customer, visitor and day; the summaries in
`totals.py` only add up what is entered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from renqun.simulate.calendar import Calendar
from renqun.simulate.facts import Facts, Order, Session
from renqun.simulate.wall import DAY


@dataclass(slots=True)
class OrderEntry:
    """An order as of a day."""

    order: Order
    paid_day: int | None
    refunds: list[tuple[int, int, int]]
    """(day, line, amount)"""

    @property
    def paid(self) -> int:
        """What was paid, in cents; 0 while unpaid."""
        return self.order.paid if self.paid_day is not None else 0

    @property
    def refunded(self) -> int:
        """What came back, in cents."""
        return sum(amount for _, _, amount in self.refunds)

    @property
    def is_fully_refunded(self) -> bool:
        """Whether all of it came back."""
        return bool(self.refunds) and self.refunded >= self.paid

    @property
    def is_deal(self) -> bool:
        """Paid, and not all of it came back."""
        return self.paid_day is not None and not self.is_fully_refunded


@dataclass(slots=True)
class CustomerPage:
    """What the books hold about one customer."""

    paid_days: list[int] = field(default_factory=list)
    """Pay day of every paid order."""
    deals: list[tuple[int, int]] = field(default_factory=list)
    """(pay day, net amount) of every deal."""
    bought: dict[str, list[int]] = field(default_factory=dict)
    """Item → times of payment."""


@dataclass(slots=True)
class DayPage:
    """What the books hold about one day."""

    visitors: set[str] = field(default_factory=set)
    cart_visitors: set[str] = field(default_factory=set)
    favourite_visitors: set[str] = field(default_factory=set)
    viewers: set[tuple[str, str]] = field(default_factory=set)
    """(customer of the event itself, visitor) of every view."""
    views: int = 0
    events: int = 0
    sessions: int = 0
    orders_placed: int = 0
    orders_paid: int = 0
    paid: int = 0
    net: int = 0
    refunded: int = 0
    buyers: set[str] = field(default_factory=set)
    items_paid: int = 0


@dataclass
class Books:
    """The books as of a day."""

    as_of: int
    orders: list[OrderEntry] = field(default_factory=list)
    customers: dict[str, CustomerPage] = field(default_factory=lambda: defaultdict(CustomerPage))
    days: dict[int, DayPage] = field(default_factory=lambda: defaultdict(DayPage))
    logins: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Visitor → customer ids that it was seen with; two are two, even if both are one person's."""
    carts: list[tuple[str, str, str, int]] = field(default_factory=list)
    """(customer of the event itself, visitor, item, time) of every cart and favourite event."""
    named: set[str] = field(default_factory=set)
    """Customers named by an order, an event or the members."""
    same_person: Mapping[str, str] = field(default_factory=dict)
    """Customer id → the id under which its person is kept, where that is another one."""

    def kept_as(self, customer_id: str) -> str:
        """The id under which a customer's person is kept."""
        return self.same_person.get(customer_id, customer_id)

    def person_of(self, customer_id: str, visitor_id: str) -> str:
        """The customer whom an event belongs to; empty where it is a stranger's."""
        if customer_id:
            return self.kept_as(customer_id)
        seen = self.logins.get(visitor_id, ())
        return self.kept_as(next(iter(seen))) if len(seen) == 1 else ""


def keep_books(facts: Facts, calendar: Calendar, as_of: int, members: Iterable[str], *, with_late: bool) -> Books:
    """The books as of the evening of a day, from files of folders up to it, with or without the late files."""
    books = Books(as_of, same_person=facts.same_person)
    for order in facts.orders:
        if not order.is_ghost and (with_late or not order.is_late) and calendar.first_folder(order) <= as_of:
            _enter_order(order, books, calendar)
    for session in facts.sessions:
        if with_late or not session.is_late:
            _enter_session(session, books)
    books.named.update(map(books.kept_as, members))
    return books


def _enter_order(order: Order, books: Books, calendar: Calendar) -> None:
    def is_known(day: int) -> bool:
        return calendar.shown_from(order, day) <= books.as_of

    paid_at = order.paid_at
    paid_day = paid_at // DAY if paid_at is not None and is_known(paid_at // DAY) else None
    refunds = [
        (calendar.refund_day(order, refund), refund.line, refund.amount)
        for refund in order.refunds
        if is_known(refund.at // DAY)
    ]
    entry = OrderEntry(order, paid_day, refunds)
    books.orders.append(entry)
    books.days[order.placed_day].orders_placed += 1
    customer = books.kept_as(order.identity)
    if customer:
        books.named.add(customer)
    if paid_day is None or paid_at is None:
        return
    day = books.days[paid_day]
    day.orders_paid += 1
    day.paid += entry.paid
    day.net += entry.paid - entry.refunded
    day.items_paid += sum(line.quantity for line in order.lines)
    for refund_day, _, amount in refunds:
        books.days[refund_day].refunded += amount
    if not customer:
        return
    day.buyers.add(customer)
    page = books.customers[customer]
    page.paid_days.append(paid_day)
    if entry.is_deal:
        page.deals.append((paid_day, entry.paid - entry.refunded))
    for line in order.lines:
        page.bought.setdefault(line.item.item_id, []).append(paid_at)


def _enter_session(session: Session, books: Books) -> None:
    visitor = session.visitor_id
    is_first = True
    for at, _, kind, customer_id, item_id, _, _ in session.events:
        number = at // DAY
        if number + session.delay_days > books.as_of:
            continue
        day = books.days[number]
        if is_first:
            day.sessions += 1
            is_first = False
        day.events += 1
        day.visitors.add(visitor)
        if customer_id:
            books.logins[visitor].add(customer_id)
            books.named.add(books.kept_as(customer_id))
        if kind == "view":
            day.views += 1
            day.viewers.add((customer_id, visitor))
        elif kind == "cart":
            day.cart_visitors.add(visitor)
            books.carts.append((customer_id, visitor, item_id, at))
        elif kind == "favourite":
            day.favourite_visitors.add(visitor)
            books.carts.append((customer_id, visitor, item_id, at))


def interested(books: Books) -> set[str]:
    """Customers with a cart or favourite of age 3 to 10 whose item they have not paid for since."""
    members = set()
    for customer_id, visitor, item_id, at in books.carts:
        if not 3 <= books.as_of - at // DAY <= 10:
            continue
        person = books.person_of(customer_id, visitor)
        if person and item_id:
            page = books.customers.get(person)
            bought = page.bought.get(item_id, ()) if page else ()
            if all(paid_at < at for paid_at in bought):
                members.add(person)
    return members


def new_customers(books: Books) -> set[str]:
    """Customers whose only deal of the last 720 days is at most 179 days old."""
    members = set()
    for customer, page in books.customers.items():
        recent = [books.as_of - day for day, _ in page.deals if books.as_of - day <= 719]
        if len(recent) == 1 and recent[0] <= 179:
            members.add(customer)
    return members


def rfm_base(books: Books) -> dict[str, tuple[int, int, int]]:
    """Customer → (days since the last deal, deals, net amount in cents), over the deals of the last 720 days."""
    base = {}
    for customer, page in books.customers.items():
        recent = [(books.as_of - day, net) for day, net in page.deals if books.as_of - day <= 719]
        if recent:
            base[customer] = (min(age for age, _ in recent), len(recent), sum(net for _, net in recent))
    return base
