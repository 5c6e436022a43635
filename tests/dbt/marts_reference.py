"""The marts recomputed by brute force from the definitions: plain loops over plain rows, no SQL and no cleverness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from marts_world import Row, Tables

RFM_CLASSES = {
    (1, 1, 1): "champions",
    (0, 1, 1): "key_retain",
    (1, 0, 1): "key_develop",
    (0, 0, 1): "key_winback",
    (1, 1, 0): "general_value",
    (0, 1, 0): "general_retain",
    (1, 0, 0): "general_develop",
    (0, 0, 0): "general_winback",
}
RFM_CUTS = {"recency": [360, 180, 90, 30], "frequency": [2, 3, 4, 5], "monetary": [100, 300, 1000, 3000]}
HORIZONS = [30, 60, 90, 180, 360]


@dataclass(frozen=True)
class Thresholds:
    """The vars of the project, at their defaults."""

    item_min_buyers: int = 30
    cycle_min_gaps: int = 10
    rfm_method: str = "quantile"


def quantile(values: Iterable[Any], q: Fraction) -> Any:
    """The smallest value whose cumulative share is at least q."""
    ordered = sorted(values)
    return next((value for n, value in enumerate(ordered, 1) if Fraction(n, len(ordered)) >= q), None)


def age(tables: Tables, day: date) -> int:
    return (tables.as_of - day).days


def deals(tables: Tables, within_days: int = 10**6) -> list[Row]:
    return [
        o for o in tables.orders if o["is_deal"] and o["customer_key"] and age(tables, o["paid_date"]) < within_days
    ]


def person_of(tables: Tables, event: Row) -> str:
    return event["customer_key"] or tables.visitors[event["visitor_id"]]["customer_key"] or event["visitor_id"]


def rfm(tables: Tables, method: str = "quantile") -> dict[str, tuple[Any, ...]]:
    """customer -> (recency, frequency, monetary, r, f, m, class)"""
    base: dict[str, list[Row]] = defaultdict(list)
    for order in deals(tables, 720):
        base[order["customer_key"]].append(order)
    values = {
        key: (min(age(tables, o["paid_date"]) for o in own), len(own), sum((o["net_amount"] for o in own), Decimal(0)))
        for key, own in base.items()
    }
    n = len(values)

    def score(worse: int) -> int:
        return 1 if n == 1 else min(5, 1 + (5 * worse) // (n - 1))

    scores = {}
    for key, (recency, frequency, monetary) in values.items():
        if method == "fixed":
            scores[key] = (
                1 + sum(recency <= cut for cut in RFM_CUTS["recency"]),
                1 + sum(frequency >= cut for cut in RFM_CUTS["frequency"]),
                1 + sum(monetary >= cut for cut in RFM_CUTS["monetary"]),
            )
        else:
            scores[key] = (
                score(sum(other[0] > recency for other in values.values())),
                score(sum(other[1] < frequency for other in values.values())),
                score(sum(other[2] < monetary for other in values.values())),
            )
    totals = [sum(own[i] for own in scores.values()) for i in range(3)]
    return {
        key: (*values[key], *own, RFM_CLASSES[tuple(int(own[i] * n > totals[i]) for i in range(3))])
        for key, own in scores.items()
    }


def interest(tables: Tables) -> dict[str, Any]:
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for event in tables.events:
        customer = event["customer_key"] or tables.visitors[event["visitor_id"]]["customer_key"]
        if event["event_type"] not in ("cart", "favourite") or not customer or not event["item_id"]:
            continue
        if not 3 <= age(tables, event["event_date"]) <= 10:
            continue
        answered = any(
            line["is_paid"]
            and line["customer_key"] == customer
            and line["item_id"] == event["item_id"]
            and line["paid_at"] >= event["event_at"]
            for line in tables.lines
        )
        if not answered:
            found[customer][event["item_id"]].add(str(event["event_date"]))
    return {
        c: [{"item_id": i, "event_dates": sorted(days)} for i, days in sorted(items.items())]
        for c, items in found.items()
    }


def new_customers(tables: Tables) -> dict[str, Any]:
    found = {}
    for customer in tables.customers:
        own = [order for order in deals(tables, 720) if order["customer_key"] == customer]
        if len(own) == 1 and age(tables, own[0]["paid_date"]) <= 179:
            paid = own[0]["paid_date"]
            found[customer] = {"order_id": own[0]["order_id"], "paid_date": str(paid)}
    return found


def repurchase(tables: Tables, thresholds: Thresholds) -> dict[str, Any]:
    days: dict[str, dict[str, set[date]]] = defaultdict(lambda: defaultdict(set))
    for line in tables.lines:
        if line["is_deal"] and line["customer_key"] and age(tables, line["paid_date"]) < 720:
            days[line["item_id"]][line["customer_key"]].add(line["paid_date"])
    rates = {
        item: Fraction(sum(len(own) >= 2 for own in buyers.values()), len(buyers))
        for item, buyers in days.items()
        if len(buyers) >= thresholds.item_min_buyers
    }
    threshold = quantile(rates.values(), Fraction(3, 4))
    found: dict[str, list[Any]] = defaultdict(list)
    for item, rate in sorted(rates.items()):
        gaps = [
            (later - earlier).days
            for own in days[item].values()
            for earlier, later in zip(sorted(own), sorted(own)[1:], strict=False)
        ]
        if rate == 0 or rate < threshold or len(gaps) < thresholds.cycle_min_gaps:
            continue
        low, high = quantile(gaps, Fraction(1, 4)), quantile(gaps, Fraction(3, 4))
        for customer, own in days[item].items():
            if low <= age(tables, max(own)) <= high:
                found[customer].append(
                    {
                        "item_id": item,
                        "last_paid_date": str(max(own)),
                        "age_days": age(tables, max(own)),
                        "cycle_from_days": low,
                        "cycle_to_days": high,
                        "item_buyers": len(days[item]),
                        "item_repeat_buyers": sum(len(o) >= 2 for o in days[item].values()),
                    }
                )
    return dict(found)


def segments(tables: Tables, thresholds: Thresholds) -> dict[str, dict[str, Any]]:
    """segment -> customer -> reason"""
    members = {
        "interest": interest(tables),
        "new_customer": new_customers(tables),
        "repurchase": repurchase(tables, thresholds),
    }
    union: dict[str, list[str]] = defaultdict(list)
    for segment in sorted(members):
        for customer in members[segment]:
            union[customer].append(segment)
    members["key_operating"] = {customer: {"segments": own} for customer, own in union.items()}
    members |= {segment: {} for segment in RFM_CLASSES.values()}
    for customer, (r, f, m, rs, fs, ms, segment) in rfm(tables, thresholds.rfm_method).items():
        members[segment][customer] = {
            "last_deal_date": str(tables.as_of - timedelta(days=r)),
            "frequency": f,
            "monetary": str(m),
            "r_score": rs,
            "f_score": fs,
            "m_score": ms,
        }
    return members


def ratio(numerator: Any, denominator: Any) -> float | None:
    return float(numerator) / float(denominator) if denominator else None


def month(day: date) -> date:
    return day.replace(day=1)


def months(first: date, last: date) -> list[date]:
    found = [month(first)]
    while (following := month(found[-1] + timedelta(days=32))) <= last:
        found.append(following)
    return found


def first_deals(tables: Tables) -> dict[str, date]:
    first: dict[str, date] = {}
    for order in deals(tables):
        key = order["customer_key"]
        first[key] = min(first.get(key, order["paid_date"]), order["paid_date"])
    return first


def repurchase_rates(tables: Tables) -> dict[tuple[date, int], tuple[Any, ...]]:
    """(cohort, horizon) -> (size, observable, repurchased, rate)"""
    first = first_deals(tables)
    dates: dict[str, set[date]] = defaultdict(set)
    for order in deals(tables):
        dates[order["customer_key"]].add(order["paid_date"])
    rows = {}
    for cohort in {month(day) for day in first.values()}:
        people = [key for key, day in first.items() if month(day) == cohort]
        for n in HORIZONS:
            observable = [key for key in people if age(tables, first[key]) >= n]
            again = [key for key in observable if any(1 <= (day - first[key]).days <= n for day in dates[key])]
            rows[cohort, n] = (len(people), len(observable), len(again), ratio(len(again), len(observable)))
    return rows


def kpis(tables: Tables) -> dict[date, Row]:
    starts = [e["event_date"] for e in tables.events] + [o["ordered_date"] for o in tables.orders]
    if not starts:
        return {}
    buyers: dict[date, set[str]] = defaultdict(set)
    for order in tables.orders:
        if order["is_paid"] and order["customer_key"]:
            buyers[order["paid_date"]].add(order["customer_key"])
    rows = {}
    for n in range(age(tables, min(starts)) + 1):
        day = min(starts) + timedelta(days=n)
        events = [e for e in tables.events if e["event_date"] == day]
        paid = [o for o in tables.orders if o["paid_date"] == day]
        before = {key for other, keys in buyers.items() if other < day for key in keys}
        year = {key for other, keys in buyers.items() if 1 <= (day - other).days <= 365 for key in keys}
        cohort = buyers.get(day - timedelta(days=30), set())
        again = {key for other, keys in buyers.items() if 0 <= (day - other).days <= 29 for key in keys}
        own = buyers.get(day, set())
        row: Row = dict.fromkeys(KPI_COLUMNS)
        if tables.has_traffic:
            row |= {
                "visitors": len({e["visitor_id"] for e in events}),
                "views": sum(e["event_type"] == "view" for e in events),
                "cart_visitors": len({e["visitor_id"] for e in events if e["event_type"] == "cart"}),
                "favourite_visitors": len({e["visitor_id"] for e in events if e["event_type"] == "favourite"}),
            }
        if tables.has_orders:
            row |= {
                "orders_placed": sum(o["ordered_date"] == day for o in tables.orders),
                "orders_paid": len(paid),
                "buyers_paid": len(own),
                "new_buyers_lifetime": len(own - before),
                "returning_buyers_lifetime": len(own & before),
                "new_buyers_365d": len(own - year),
                "returning_buyers_365d": len(own & year),
                "item_quantity": sum((o["item_quantity"] for o in paid), Decimal(0)),
                "paid_amount": sum((o["paid_amount"] for o in paid), Decimal(0)),
                "net_amount": sum((o["net_amount"] for o in paid), Decimal(0)),
                "refunded_amount": sum(
                    (r["refunded_amount"] for r in tables.refunds if r["refunded_date"] == day), Decimal(0)
                ),
            }
            row["amount_per_buyer"] = ratio(row["paid_amount"], len(own))
            row["items_per_order"] = ratio(row["item_quantity"], len(paid))
            row["repurchase_rate_30d"] = ratio(len(cohort & again), len(cohort))
        if tables.has_traffic and tables.has_orders:
            row["conversion_rate"] = ratio(len(own), row["visitors"])
            row["amount_per_visitor"] = ratio(row["paid_amount"], row["visitors"])
        rows[day] = row
    return rows


KPI_COLUMNS = [
    "visitors",
    "views",
    "cart_visitors",
    "favourite_visitors",
    "orders_placed",
    "orders_paid",
    "buyers_paid",
    "new_buyers_lifetime",
    "returning_buyers_lifetime",
    "new_buyers_365d",
    "returning_buyers_365d",
    "item_quantity",
    "paid_amount",
    "net_amount",
    "refunded_amount",
    "conversion_rate",
    "amount_per_buyer",
    "amount_per_visitor",
    "items_per_order",
    "repurchase_rate_30d",
]
