"""Cohorts and the value of customers recomputed by brute force from the definitions: plain loops over plain rows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from marts_people import CATEGORIES, people
from marts_reference import age, deals, first_deals, month, months, ratio
from marts_world import Row, Tables
from scipy.special import betaincinv

Cells = dict[Any, tuple[Any, ...]]


def week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def weeks(first: date, last: date) -> list[date]:
    return [week(first) + timedelta(weeks=n) for n in range((week(last) - week(first)).days // 7 + 1)]


def _end(unit: str, start: date) -> date:
    return start + timedelta(days=6) if unit == "week" else month(start + timedelta(days=32)) - timedelta(days=1)


def cells(tables: Tables, members: Iterable[str], start: date, unit: str) -> list[tuple[Any, ...]]:
    """A cohort's rows: period, size, retained, rate, masked, paid, given back twice, net, sum, ltv, masked, done."""
    members = set(members)
    begins: Callable[[date], date] = month if unit == "month" else week
    orders = [order for order in deals(tables) if order["customer_key"] in members]
    paid_on = {order["order_id"]: order["paid_date"] for order in orders}
    rows, total = [], Decimal(0)
    for period, current in enumerate((months if unit == "month" else weeks)(start, tables.as_of)):
        own = [order for order in orders if begins(order["paid_date"]) == current]
        paid = sum((order["paid_amount"] for order in own), Decimal(0))
        back = sum((order["refunded_amount"] for order in own), Decimal(0))
        dated = sum(
            (
                refund["refunded_amount"]
                for refund in tables.refunds
                if refund["order_id"] in paid_on
                and begins(max(refund["refunded_date"], paid_on[refund["order_id"]])) == current
            ),
            Decimal(0),
        )
        total += paid - back
        retained = len({order["customer_key"] for order in own})
        done = _end(unit, current) <= tables.as_of
        rate, ltv = ratio(retained, len(members)), ratio(total, len(members))
        masked = (rate, ltv) if done else (None, None)
        counted = (period, len(members), retained, rate, masked[0])
        rows.append((*counted, paid, back, dated, paid - back, total, ltv, masked[1], done))
    return rows


def cohorts(tables: Tables, unit: str) -> Cells:
    """(cohort, period) -> its cell"""
    groups: dict[date, set[str]] = defaultdict(set)
    for customer, first in first_deals(tables).items():
        groups[month(first) if unit == "month" else week(first)].add(customer)
    return {
        (start, row[0]): row[1:] for start, members in groups.items() for row in cells(tables, members, start, unit)
    }


def first_category(tables: Tables, customer: str) -> str:
    """The category of the dearest line (the first of several) of the order that was paid first."""
    order = min(
        (order for order in deals(tables) if order["customer_key"] == customer),
        key=lambda order: (order["paid_at"], order["order_id"]),
    )
    lines = [line for line in tables.lines if line["order_id"] == order["order_id"]]
    line = min(lines, key=lambda line: (-(line["paid_amount"] or 0), line["line_number"]))
    return CATEGORIES.get(line["item_id"], "(unknown)")


def dimension_cohorts(tables: Tables) -> Cells:
    """(dimension, value, cohort, period) -> its cell"""
    groups: dict[tuple[str, str, date], set[str]] = defaultdict(set)
    persons = people(tables)
    source = {person["customer_key"]: person["first_touch_source"] or "(unknown)" for person in persons}
    for customer, first in first_deals(tables).items():
        groups["first_source", source.get(customer, "(unknown)"), month(first)].add(customer)
        groups["first_category", first_category(tables, customer), month(first)].add(customer)
    for person in persons:
        for value, start in (("member", person["joined_date"]), ("fan", person["fan_since_date"])):
            if start is not None:
                groups["relationship_start", value, month(start)].add(person["customer_key"])
    return {
        (*key, row[0]): row[1:] for key, members in groups.items() for row in cells(tables, members, key[2], "month")
    }


def repeats(tables: Tables, base_age: int) -> dict[str, Row]:
    """What was known of a customer `base_age` days ago, and what came since."""
    base = tables.as_of - timedelta(days=base_age)
    days: dict[str, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for order in deals(tables):
        days[order["customer_key"]][order["paid_date"]] += order["net_amount"]
    found = {}
    for customer, own in days.items():
        first = min(own)
        if first <= base:
            known = [day for day in own if day <= base]
            found[customer] = {
                "x": len(known) - 1,
                "t_x": (max(known) - first).days,
                "t": (base - first).days,
                "net": sum((own[day] for day in known), Decimal(0)),
                "repeat": sum((own[day] for day in known if day > first), Decimal(0)),
                "later_days": len(own) - len(known),
                "later": sum((own[day] for day in own if day > base), Decimal(0)),
            }
    return found


def purchases_likelihood(histories: Iterable[Row], r: float, alpha: float, a: float, b: float) -> float:
    """Equation 6 of Fader, Hardie, Lee 2005, customer by customer."""
    total = 0.0
    for own in histories:
        x, t_x, t = own["x"], own["t_x"], own["t"]
        alive = math.lgamma(r + x) - math.lgamma(r) + r * math.log(alpha) - (r + x) * math.log(alpha + t)
        alive += math.lgamma(a + b) + math.lgamma(b + x) - math.lgamma(b) - math.lgamma(a + b + x)
        odds = a / (b + x - 1) * ((alpha + t) / (alpha + t_x)) ** (r + x) if x else 0.0
        total += alive + math.log1p(odds)
    return total


def amounts_likelihood(histories: Iterable[Row], p: float, q: float, v: float) -> float:
    """Equation 1a of Fader, Hardie 2013, customer by customer."""
    total = 0.0
    for own in histories:
        if own["repeat"] > 0:
            x, m = own["x"], float(own["repeat"]) / own["x"]
            total += math.lgamma(p * x + q) - math.lgamma(p * x) - math.lgamma(q) + q * math.log(v)
            total += (p * x - 1) * math.log(m) + p * x * math.log(x) - (p * x + q) * math.log(v + m * x)
    return total


def expectation(own: Row, horizon: int, r: float, alpha: float, a: float, b: float) -> tuple[float, float]:
    """P(alive), and the purchases to expect: the mean over a thousand equally likely probabilities of leaving."""
    x, t_x, t = own["x"], own["t_x"], own["t"]
    odds = a / (b + x - 1) * ((alpha + t) / (alpha + t_x)) ** (r + x) if x else 0.0
    shares = (np.arange(20_000) + 0.5) / 20_000
    leaving = np.maximum(betaincinv(a, b + x, shares), 1e-12)
    bought = -np.expm1(-(r + x) * np.log1p(leaving * horizon / (alpha + t))) / leaving
    return 1 / (1 + odds), float(bought.mean()) / (1 + odds)


def bucket(repeat_days: int) -> str:
    return str(repeat_days) if repeat_days < 7 else "7+"


def known_customers(tables: Tables, base_age: int) -> int:
    """Customers whose first deal is at least so old."""
    return sum(age(tables, first) >= base_age for first in first_deals(tables).values())
