"""Attribution, pairs and launches by brute force from the definitions: plain loops over plain rows, exact fractions."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

from attribution_shop import CHANNELS, ads, first_days, sessions, traffic_sources
from marts_reference import deals, month, months, ratio
from marts_world import Row, Tables

RULES = ("last", "first", "linear", "time_decay", "position")
NONE, UNKNOWN = "(no touch)", "(unknown)"
LOOKBACK = timedelta(days=30)
Credits = dict[tuple[str, str, str, str], tuple[Any, ...]]


def paid_orders(tables: Tables) -> list[Row]:
    return [order for order in tables.orders if order["is_paid"]]


def visits(tables: Tables) -> dict[str, list[Row]]:
    """Person → visits in their order."""
    found: dict[str, list[Row]] = defaultdict(list)
    for session in sorted(sessions(tables), key=lambda s: (s["started_at"], s["session_id"])):
        person = tables.visitors[session["visitor_id"]]["customer_key"] or session["visitor_id"]
        found[person].append(session)
    return found


def touches(order: Row, own: list[Row], paid: list[Any]) -> list[Row]:
    """The touches of an order; `own` are its buyer's visits, `paid` the times at which the buyer paid."""
    before = [visit for visit in own if visit["started_at"] <= order["paid_at"]]
    if not before:
        return []
    since = max((at for at in paid if at < before[-1]["started_at"]), default=None)
    return [
        visit
        for visit in before
        if (since is None or visit["started_at"] > since) and order["paid_at"] - visit["started_at"] <= LOOKBACK
    ]


def order_touches(tables: Tables) -> dict[str, list[Row]]:
    own, paid = visits(tables), defaultdict(list)
    for order in paid_orders(tables):
        paid[order["customer_key"]].append(order["paid_at"])
    return {
        order["order_id"]: touches(order, own.get(order["customer_key"], []), paid[order["customer_key"]])
        for order in paid_orders(tables)
    }


def weights(model: str, order: Row, own: list[Row]) -> list[int]:
    n = len(own)
    if model == "linear":
        return [1] * n
    if model == "last":
        return [0] * (n - 1) + [1]
    if model == "first":
        return [1] + [0] * (n - 1)
    if model == "time_decay":
        ages = [(order["paid_at"] - visit["started_at"]).total_seconds() for visit in own]
        return [round(10**9 * 0.5 ** (age / (7 * 86400))) for age in ages]
    return [1] if n == 1 else [1, 1] if n == 2 else [2 * (n - 2), *[1] * (n - 2), 2 * (n - 2)]


def shared(whole: int, parts: list[int]) -> list[int]:
    """A whole number by weight: floors, and what is left by the largest remainders, the earlier part first."""
    exact = [Fraction(whole * part, sum(parts)) for part in parts]
    floors = [share.__floor__() for share in exact]
    ranked = sorted(range(len(parts)), key=lambda n: (floors[n] - exact[n], n))
    for n in ranked[: whole - sum(floors)]:
        floors[n] += 1
    return floors


def cents(amount: Decimal) -> int:
    return int(amount * 100)


def give(order: Row, parts: list[int]) -> list[tuple[int, int, int]]:
    """(gross cents, net cents, millionths of the order) of every part."""
    return list(
        zip(
            *(shared(whole, parts) for whole in (cents(order["paid_amount"]), cents(order["net_amount"]), 10**6)),
            strict=True,
        )
    )


def credits(tables: Tables, effects: dict[str, Fraction]) -> Credits:
    """(model, order, source, campaign) → (touches, gross, net, orders, pay date); of all paid orders."""
    found: dict[tuple[str, str, str, str], list[int]] = {}
    days = {order["order_id"]: order["paid_date"] for order in paid_orders(tables)}
    per_order = order_touches(tables)

    def add(model: str, order: Row, source: str, campaign: str, touch_count: int, gift: tuple[int, ...]) -> None:
        row = found.setdefault((model, order["order_id"], source, campaign), [0, 0, 0, 0])
        for n, value in enumerate((touch_count, *gift)):
            row[n] += value

    for order in paid_orders(tables):
        own = per_order[order["order_id"]]
        for model in RULES:
            if not own:
                add(model, order, NONE, NONE, 0, give(order, [1])[0])
                continue
            parts = weights(model, order, own)
            for visit, part, gift in zip(own, parts, give(order, parts), strict=True):
                if part:
                    add(model, order, visit["source"] or UNKNOWN, visit["campaign"] or UNKNOWN, 1, gift)
        if not own:
            add("markov", order, NONE, NONE, 0, give(order, [1])[0])
            continue
        counts = Counter(visit["source"] or UNKNOWN for visit in own)  # in the order of their first touch
        parts = [int(round(effects.get(source, Fraction(0)), 6) * 10**6) for source in counts]
        for source, gift in zip(counts, give(order, parts if any(parts) else [1] * len(parts)), strict=True):
            add("markov", order, source, "(all)", counts[source], gift)
    return {
        key: (n, Decimal(gross) / 100, Decimal(net) / 100, Decimal(orders) / 10**6, days[key[1]])
        for key, (n, gross, net, orders) in found.items()
    }


