"""Sums of the books: what the shop as a whole must show."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from datetime import date
from typing import Any

from renqun.simulate.books import Books, CustomerPage, interested, new_customers, rfm_base
from renqun.simulate.order_state import money
from renqun.simulate.rfm import rfm_classes
from renqun.simulate.stages import rhythm
from renqun.simulate.wall import day_number, day_text, month_text, months_between

HORIZONS = (30, 60, 90, 180, 360)


def shop_totals(books: Books) -> dict[str, Any]:
    """Everything that is summed over the whole shop, as of the books' day."""
    entries = books.orders
    paid = [entry for entry in entries if entry.paid_day is not None]
    base = rfm_base(books)
    lines_paid = sum(line.paid for entry in paid for line in entry.order.lines)
    paid_amount = sum(entry.paid for entry in paid)
    refunded = sum(entry.refunded for entry in entries)
    return {
        "orders": len(entries),
        "order_lines": sum(len(entry.order.lines) for entry in entries),
        "orders_paid": len(paid),
        "deals": sum(entry.is_deal for entry in entries),
        "over_refunded_orders": sum(entry.refunded > entry.paid for entry in entries),
        "orders_without_customer": sum(not entry.order.identity for entry in entries),
        "paid_amount": money(paid_amount),
        "lines_paid_amount": money(lines_paid),
        "unallocated_amount": money(paid_amount - lines_paid),
        "refunded_amount": money(refunded),
        "net_amount": money(paid_amount - refunded),
        "deal_net_amount": money(sum(entry.paid - entry.refunded for entry in entries if entry.is_deal)),
        "customers": len(books.named),
        "visitors": len({visitor for day in books.days.values() for visitor in day.visitors}),
        "linked_visitors": sum(len(seen) == 1 for seen in books.logins.values()),
        "events": sum(day.events for day in books.days.values()),
        "sessions": sum(day.sessions for day in books.days.values()),
        "segments": {"interest": len(interested(books)), "new_customer": len(new_customers(books))},
        "rhythm": asdict(rhythm(books)),
        "rfm": {
            "customers": len(base),
            "recency_days": sum(recency for recency, _, _ in base.values()),
            "frequency": sum(frequency for _, frequency, _ in base.values()),
            "monetary": money(sum(monetary for _, _, monetary in base.values())),
        },
        "rfm_classes": rfm_classes(base.values()),
        "days": _days(books),
        "cohorts": _cohorts(books),
    }


def _days(books: Books) -> dict[str, dict[str, Any]]:
    first_paid = {customer: min(page.paid_days) for customer, page in books.customers.items() if page.paid_days}
    return {
        day_text(number): {
            "visitors": len(day.visitors),
            "views": day.views,
            "cart_visitors": len(day.cart_visitors),
            "favourite_visitors": len(day.favourite_visitors),
            "events": day.events,
            "sessions": day.sessions,
            "attempts": len(_viewers(books, number)),
            "orders_placed": day.orders_placed,
            "orders_paid": day.orders_paid,
            "paid_amount": money(day.paid),
            "net_amount": money(day.net),
            "refunded_amount": money(day.refunded),
            "item_quantity": day.items_paid,
            "buyers_paid": len(day.buyers),
            "new_buyers_lifetime": sum(first_paid[customer] == number for customer in day.buyers),
        }
        for number, day in sorted(books.days.items())
    }


def _viewers(books: Books, number: int) -> set[str]:
    """Persons with a view on a day: customers where known, else visitors."""
    return {
        books.person_of(customer_id, visitor) or f"visitor {visitor}"
        for customer_id, visitor in books.days[number].viewers
    }


def _cohorts(books: Books) -> dict[str, dict[str, Any]]:
    pages: dict[str, list[CustomerPage]] = defaultdict(list)
    for page in books.customers.values():
        if page.deals:
            pages[month_text(min(day for day, _ in page.deals))].append(page)
    return {month: _cohort(month, members, books.as_of) for month, members in sorted(pages.items())}


def _cohort(month: str, members: list[CustomerPage], as_of: int) -> dict[str, Any]:
    retained: dict[int, int] = defaultdict(int)
    amounts: dict[int, int] = defaultdict(int)
    observable = dict.fromkeys(HORIZONS, 0)
    again = dict.fromkeys(HORIZONS, 0)
    for page in members:
        first = min(day for day, _ in page.deals)
        periods = set()
        for day, net in page.deals:
            period = months_between(first, day)
            amounts[period] += net
            periods.add(period)
        for period in periods:
            retained[period] += 1
        for horizon in HORIZONS:
            if as_of - first >= horizon:
                observable[horizon] += 1
                again[horizon] += any(0 < day - first <= horizon for day, _ in page.deals)
    last_period = months_between(day_number(date.fromisoformat(month)), as_of)
    sums = [sum(amounts[earlier] for earlier in range(period + 1)) for period in range(last_period + 1)]
    return {
        "cohort_size": len(members),
        "retained_customers": [retained[period] for period in range(last_period + 1)],
        "cumulative_net_amount": [money(amount) for amount in sums],
        "observable_customers": {str(horizon): count for horizon, count in observable.items()},
        "repurchased_customers": {str(horizon): count for horizon, count in again.items()},
    }
