"""A hostile random shop as of any date, as the tables that the marts of segments, funnels, cohorts and KPIs read.

The world holds facts with the date on which they became known; `as_of` derives, by plain loops, what the upstream
models would show. Times lie on a coarse grid, so that ties are the rule; ids need escaping; orders lack customers;
amounts are 0.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import md5
from typing import Any

import duckdb
from kpis_world import KPI_COLUMNS, kpi_tables
from marts_people import PEOPLE_COLUMNS, line_prices, people_tables
from marts_traffic import TRAFFIC_COLUMNS, named_by_event, order_details, traffic_tables

ZONE_OFFSET = timedelta(hours=8)  # Asia/Shanghai, which keeps no summer time
EVENT_TYPES = ["view", "view", "view", "view", "cart", "favourite", "search", "checkout", "follow", "member"]
ITEMS = ["i1", "i2", 'i"3', "货4", "i\\5", "i6"]
SOURCES = [None, "search", "直播", "ads"]
Row = dict[str, Any]


def business_date(at: datetime) -> date:
    """The date of a UTC time in the shop's zone."""
    return (at + ZONE_OFFSET).date()


def cents(amount: int) -> Decimal:
    """Whole cents as an amount."""
    return Decimal(amount).scaleb(-2)


@dataclass(frozen=True)
class Event:
    """A traffic event and the date on which the pipeline got it."""

    known_on: date
    event_key: str
    event_id: str | None
    event_type: str
    visitor_id: str
    customer_key: str | None
    item_id: str | None
    source: str | None
    event_at: datetime


@dataclass(frozen=True)
class Order:
    """An order, its lines (item, quantity, paid cents) and refunds (line, cents, date)."""

    known_on: date
    order_id: str
    customer_key: str | None
    ordered_at: datetime
    paid_at: datetime | None
    postage: int
    lines: tuple[tuple[str, int, int], ...]
    refunds: tuple[tuple[int, int, date], ...]


@dataclass
class World:
    """Everything that will ever be known."""

    events: list[Event] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)


