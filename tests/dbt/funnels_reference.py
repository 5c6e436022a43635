"""Funnels recomputed by brute force from the definitions: plain loops over plain rows, no SQL and no cleverness."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from marts_reference import age, person_of, quantile, ratio
from marts_traffic import sessions
from marts_world import Row, Tables
from raw_shop import PROJECT

CONTENT = {"content", "内容", "短视频", "直播", "逛逛", "图文", "video", "live"}
UNKNOWN = "(unknown)"
Key = tuple[Any, ...]
"""(funnel, grain, person, item, session, start date)"""


@dataclass(frozen=True)
class Funnel:
    """A funnel as its rows in the seeds tell it."""

    steps: list[set[str]]
    grains: tuple[str, ...] = ("person", "person_item")
    window_days: int = 7


@dataclass(frozen=True)
class Attempt:
    """How far one attempt came; `seconds` from each reached step to the next."""

    started_at: Any
    source: str
    device: str | None
    category_id: str | None
    max_step: int
    seconds: tuple[int, ...]
    is_complete: bool


def catalogue() -> dict[str, Funnel]:
    """The funnels of the seeds."""
    steps: dict[str, dict[int, set[str]]] = defaultdict(dict)
    with (PROJECT / "seeds" / "funnel_steps.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            steps[row["funnel_id"]][int(row["step"])] = set(row["event_types"].split("|"))
    with (PROJECT / "seeds" / "funnels.csv").open(encoding="utf-8", newline="") as stream:
        return {
            row["funnel_id"]: Funnel(
                [types for _, types in sorted(steps[row["funnel_id"]].items())],
                tuple(row["grains"].split("|")),
                int(row["window_days"] or 7),
            )
            for row in csv.DictReader(stream)
        }


def traffic_event(event: Row) -> Row:
    """A traffic event; one that content brought is of two types."""
    is_content = event["event_type"] == "view" and (event["source"] or "").lower() in CONTENT
    return {
        "types": {event["event_type"]} | ({"content_view"} if is_content else set()),
        "id": event["event_id"],
        "key": event["event_key"],
        "at": event["event_at"],
        "day": event["event_date"],
        "source": event["source"],
        "device": event["device"],
        "category": event["category_id"],
    }


def order_events(order: Row, head: Row, line: str = "") -> list[Row]:
    """The moments of an order, or of one of its lines."""
    has_coupon, has_deposit = head["coupon_codes"] is not None, head["deposit_paid_at"] is not None
    moments = [
        ("order_placed", "ordered", {"coupon_order_placed"} if has_coupon else set()),
        (
            "order_paid",
            "paid",
            ({"coupon_order_paid"} if has_coupon else set()) | ({"balance_paid"} if has_deposit else set()),
        ),
        ("deposit_paid", "deposit_paid", set()),
    ]
    return [
        {
            "types": {kind} | more,
            "id": order["order_id"],
            "key": f"{kind}:{order['order_id']}" + line,
            "at": head[f"{moment}_at"],
            "day": head[f"{moment}_date"],
            "source": None,
            "device": None,
            "category": order.get("category_id") if line else None,
        }
        for kind, moment, more in moments
        if order["customer_key"] and head[f"{moment}_at"]
    ]


def scopes(tables: Tables, grain: str) -> dict[tuple[str, str | None, str | None], list[Row]]:
    """(person, item, session) -> events"""
    found: dict[tuple[str, str | None, str | None], list[Row]] = defaultdict(list)
    if grain == "session":
        of_person: dict[str, list[Row]] = defaultdict(list)
        for order in tables.orders:
            if order["customer_key"]:
                of_person[order["customer_key"]] += order_events(order, order)
        for session in sessions(tables):
            persons = {person_of(tables, event) for event in session["events"]} - {session["visitor_id"]}
            person = persons.pop() if len(persons) == 1 else session["visitor_id"]
            found[person, None, session["session_id"]] = [traffic_event(event) for event in session["events"]] + [
                event for event in of_person[person] if session["started_at"] <= event["at"] <= session["ended_at"]
            ]
        return found
    for event in tables.events:
        if grain == "person" or event["item_id"] is not None:
            item = event["item_id"] if grain == "person_item" else None
            found[person_of(tables, event), item, None].append(traffic_event(event))
    heads = {order["order_id"]: order for order in tables.orders}
    for one in tables.orders if grain == "person" else tables.lines:
        line = f":{one['line_key']}" if grain == "person_item" else ""
        item = one["item_id"] if grain == "person_item" else None
        for moment in order_events(one, heads[one["order_id"]], line):
            found[one["customer_key"], item, None].append(moment)
    return found


def attempts(tables: Tables, funnels: dict[str, Funnel]) -> dict[Key, Attempt]:
    """Every attempt, tried step by step."""
    found = {}
    for grain in sorted({grain for funnel in funnels.values() for grain in funnel.grains}):
        for scope, events in scopes(tables, grain).items():
            for name, funnel in funnels.items():
                if grain not in funnel.grains:
                    continue
                starts = [event for event in events if event["types"] & funnel.steps[0]]
                days = [{event["day"] for event in starts}] if grain == "session" else [{e["day"]} for e in starts]
                for of_attempt in {tuple(sorted(dates)) for dates in days if dates}:
                    first, attempt = walk(tables, funnel, events, [e for e in starts if e["day"] in of_attempt])
                    found[name, grain, *scope, first["day"]] = attempt
    return found


def walk(tables: Tables, funnel: Funnel, events: list[Row], starts: list[Row]) -> tuple[Row, Attempt]:
    """An attempt that begins with the first of `starts`."""

    def order(types: set[str]) -> Any:
        return lambda e: (e["at"], e["id"] is None, e["id"] or "", min(e["types"] & types), e["key"])

    first = min(starts, key=order(funnel.steps[0]))
    used, seconds = [first], []
    for types in funnel.steps[1:]:
        end = first["at"] + timedelta(days=funnel.window_days)
        ahead = [e for e in events if e["types"] & types and used[-1]["at"] <= e["at"] <= end and e not in used]
        if not ahead:
            break
        used.append(min(ahead, key=order(types)))
        seconds.append((used[-1]["at"] - used[-2]["at"]) // timedelta(seconds=1))
    is_complete = age(tables, first["day"]) >= funnel.window_days
    names = (first["source"] or UNKNOWN, first["device"], first["category"])
    return first, Attempt(first["at"], *names, len(used), tuple(seconds), is_complete)


def days_of(tables: Tables, tried: dict[Key, Attempt], funnel: str, grain: str) -> list[date]:
    """Every date from the first event's, or the funnel's first attempt's, to D."""
    dates = [event["event_date"] for event in tables.events] + [key[5] for key in tried if key[:2] == (funnel, grain)]
    return [min(dates) + timedelta(days=n) for n in range(age(tables, min(dates)) + 1)] if dates else []