def person_paths(tables: Tables, days: int) -> list[tuple[list[str], bool]]:
    """The sources of every path of the last days, and whether it ended with an order."""
    paid: dict[str, list[Any]] = defaultdict(list)
    for order in paid_orders(tables):
        paid[order["customer_key"]].append(order["paid_at"])
    paths: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for person, own in visits(tables).items():
        for visit in own:
            if (tables.as_of - visit["session_date"]).days >= days:
                continue
            before = max((at for at in paid[person] if at < visit["started_at"]), default=None)
            after = min((at for at in paid[person] if at >= visit["started_at"]), default=None)
            converts = after is not None and after - visit["started_at"] <= LOOKBACK
            paths[person, before, converts].append(visit["source"] or UNKNOWN)
    return [(path, key[2]) for key, path in paths.items()]


def conversion(paths: list[tuple[list[str], bool]], removed: str | None = None) -> Fraction:
    """The probability that the chain of these paths converts, if whoever comes to `removed` is lost."""
    out: dict[str, Counter[str]] = defaultdict(Counter)
    for path, converts in paths:
        for state, following in pairwise(["<start>", *path, "<order>" if converts else "<lost>"]):
            out[state]["<lost>" if following == removed else following] += 1
    out.pop(removed or "", None)
    chances = {s: {t: Fraction(n, sum(moves.values())) for t, n in moves.items()} for s, moves in out.items()}
    for gone in [state for state in chances if state != "<start>"]:
        own = chances.pop(gone)
        stays = own.pop(gone, Fraction(0))
        for moves in chances.values():
            through = moves.pop(gone, Fraction(0)) / (1 - stays)
            for state, chance in own.items():
                moves[state] = moves.get(state, Fraction(0)) + through * chance
    return chances["<start>"].get("<order>", Fraction(0)) if chances else Fraction(0)


def removal_effects(tables: Tables, days: int = 90) -> dict[str, Fraction]:
    paths = person_paths(tables, days)
    whole = conversion(paths)
    sources = {source for path, _ in paths for source in path}
    return {source: 1 - conversion(paths, source) / whole if whole else Fraction(0) for source in sources}


def removal_rows(tables: Tables, days: int = 90) -> dict[str, tuple[Any, ...]]:
    """source → (visits, paths, converting paths, effect, share)"""
    paths, effects = person_paths(tables, days), removal_effects(tables, days)
    rounded = {source: int(round(effect, 6) * 10**6) for source, effect in effects.items()}
    return {
        source: (
            sum(path.count(source) for path, _ in paths),
            sum(source in path for path, _ in paths),
            sum(source in path and converts for path, converts in paths),
            float(round(effect, 6)),
            ratio(rounded[source], sum(rounded.values())),
        )
        for source, effect in effects.items()
    }


def first_visit(tables: Tables) -> date | None:
    return min((session["session_date"] for session in sessions(tables)), default=None)


def by_month(tables: Tables, given: Credits) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """(model, month, source) → (basis, orders, paid, net, new customers, cost, roas, cac, payback)"""
    start = first_visit(tables)
    acquired_by: dict[str, str] = {}  # the first deal of every customer
    for order in sorted(deals(tables), key=lambda o: (o["paid_at"], o["order_id"])):
        if order["customer_key"] not in acquired_by.values():
            acquired_by[order["order_id"]] = order["customer_key"]
    sums: dict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 4)
    people: dict[tuple[Any, ...], list[tuple[str, Decimal]]] = defaultdict(list)
    costs: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for (model, order_id, source, _), (_, gross, net, part, day) in given.items():
        if start is not None and day >= start:
            key = (model, month(day), CHANNELS.get(source, source))
            is_new = order_id in acquired_by
            sums[key] = [a + b for a, b in zip(sums[key], (part, gross, net, part * is_new), strict=True)]
            people[key] += [(acquired_by[order_id], part)] if is_new else []
    models = {*RULES, "markov"}  # what costs has a row by each of them, also where nobody bought
    for row in ads(tables):
        if row["is_in_total"] and start is not None and row["business_date"] >= start:
            for model in models:
                key = (model, month(row["business_date"]), row["channel"])
                costs[key] += row["cost_amount"]
                sums[key] = sums[key]
    rows = claims(tables, start)
    for key, (orders, paid, net, new) in sums.items():
        cost = costs.get(key)
        roas = None if cost is None else ratio(paid, cost)
        cac = None if cost is None else ratio(cost, new)
        back = payback(tables, key[1], cost, people[key]) if cost and people[key] else None
        rows[key] = ("touches", orders, paid, net, new, cost, roas, cac, back)
    return rows


