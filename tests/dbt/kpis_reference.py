"""What moved, gaps and anomalies recomputed by brute force from the definitions: loops over rows, no SQL."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import marts_reference as reference
from kpis_world import kpi_tables
from marts_reference import person_of, quantile, ratio
from marts_world import Row, Tables, event_order

COMPARISONS = {"day": (1, 1), "weekday": (1, 7), "week": (7, 7), "four_weeks": (28, 28)}
KPIS = [
    "visitors",
    "buyers_paid",
    "orders_paid",
    "paid_amount",
    "refunded_amount",
    "conversion_rate",
    "amount_per_buyer",
]
NAMES = {"shop": ("visitors", "conversion", "amount_per_buyer")}
Part = tuple[Fraction | None, Decimal]
"""How many (none: money without people or pieces), and what they paid."""


def days_of(last: date, count: int) -> set[date]:
    return {last - timedelta(days=n) for n in range(count)}


def first_days(tables: Tables) -> tuple[date, date]:
    """Of the first event and the first order; a day that never comes for a group that the shop does not have."""
    return (
        min((e["event_date"] for e in tables.events), default=date.max),
        min((o["ordered_date"] for o in tables.orders), default=date.max),
    )


def first_source(events: Iterable[Row]) -> str:
    def order(event: Row) -> tuple[Any, ...]:
        *moment, key = event_order(event)
        return (*moment, event["visitor_id"], event["customer_key"] or "", key)

    return min(events, key=order)["source"] or "(unknown)"


def category(tables: Tables, line: Row, items: dict[str, str | None]) -> str:
    return line.get("category_id") or items[line["item_id"]] or "(unknown)"


def items_of(tables: Tables) -> dict[str, str | None]:
    from marts_people import CATEGORIES

    return {line["item_id"]: CATEGORIES.get(line["item_id"]) for line in tables.lines}


def kind(tables: Tables, customer: str, start: date) -> str:
    before = [
        o["paid_date"]
        for o in tables.orders
        if o["is_paid"] and o["customer_key"] == customer and o["paid_date"] < start
    ]
    if not before:
        return "new"
    return "returning" if (start - max(before)).days <= 365 else "reactivated"


def total(rows: Iterable[Row], name: str = "paid_amount") -> Decimal:
    return sum((row[name] for row in rows), Decimal(0))


def parts(tables: Tables, days: set[date]) -> dict[str, tuple[int | None, dict[str, Part]]]:
    """dimension -> (visitors of the shop, value -> how many and what they paid)"""
    orders = [o for o in tables.orders if o["is_paid"] and o["paid_date"] in days]
    lines = [line for line in tables.lines if line["is_paid"] and line["paid_date"] in days]
    events = [e for e in tables.events if e["event_date"] in days]
    buyers = {o["customer_key"] for o in orders if o["customer_key"]}
    paid = {buyer: total(o for o in orders if o["customer_key"] == buyer) for buyer in buyers}
    nobody = total(o for o in orders if not o["customer_key"])
    of_nobody: dict[str, Part] = {}
    if any(not o["customer_key"] for o in orders):
        of_nobody = {"(no customer)": (None, nobody)}
    of_no_line: dict[str, Part] = {"(postage and rounding)": (None, total(orders) - total(lines))} if orders else {}
    visits = defaultdict(list)
    for event in events:
        visits[person_of(tables, event)].append(event)
    sources: dict[str, set[str]] = defaultdict(set)
    for person in visits.keys() | buyers:
        sources[first_source(visits[person]) if visits[person] else "(no visit)"].add(person)
    kinds: dict[str, set[str]] = defaultdict(set)
    for buyer in buyers:
        kinds[kind(tables, buyer, min(days))].add(buyer)
    pieces: dict[str, list[Row]] = defaultdict(list)
    items = items_of(tables)
    for line in lines:
        pieces[category(tables, line, items)].append(line)

    def of_people(groups: dict[str, set[str]]) -> dict[str, Part]:
        return {
            value: (Fraction(len(people)), sum((paid.get(one, Decimal(0)) for one in people), Decimal(0)))
            for value, people in groups.items()
        }

    visitors = len({e["visitor_id"] for e in events}) if tables.has_traffic else None
    found: dict[str, tuple[int | None, dict[str, Part]]] = {
        "shop": (
            visitors,
            {"(all)": (Fraction(len(buyers)), sum(paid.values(), Decimal(0))), "(no customer)": (None, nobody)},
        ),
        "customer_kind": (None, of_people(kinds) | of_nobody),
        "category": (
            None,
            {value: (Fraction(total(own, "quantity")), total(own)) for value, own in pieces.items()}
            | of_no_line,
        ),
    }  # fmt: skip
    if tables.has_traffic:
        found["source"] = (None, of_people(sources) | of_nobody)
    return found


def changes(tables: Tables) -> dict[str, tuple[Any, ...]]:
    """comparison -> visitors, buyers, paid, of nobody (current, then previous), change, is_complete"""
    rows = {}
    firsts = first_days(tables)
    for comparison, (count, shift) in COMPARISONS.items():
        figures: list[Any] = []
        for end in (tables.as_of, tables.as_of - timedelta(days=shift)):
            days = days_of(end, count)
            visitors, values = parts(tables, days)["shop"]
            buyers, paid, nobody = values["(all)"][0], values["(all)"][1], values["(no customer)"][1]
            figures += [visitors if min(days) >= firsts[0] else None]
            figures += [int(buyers or 0), paid + nobody, nobody] if min(days) >= firsts[1] else [None] * 3
        change = figures[2] - figures[6] if None not in (figures[2], figures[6]) else None
        there = [day for day in firsts if day != date.max]
        is_complete = bool(there) and min(days_of(tables.as_of - timedelta(days=shift), count)) >= max(there)
        rows[comparison] = (*figures, change, is_complete)
    return rows


def shapley(values: Callable[[int, int, int], Fraction]) -> list[Fraction]:
    """What changing each of three factors adds, over all orders in which they can be changed."""
    effects = [Fraction(0)] * 3
    for order in itertools.permutations(range(3)):
        state = [0, 0, 0]
        for factor in order:
            before = values(*state)
            state[factor] = 1
            effects[factor] += (values(*state) - before) / 6
    return effects


def to_cents(effects: list[Fraction]) -> list[Decimal]:
    """Largest remainder, ties in the order of the factors."""
    floors = [effect * 100 // 1 for effect in effects]
    left = round(sum(effects) * 100) - sum(floors)
    order = sorted(range(3), key=lambda n: (-(effects[n] * 100 - floors[n]), n))
    return [Decimal(floors[n] + (n in order[:left])) / 100 for n in range(3)]


def factor_effects(dimension: str, wholes: list[Fraction], own: list[Part]) -> dict[str, Decimal]:
    """The effects of one value of a dimension; `own` is how many and how much, before and now."""
    change = own[1][1] - own[0][1]
    counts = [part[0] for part in own]
    if None in counts:
        return {"unallocated" if dimension == "category" else "unidentified_orders": change}
    n: list[Fraction] = [count or Fraction(0) for count in counts]
    gone_or_new = dimension != "shop" and any(n) and all(n[i] > 0 or own[i][1] == 0 for i in (0, 1))
    if not all(wholes) or not (all(n) or gone_or_new):
        return {"undefined_factors": change}
    rates = [(Fraction(own[i][1]), n[i]) if n[i] else (Fraction(own[1 - i][1]), n[1 - i]) for i in (0, 1)]

    def exact(i: int, j: int, k: int) -> Fraction:
        return wholes[i] * n[j] / wholes[j] * rates[k][0] / rates[k][1]

    def in_millionths(i: int, j: int, k: int) -> Fraction:
        of_part = rates[k][0] * 10**6 * n[j] // rates[k][1]
        return Fraction(of_part * wholes[i] // wholes[j], 10**6)

    effects = to_cents(shapley(in_millionths))
    assert all(
        abs(Fraction(ours) - true) <= Fraction(1, 100) for ours, true in zip(effects, shapley(exact), strict=True)
    )
    return dict(zip(NAMES.get(dimension, ("volume", "mix", "rate")), effects, strict=True))


def effects(tables: Tables) -> dict[tuple[str, ...], Decimal]:
    """(comparison, dimension, value, effect) -> amount"""
    rows: dict[tuple[str, ...], Decimal] = {}
    for comparison, figures in changes(tables).items():
        if figures[-2] is None:
            continue
        count, shift = COMPARISONS[comparison]
        sides = [parts(tables, days_of(tables.as_of - timedelta(days=d), count)) for d in (shift, 0)]
        for dimension in sides[0]:
            if dimension == "source" and None in (figures[0], figures[4]):
                continue
            values = [side[dimension][1] for side in sides]
            wholes = [
                Fraction(visitors or 0)
                if dimension == "shop"
                else sum((part[0] for part in side[dimension][1].values() if part[0] is not None), Fraction(0))
                for side, visitors in zip(sides, (figures[4], figures[0]), strict=True)
            ]
            for value in values[0].keys() | values[1].keys():
                nothing: Part = (
                    None if value in ("(no customer)", "(postage and rounding)") else Fraction(0),
                    Decimal(0),
                )
                own = [side.get(value, nothing) for side in values]
                for effect, amount in factor_effects(dimension, wholes, own).items():
                    rows[comparison, dimension, value, effect] = amount
    return rows


def gaps(tables: Tables) -> dict[tuple[date, str, str], tuple[Any, ...]]:
    """(day, measure, reason) -> (known amount, amount)"""
    platform = kpi_tables(tables)
    versions = platform["intermediate.int_order_versions"]
    excluded = {row["order_id"] for row in platform["intermediate.int_excluded_orders"]}
    moves: dict[tuple[date, str, str], Decimal] = defaultdict(Decimal)
    for order in tables.orders:
        own = [v for v in versions if v["order_id"] == order["order_id"]]
        denied = [v["_folder_date"] for v in own if v["is_paid_by_status"] is False and v["platform"] == "taobao"]
        said = [v["_folder_date"] for v in own if v["is_paid_by_status"] and denied and v["_folder_date"] > max(denied)]
        if order["is_paid"]:
            moves[order["paid_date"], "paid_amount", "postage"] += order["unallocated_amount"]
            if said and order["paid_date"] < max(denied):
                for day, sign in ((order["paid_date"], -1), (min(said), 1)):
                    moves[day, "paid_amount", "presale"] += sign * order["paid_amount"]
                    moves[day, "orders_paid", "presale"] += sign
    for order_id in excluded:
        own = sorted((v for v in versions if v["order_id"] == order_id), key=lambda v: str(v["_folder_date"]))
        if own:
            amounts = [v["order_paid_amount"] for v in own if v["order_paid_amount"] is not None]
            moves[own[-1]["paid_date"], "orders_paid", "excluded_orders"] += 1
            moves[own[-1]["paid_date"], "paid_amount", "excluded_orders"] += (amounts or [Decimal(0)])[-1]
    ours = reference.kpis(tables)
    rows: dict[tuple[date, str, str], tuple[Any, ...]] = {}
    for told in platform["intermediate.int_shop_traffic_versions"]:
        day = told["business_date"]
        for measure, reasons in {
            "orders_paid": ["excluded_orders", "presale"],
            "paid_amount": ["excluded_orders", "presale", "postage", "refunds"],
        }.items():
            if day > tables.as_of or told[measure] is None or day not in ours or ours[day][measure] is None:
                continue
            moves[day, "paid_amount", "refunds"] = ours[day]["refunded_amount"]
            rest = Decimal(told[measure]) - ours[day][measure]
            for reason in reasons:
                known = moves[day, measure, reason]
                amount = Decimal(0) if reason in ("postage", "refunds") else known
                rows[day, measure, reason] = (known, amount)
                rest -= amount
            rows[day, measure, "unexplained"] = (None, rest)
    return rows


def kpi_value(day: date, row: Row, kpi: str, firsts: tuple[date, date]) -> Fraction | None:
    """The figure of a day; ratios to six decimals, halves up. None before the first event or order."""
    if day < max(firsts[n] for n in {"visitors": [0], "conversion_rate": [0, 1]}.get(kpi, [1])):
        return None
    pair = {"conversion_rate": ("buyers_paid", "visitors"), "amount_per_buyer": ("paid_amount", "buyers_paid")}.get(kpi)
    if pair is None:
        return None if row[kpi] is None else Fraction(row[kpi])
    if row[pair[0]] is None or not row[pair[1]]:
        return None
    return (Fraction(row[pair[0]]) / Fraction(row[pair[1]]) * 10**6 + Fraction(1, 2)) // 1 / Fraction(10**6)


def daily_parts(tables: Tables, kpi: str, day: date) -> dict[tuple[str, str], Decimal]:
    """(dimension, value) -> its part of an additive figure of the day"""
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    events = [e for e in tables.events if e["event_date"] == day]
    if kpi == "visitors":
        for visitor in {e["visitor_id"] for e in events}:
            found["source", first_source(e for e in events if e["visitor_id"] == visitor)] += 1
    elif kpi == "refunded_amount":
        lines = {(line["order_id"], line["line_key"]): line for line in tables.lines}
        items = items_of(tables)
        for refund in tables.refunds:
            if refund["refunded_date"] == day:
                line = lines[refund["order_id"], refund["line_key"]]
                found["category", category(tables, line, items)] += refund["refunded_amount"]
    else:
        orders = [o for o in tables.orders if o["is_paid"] and o["paid_date"] == day]
        for customer in {o["customer_key"] for o in orders}:
            own = [o for o in orders if o["customer_key"] == customer]
            seen = [
                e for e in events
                if customer and (e["customer_key"] or tables.visitors[e["visitor_id"]]["customer_key"]) == customer
            ]  # fmt: skip
            amount = {"buyers_paid": int(customer is not None), "orders_paid": len(own), "paid_amount": total(own)}[kpi]
            source = first_source(seen) if seen else "(no visit)"
            found["source", source if customer else "(no customer)"] += amount
            found["customer_kind", kind(tables, customer, day) if customer else "(no customer)"] += amount
        if kpi == "paid_amount":
            for value, (_, amount) in parts(tables, {day})["category"][1].items():
                found["category", value] += amount
    return found


def anomalies(
    tables: Tables, promotions: list[tuple[str, date, date]], report_days: int = 90
) -> dict[Any, tuple[Any, ...]]:
    """(day, kpi) -> basis, promotion, value, expected, allowed, days, is_anomaly, top dimension, value, contribution"""
    shop, firsts = reference.kpis(tables), first_days(tables)
    spread_floor = {"paid_amount": 10, "refunded_amount": 10, "conversion_rate": Fraction(1, 1000)}
    promotion_of: dict[date, tuple[str, date]] = {}
    # Of promotions that share a day, the one that began last is the day's; then the first name.
    for promotion, start, end in sorted(promotions, key=lambda p: (-p[1].toordinal(), p[0]), reverse=True):
        for n in range((end - start).days + 1):
            promotion_of[start + timedelta(days=n)] = (promotion, start)
    rows: dict[Any, tuple[Any, ...]] = {}
    for day, kpi in itertools.product(sorted(days_of(tables.as_of, report_days) & shop.keys()), KPIS):
        value = kpi_value(day, shop[day], kpi, firsts)
        promotion, start = promotion_of.get(day, (None, day))
        if promotion:
            earlier = [p for p in promotions if p[0] == promotion and p[1] < start]
            last = max(earlier, key=lambda p: p[1], default=None)
            dates = [last[1] + (day - start)] if last and last[1] + (day - start) <= last[2] else []
        else:
            dates = [day - timedelta(days=7 * n) for n in range(1, 9)]
            dates = [d for d in dates if d not in promotion_of]
        dates = [d for d in dates if d in shop and kpi_value(d, shop[d], kpi, firsts) is not None]
        usual = [kpi_value(d, shop[d], kpi, firsts) or Fraction(0) for d in dates]
        basis = "promotion" if dates else "no_baseline"
        if promotion is None:
            basis = "weekday" if len(dates) >= 4 else "too_few_days"
        basis = "no_value" if value is None else basis
        expected = allowed = None
        if basis in ("weekday", "promotion"):
            expected = quantile(usual, Fraction(1, 2))
            off = quantile([abs(one - expected) for one in usual], Fraction(1, 2))
            spread = max(off, expected / 20, Fraction(spread_floor.get(kpi, 1)))
            allowed = expected / 2 if promotion else Fraction("5.1891") * spread
        is_odd = expected is not None and value is not None and abs(value - expected) > allowed
        top: tuple[Any, ...] = (None, None, None)
        if is_odd and kpi not in KPIS[5:]:
            sign = 1 if value > expected else -1
            now, then = daily_parts(tables, kpi, day), [daily_parts(tables, kpi, d) for d in dates]
            contributions = [
                (sign * (now.get(key, 0) - quantile([one.get(key, 0) for one in then], Fraction(1, 2))), key)
                for key in now.keys() | {key for one in then for key in one}
            ]
            best, (dimension, part) = min(contributions, key=lambda c: (-c[0], c[1]))
            top = (dimension, part, sign * best) if best > 0 else top
        bound = None if allowed is None else allowed * 10**6 // 1 / Fraction(10**6)
        rows[day, kpi] = (basis, promotion, value, expected, bound, len(dates), is_odd, *top)
    return rows


def rates(figures: tuple[Any, ...]) -> tuple[float | None, ...]:
    """Conversion and amount per buyer, current and previous."""
    pairs = [(figures[1 + n], figures[n], figures[2 + n]) for n in (0, 4)]
    return tuple(
        rate
        for buyers, visitors, paid in pairs
        for rate in (
            None if buyers is None or not visitors else ratio(buyers, visitors),
            None if not buyers else ratio(paid, buyers),
        )
    )