def steps_by_day(
    tables: Tables, funnels: dict[str, Funnel], dimension: str, most: int = 10**6
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """(funnel, grain, start date, value, step) -> (attempts, conversion, step rate, is_complete)"""
    tried = attempts(tables, funnels)
    own = {key: getattr(one, dimension) or UNKNOWN for key, one in tried.items()}
    values = set(own.values())
    seen = {event["source"] or UNKNOWN for event in tables.events} if dimension == "source" else values
    values |= seen
    ranked = sorted(values, key=lambda value: (-Counter(own.values())[value], value))
    told = {value: value if n < most else "(other)" for n, value in enumerate(ranked)}
    reached: Counter[Key] = Counter()
    for key, one in tried.items():
        for step in range(1, one.max_step + 1):
            reached[key[0], key[1], key[5], told[own[key]], step] += 1
    rows = {}
    for funnel, grain in [(name, grain) for name, own in funnels.items() for grain in own.grains]:
        for day in days_of(tables, tried, funnel, grain):
            # Orders name no source: what no event names is none of a funnel that does not begin with them.
            begun = {told[value] for key, value in own.items() if key[0] == funnel}
            for value in {told[value] for value in seen} | begun:
                counts = [reached[funnel, grain, day, value, n + 1] for n in range(len(funnels[funnel].steps))]
                is_complete = age(tables, day) >= funnels[funnel].window_days
                for step, row in enumerate(rates(counts), 1):
                    rows[funnel, grain, day, value, step] = (*row, is_complete)
    return rows


def rates(counts: list[int]) -> Iterable[tuple[Any, ...]]:
    """(attempts, conversion, step rate) of each step."""
    for n, count in enumerate(counts):
        yield count, ratio(count, counts[0]), ratio(count, counts[n - 1]) if n else None


def step_times(tables: Tables, funnels: dict[str, Funnel]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """(funnel, grain, start date, step) -> (attempts, median, p90, is_complete)"""
    tried = attempts(tables, funnels)
    times: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for key, one in tried.items():
        for step, seconds in enumerate(one.seconds, 2):
            times[key[0], key[1], key[5], step].append(seconds)
    rows = {}
    for funnel, grain in [(name, grain) for name, own in funnels.items() for grain in own.grains]:
        for day in days_of(tables, tried, funnel, grain):
            for step in range(2, len(funnels[funnel].steps) + 1):
                own = times[funnel, grain, day, step]
                rows[funnel, grain, day, step] = (
                    len(own),
                    quantile(own, Fraction(1, 2)),
                    quantile(own, Fraction(9, 10)),
                    age(tables, day) >= funnels[funnel].window_days,
                )
    return rows


def steps_by_segment(
    tables: Tables, funnels: dict[str, Funnel], members: dict[str, set[str]]
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """(funnel, grain, segment, step) -> (attempts, conversion, step rate), given who is in which segment"""
    recent = {
        key: one
        for key, one in attempts(tables, funnels).items()
        if funnels[key[0]].window_days <= age(tables, key[5]) < funnels[key[0]].window_days + 30
    }
    inside = set().union(*members.values())
    rows = {}
    for funnel, grain in {key[:2] for key in recent}:
        for segment in ("(all)", "(none)", *members):
            own = [
                one.max_step
                for key, one in recent.items()
                if key[:2] == (funnel, grain)
                and (
                    segment == "(all)" or (key[2] not in inside if segment == "(none)" else key[2] in members[segment])
                )
            ]
            counts = [sum(step >= n + 1 for step in own) for n in range(len(funnels[funnel].steps))]
            for step, row in enumerate(rates(counts), 1):
                rows[funnel, grain, segment, step] = row
    return rows


def abandoned_carts(tables: Tables) -> dict[tuple[str, str], tuple[Any, ...]]:
    """(person, item) -> (customer, times put into the cart, first, last, due)"""
    carts: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for event in tables.events:
        if event["event_type"] == "cart" and event["item_id"] and age(tables, event["event_date"]) < 3:
            carts[person_of(tables, event), event["item_id"]].append(event["event_at"])
    found = {}
    for (person, item), times in carts.items():
        moments = [
            moment
            for line in tables.lines
            if line["customer_key"] == person and line["item_id"] == item
            for moment in (line["ordered_at"], line["paid_at"])
            if moment
        ]
        if not any(moment >= max(times) for moment in moments):
            customer = person if person in tables.customers else None
            due = max(times) + timedelta(hours=1)
            found[person, item] = (customer, len(times), min(times), max(times), due)
    return found


def unpaid_orders(tables: Tables) -> dict[tuple[str, str], tuple[Any, ...]]:
    """(order, item) -> (customer, pieces, ordered at, due)"""
    found = {}
    for order in tables.orders:
        is_open = not order["is_paid"] and order["status_code"] != "closed_unpaid"
        if not is_open or not order["customer_key"] or age(tables, order["ordered_date"]) >= 7:
            continue
        lines = [line for line in tables.lines if line["order_id"] == order["order_id"]]
        for item in {line["item_id"] for line in lines}:
            pieces = sum(line["quantity"] for line in lines if line["item_id"] == item)
            due = order["ordered_at"] + timedelta(hours=1)
            found[order["order_id"], item] = (order["customer_key"], pieces, order["ordered_at"], due)
    return found