def payback(tables: Tables, acquired: date, cost: Decimal, people: list[tuple[str, Decimal]]) -> int | None:
    """Months until these customers, each in part, had brought the cost."""
    for n, current in enumerate(months(acquired, tables.as_of)):
        brought = Decimal(0)
        for order in deals(tables):
            if month(order["paid_date"]) <= current:
                brought += order["net_amount"] * sum(part for who, part in people if who == order["customer_key"])
        if brought >= cost:
            return n
    return None


def claims(tables: Tables, start: date | None) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """What platforms tell of the days before the first visit."""
    told: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in ads(tables):
        if row["is_in_total"] and (start is None or row["business_date"] < start):
            told["platform_ads", month(row["business_date"]), row["channel"]].append(row)
    for row in traffic_sources(tables):
        if start is None or row["business_date"] < start:
            levels = (row["platform"], row["carrier"], row["source_level_1"], row["source_level_2"])
            told["platform_traffic", month(row["business_date"]), " / ".join(filter(None, levels))].append(row)

    def total(rows: list[Row], name: str) -> Decimal | None:
        amounts = [Decimal(row[name]) for row in rows if row.get(name) is not None]
        return sum(amounts, Decimal(0)) if amounts else None

    found = {}
    for key, own in told.items():
        amount, cost = total(own, "attributed_amount"), total(own, "cost_amount")
        amount = total(own, "paid_amount") if key[0] == "platform_traffic" else amount
        roas = None if amount is None or cost is None else ratio(amount, cost)
        orders = total(own, "attributed_order_count")
        found[key] = ("platform_aggregate", orders, amount, None, None, cost, roas, None, None)
    return found


def baskets(tables: Tables, kind: str, days: int) -> list[set[str]]:
    found: dict[Any, set[str]] = defaultdict(set)
    if kind == "bought":
        for line in tables.lines:
            if line["is_deal"] and (tables.as_of - line["paid_date"]).days < days:
                found[line["order_id"]].add(line["item_id"])
        return list(found.values())
    for session in sessions(tables):
        if (tables.as_of - session["session_date"]).days >= days:
            continue
        for event in tables.events:
            if (
                event["visitor_id"] == session["visitor_id"]
                and session["started_at"] <= event["event_at"] <= session["ended_at"]
                and event["event_type"] == "view"
                and event["item_id"]
            ):
                found[session["session_id"]].add(event["item_id"])
    return list(found.values())


def pairs(tables: Tables, days: int, min_count: int, max_pairs: int, max_items: int) -> dict[Any, tuple[Any, ...]]:
    """(kind, item, other) → (together, item's, other's, all, support, confidence, lift, rank)"""
    rows = {}
    for kind in ("bought", "viewed"):
        own = [basket for basket in baskets(tables, kind, days) if len(basket) <= max_items]
        single = Counter(item for basket in own for item in basket)
        both = Counter(pair for basket in own for pair in combinations(sorted(basket), 2))
        found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for (a, b), n in both.items():
            for item, other in ((a, b), (b, a)) if n >= min_count else ():
                lift = Fraction(n * len(own), single[item] * single[other])
                found[item].append((-lift, -n, other))
        for item, others in found.items():
            for rank, (lift, n, other) in enumerate(sorted(others)[:max_pairs], 1):
                rows[kind, item, other] = (
                    -n, single[item], single[other], len(own), -n / len(own), -n / single[item], float(-lift), rank,
                )  # fmt: skip
    return rows


def launches(tables: Tables, min_history: int) -> dict[tuple[str, int], tuple[Any, ...]]:
    """(item, day) → (views, visitors, cart visitors, buyers, quantity, paid, cumulative, complete, launch, date)"""
    starts = [
        min(own)
        for own in ([o["ordered_date"] for o in tables.orders], [e["event_date"] for e in tables.events])
        if own
    ]
    rows = {}
    for item in first_days(tables):
        launch = min(filter(None, (item["first_ordered_date"], item["first_event_date"])))
        if any(0 <= (launch - start).days < min_history for start in starts):
            continue
        total = Decimal(0)
        for n in range(30):
            day = launch + timedelta(days=n)
            if day > tables.as_of:
                rows[item["item_id"], n] = (None,) * 7 + (False, launch, day)
                continue
            events = [e for e in tables.events if e["item_id"] == item["item_id"] and e["event_date"] == day]
            lines = [
                x for x in tables.lines if x["item_id"] == item["item_id"] and x["is_paid"] and x["paid_date"] == day
            ]
            paid = sum((line["paid_amount"] for line in lines), Decimal(0))
            total += paid
            rows[item["item_id"], n] = (
                sum(e["event_type"] == "view" for e in events) if tables.has_traffic else None,
                len({e["visitor_id"] for e in events}) if tables.has_traffic else None,
                len({e["visitor_id"] for e in events if e["event_type"] == "cart"}) if tables.has_traffic else None,
                len({line["customer_key"] for line in lines} - {None}) if tables.has_orders else None,
                sum((line["quantity"] for line in lines), Decimal(0)) if tables.has_orders else None,
                paid if tables.has_orders else None,
                total if tables.has_orders else None,
                True,
                launch,
                day,
            )
    return rows