def make_world(seed: int, last_date: date, event_days: int = 30, order_days: int = 800) -> World:
    """A world whose facts reach a few days beyond `last_date`; some facts become known late."""
    rng = random.Random(seed)
    customers = [md5(f"member_id:c{n}".encode()).hexdigest() for n in range(60)]
    visitors = [f"v{n}" for n in range(70)]
    home = {visitor: rng.choice(customers) for visitor in visitors[:45]}

    def moment(day: date) -> datetime:
        grid = [(0, 0), (0, 0), (1, 0), (12, 0), (12, 0), (12, 0), (12, 30), (23, 59)]
        hour, minute = rng.choice(grid)
        return datetime(day.year, day.month, day.day, hour, minute) - ZONE_OFFSET

    def known(day: date) -> date:
        return day + timedelta(days=rng.choice([0, 0, 0, 0, 0, 1, 3, 9]))

    world = World()
    for n in range(1500):
        day = last_date - timedelta(days=rng.randrange(-3, event_days))
        visitor = rng.choice(visitors)
        owner = home.get(visitor) if rng.random() < 0.15 else None
        if rng.random() < 0.004:
            owner = rng.choice(customers)  # a shared device: afterwards the visitor links to nobody
        at = moment(day)
        event = Event(
            known(day),
            md5(f"e{seed}-{n}".encode()).hexdigest(),
            rng.choice([None, f"{rng.randrange(10**4):05}-{n}"]),
            rng.choice(EVENT_TYPES),
            visitor,
            owner,
            rng.choice([None, *ITEMS]),
            rng.choice(SOURCES),
            at,
        )
        world.events.append(event)
    for n in range(900):
        recent = rng.random() < 0.4
        day = last_date - timedelta(days=rng.randrange(-3, event_days if recent else order_days))
        ordered_at = moment(day)
        paid_at = rng.choice(
            [None, ordered_at, ordered_at + timedelta(hours=12), ordered_at + timedelta(days=rng.randrange(9))]
        )
        lines = tuple(
            (rng.choice(ITEMS), rng.randrange(4), rng.choice([0, 1, 999, 10000, 12345]))
            for _ in range(rng.randrange(1, 4))
        )
        refunds = []
        if paid_at and rng.random() < 0.3:
            for line, (_, _, paid) in enumerate(lines):
                part = rng.choice([paid, paid, max(paid // 2, 1), paid + 7])
                if part and rng.random() < 0.8:
                    refunds.append((line, part, business_date(paid_at) + timedelta(days=rng.choice([0, 1, 5, 40]))))
        customer = rng.choice([*customers[:50], None]) if rng.random() < 0.9 else None
        world.orders.append(
            Order(known(day), f"o{n:04}", customer, ordered_at, paid_at, rng.choice([0, 0, 800]), lines, tuple(refunds))
        )
    # On the edges of the thresholds, for one customer each.
    edges = [0, 1, 2, 3, 10, 11, 29, 30, 31, 179, 180, 364, 365, 366, 719, 720]
    for n, age in enumerate(edges):
        at = moment(last_date - timedelta(days=age))
        key = md5(f"member_id:edge{age}".encode()).hexdigest()
        world.orders.append(Order(business_date(at), f"edge{n}", key, at, at, 0, (("i1", 1, 5000),), ()))
        for event_type in ("cart", "favourite"):
            world.events.append(
                Event(
                    business_date(at), f"edge-{event_type}-{age}", None, event_type, f"edge-v{age}", key, "i2", None, at
                )
            )
    # The end of the funnel window: seven days to the second, and one second more.
    for n, late in enumerate([0, 1]):
        start = datetime(last_date.year, last_date.month, last_date.day, 15, 59) - timedelta(days=12)
        key = md5(f"member_id:window{n}".encode()).hexdigest()
        for step, (event_type, at) in enumerate([("view", start), ("cart", start + timedelta(days=7, seconds=late))]):
            world.events.append(
                Event(
                    business_date(at),
                    f"window-{n}-{step}",
                    f"w{step}",
                    event_type,
                    f"window-v{n}",
                    key,
                    "i1",
                    "ads",
                    at,
                )
            )
    return world


@dataclass
class Tables:
    """What the upstream models show as of a date."""

    as_of: date
    events: list[Row]
    visitors: dict[str, Row]
    orders: list[Row]
    lines: list[Row]
    refunds: list[Row]
    customers: set[str]
    has_orders: bool = True
    has_traffic: bool = True


def visitors_of(events: list[Row]) -> dict[str, Row]:
    """Visitor → customers it was seen with, dates of its events, and the customer whose it is: the only one."""
    visitors: dict[str, Row] = {}
    for event in events:
        row = visitors.setdefault(event["visitor_id"], {"seen": set(), "dates": set()})
        row["seen"] |= {event["customer_key"]} - {None}
        row["dates"].add(event["event_date"])
    for row in visitors.values():
        row["customer_key"] = next(iter(row["seen"])) if len(row["seen"]) == 1 else None
    return visitors


def as_of(world: World, day: date) -> Tables:
    """The tables of the facts known on or before `day` and dated on or before it."""
    events = [
        vars(event) | {"event_date": business_date(event.event_at)} | named_by_event(vars(event))
        for event in world.events
        if event.known_on <= day and business_date(event.event_at) <= day
    ]
    visitors = visitors_of(events)
    orders: list[Row] = []
    lines: list[Row] = []
    refunds: list[Row] = []
    for order in world.orders:
        if order.known_on > day or business_date(order.ordered_at) > day:
            continue
        is_paid = order.paid_at is not None and business_date(order.paid_at) <= day
        paid_at = order.paid_at if is_paid else None
        paid_date = business_date(paid_at) if paid_at else None
        paid = order.postage + sum(line[2] for line in order.lines) if is_paid else None
        known_refunds = [refund for refund in order.refunds if is_paid and refund[2] <= day]
        refunded = sum(refund[1] for refund in known_refunds)
        is_deal = is_paid and not (known_refunds and refunded >= (paid or 0))
        shared = {
            "order_id": order.order_id,
            "customer_key": order.customer_key,
            "is_paid": is_paid,
            "is_deal": is_deal,
            "ordered_date": business_date(order.ordered_at),
            "paid_date": paid_date,
            "ordered_at": order.ordered_at,
            "paid_at": paid_at,
        }
        details = order_details(order.order_id, order.ordered_at, order.paid_at)
        deposit_date = business_date(details["deposit_paid_at"]) if details["deposit_paid_at"] else None
        if deposit_date is None or deposit_date > day:
            details["deposit_paid_at"] = deposit_date = None
        orders.append(
            shared
            | details
            | {
                "deposit_paid_date": deposit_date,
                "item_quantity": Decimal(sum(line[1] for line in order.lines)),
                "paid_amount": None if paid is None else cents(paid),
                "refunded_amount": cents(refunded),
                "net_amount": None if paid is None else cents(paid - refunded),
                "unallocated_amount": cents(order.postage) if is_paid else None,
                "line_count": len(order.lines),
            }
        )
        for n, (item, quantity, amount) in enumerate(order.lines):
            prices = line_prices(order.order_id, n, quantity, amount if is_paid else None)
            place = {"line_key": str(n), "line_number": len(order.lines) - n}
            lines.append(shared | place | {"item_id": item, "quantity": Decimal(quantity)} | prices)
        for line, amount, refund_date in known_refunds:
            refunds.append(
                {
                    "order_id": order.order_id,
                    "line_key": str(line),
                    "refunded_amount": cents(amount),
                    "refunded_date": refund_date,
                }
            )
    customers = {row["customer_key"] for row in [*orders, *events] if row["customer_key"]}
    return Tables(day, events, visitors, orders, lines, refunds, customers)


def without(tables: Tables, source: str) -> Tables:
    """The same shop if it did not export a source."""
    if source == "orders":
        return replace(tables, orders=[], lines=[], refunds=[], has_orders=False)
    return replace(tables, events=[], visitors={}, has_traffic=False)


def touched_dates(before: Tables | None, now: Tables) -> set[date]:
    """Business dates whose events, orders or payments differ from the build before, and the new dates."""
    if before is None:
        return {row["event_date"] for row in now.events} | {row["ordered_date"] for row in now.orders}
    dates = {before.as_of + timedelta(days=n + 1) for n in range((now.as_of - before.as_of).days)}
    old_events, new_events = ({row["event_key"]: row["event_date"] for row in t.events} for t in (before, now))
    dates |= {day for key, day in new_events.items() if key not in old_events}
    moments = [
        {(row["order_id"], row[f"{kind}_date"]) for row in t.orders for kind in ("ordered", "paid", "deposit_paid")}
        for t in (before, now)
    ]
    return dates | {day for _, day in moments[0] ^ moments[1] if day}


COLUMNS = {
    "marts.fct_events": "event_key varchar, event_id varchar, event_type varchar, visitor_id varchar, "
    "customer_key varchar, item_id varchar, category_id varchar, source varchar, device varchar, event_date date, "
    "event_at timestamp",
    "marts.dim_visitors": "visitor_id varchar, customer_key varchar, first_event_date date, last_event_date date",
    "marts.fct_orders": "shop_id varchar, order_id varchar, customer_key varchar, item_quantity decimal(18,3), "
    "paid_amount decimal(18,2), refunded_amount decimal(18,2), net_amount decimal(18,2), "
    "unallocated_amount decimal(18,2), line_count bigint, is_paid boolean, is_deal boolean, "
    "is_status_contrary boolean, status_code varchar, coupon_codes varchar, ordered_date date, paid_date date, "
    "deposit_paid_date date, ordered_at timestamp, paid_at timestamp, deposit_paid_at timestamp",
    "marts.fct_order_lines": "order_id varchar, line_key varchar, customer_key varchar, item_id varchar, "
    "category_id varchar, line_number bigint, quantity decimal(18,3), unit_price decimal(18,6), "
    "discount_amount decimal(18,6), paid_amount decimal(18,2), is_paid boolean, is_deal boolean, "
    "ordered_date date, paid_date date, ordered_at timestamp, paid_at timestamp",
    "marts.fct_refunds": "order_id varchar, line_key varchar, refunded_amount decimal(18,2), refunded_date date",
    "intermediate.int_visitor_days": "event_date date, visitor_id varchar, customer_id varchar, open_uid varchar, "
    "customer_key varchar, first_event_id varchar, first_source varchar, first_event_type varchar, "
    "view_count bigint, cart_count bigint, favourite_count bigint, first_event_at timestamp",
    "intermediate.int_relinked_visitors": "visitor_id varchar",
    "vault.int_identifier_customers": "identifier_key varchar, identifier_kind varchar, identifier_value varchar, "
    "customer_key varchar, rekeyed_on date",
    "vault.int_customer_key_changes": "previous_customer_key varchar, customer_key varchar, as_of_date date",
    "intermediate.int_visitor_link_changes": "visitor_id varchar, customer_key varchar, as_of_date date",
    "intermediate.int_touched_dates": "touched_date date",
    "ops.batches": "source varchar, ds date, is_pending boolean",
}
COLUMNS |= PEOPLE_COLUMNS | KPI_COLUMNS | TRAFFIC_COLUMNS


def visitor_days(tables: Tables) -> list[Row]:
    """Events rolled up by date, visitor and the customer that the events name, with the first of them."""
    counts: dict[tuple[Any, ...], Row] = {}
    for event in tables.events:
        key = (event["event_date"], event["visitor_id"], event["customer_key"])
        row = counts.setdefault(key, {"view_count": 0, "cart_count": 0, "favourite_count": 0, "first": event})
        if event["event_type"] in ("view", "cart", "favourite"):
            row[f"{event['event_type']}_count"] += 1
        row["first"] = min(row["first"], event, key=event_order)
    names = ("event_date", "visitor_id", "customer_key")
    return [
        dict(zip(names, key, strict=True))
        | row
        | {"customer_id": key[2]}
        | {f"first_{name}": row["first"][name] for name in ("event_id", "source", "event_type", "event_at")}
        for key, row in counts.items()
    ]


def event_order(event: Row) -> tuple[Any, ...]:
    """Ties of time are broken by event id, then event type, then the key."""
    no_id = event["event_id"] is None
    return (event["event_at"], no_id, event["event_id"] or "", event["event_type"], event["event_key"])


def write_tables(path: str, now: Tables, before: Tables | None) -> None:
    """Replaces the upstream tables in the warehouse by those of `now`."""
    links = [{} if t is None else {v: row["customer_key"] for v, row in t.visitors.items()} for t in (before, now)]
    relinked = [{"visitor_id": visitor} for visitor, link in links[1].items() if link != links[0].get(visitor)]
    changes = [
        {"visitor_id": visitor, "customer_key": link, "as_of_date": tables.as_of}
        for tables, own in zip((before, now), links, strict=True)
        for visitor, link in own.items()
        if tables
    ]
    sources = [name for name, there in (("orders", now.has_orders), ("traffic_events", now.has_traffic)) if there]
    rows: dict[str, list[Row]] = {
        "marts.fct_events": now.events,
        "marts.dim_visitors": [
            {
                "visitor_id": visitor,
                "customer_key": row["customer_key"],
                "first_event_date": min(row["dates"]),
                "last_event_date": max(row["dates"]),
            }
            for visitor, row in now.visitors.items()
        ],
        "marts.fct_orders": [row | {"shop_id": "default", "is_status_contrary": False} for row in now.orders],
        "marts.fct_order_lines": now.lines,
        "marts.fct_refunds": now.refunds,
        "intermediate.int_visitor_days": visitor_days(now),
        "intermediate.int_relinked_visitors": relinked,
        "vault.int_identifier_customers": [
            {"identifier_key": key, "identifier_kind": "member_id", "identifier_value": key, "customer_key": key}
            for key in sorted(now.customers)
        ],
        "vault.int_customer_key_changes": [],
        "intermediate.int_visitor_link_changes": changes,
        "intermediate.int_touched_dates": [{"touched_date": day} for day in sorted(touched_dates(before, now))],
        "ops.batches": [
            {"source": name, "ds": tables.as_of, "is_pending": tables is now}
            for tables in (before, now)
            if tables
            for name in sources
        ],
    }
    rows |= people_tables(now) | kpi_tables(now) | traffic_tables(now, before)
    fill_tables(path, COLUMNS, rows)


def fill_tables(path: str, tables: dict[str, str], rows: dict[str, list[Row]]) -> None:
    """Replaces tables, given by their columns, by these rows; what a row does not name is NULL."""
    with duckdb.connect(path) as connection:
        for schema in ("marts", "intermediate", "vault", "ops"):
            connection.execute(f"create schema if not exists {schema}")
        for table, columns in tables.items():
            names = [name for name, _ in column_types(columns)]
            text = json.dumps([{name: row.get(name) for name in names} for row in rows[table]], default=str)
            fields = ", ".join(f"cast(value->>'{name}' as {kind})" for name, kind in column_types(columns))
            connection.execute(f"create or replace table {table} ({columns})")
            connection.execute(f"insert into {table} select {fields} from json_each(cast(? as json))", [text])


def column_types(columns: str) -> list[tuple[str, str]]:
    """Names and types of a list of column definitions."""
    pairs = [column.split(" ", 1) for column in re.sub(r"(\d),(\d)", r"\1;\2", columns).split(", ")]
    return [(name, kind.replace(";", ",")) for name, kind in pairs]
