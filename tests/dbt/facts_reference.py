"""The facts recomputed from the definitions, in plain Python, sharing nothing with the models."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from hashlib import sha256
from math import floor
from typing import Any

from facts_world import GA4_EVENT_TYPES, Batch
from identity_reference import Identifier, Record, persons
from raw_shop import ZONE, Row

CENT = Decimal("0.01")
SESSION_GAP = timedelta(minutes=30)


@dataclass
class Facts:
    """Everything that the core marts say, as plain tuples keyed by their grain."""

    orders: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    lines: dict[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)
    refunds: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    sessions: list[tuple[Any, ...]] = field(default_factory=list)
    links: dict[str, str | None] = field(default_factory=dict)
    customers: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    buyers: dict[str, str | None] = field(default_factory=dict)
    keys: dict[Identifier, str | None] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    """Keys of persons with a fact."""


def utc(text: str | None) -> datetime | None:
    """A cell's instant, as a naive UTC time."""
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=ZONE)).astimezone(UTC).replace(tzinfo=None)


def day_of(at: datetime) -> date:
    """The business date of a naive UTC time."""
    return at.replace(tzinfo=UTC).astimezone(ZONE).date()


def recompute(batches: Iterable[Batch], as_of: date) -> Facts:
    """All facts as of a date, from the files that have arrived."""
    seen = [batch for batch in batches if batch.ds <= as_of]
    facts = Facts(keys=persons(_records(seen), as_of))
    _orders(facts, [batch for batch in seen if batch.source == "orders"], as_of)
    _events(facts, [batch for batch in seen if batch.source == "traffic_events"], as_of, _ga4_events(seen))
    members: dict[str, tuple[Any, Row]] = {}
    for batch in seen:
        if batch.source == "members":
            for number, row in enumerate(batch.rows):
                rank = (batch.ds, batch.file_name, number)
                customer = row["customer_id"] or ""
                if customer not in members or members[customer][0] < rank:
                    members[customer] = (rank, row)
    for customer, (_, row) in members.items():
        joined = utc(row.get("joined_at"))
        if joined is None or day_of(joined) <= as_of:
            _see(facts, customer)
    ids: dict[str, list[str]] = defaultdict(list)
    for (kind, value), key in facts.keys.items():
        if key and kind == "member_id":
            ids[key].append(value)
    facts.customers = {(key, tuple(sorted(ids[key]))) for key in facts.seen}
    return facts


def _see(facts: Facts, customer: str | None) -> None:
    key = facts.keys.get(("member_id", customer or ""))
    facts.seen |= {key} if key else set()


def _records(batches: list[Batch]) -> list[Record]:
    """What every row of events and members, and every export of an order, names."""
    records = []
    for batch in batches:
        of_one: dict[Any, list[Row]] = defaultdict(list)
        for number, row in enumerate(batch.rows):
            of_one[row["order_id"] if batch.source == "orders" else number].append(row)
        for rows in of_one.values():
            told = next((row[name] for row in rows for name in ("ordered_at", "event_at", "joined_at")
                         if row.get(name)), None)  # fmt: skip
            at = utc(told)
            seen = max(batch.ds, day_of(at)) if at else batch.ds
            records.append(Record(batch.ds, seen, frozenset(_identifiers(rows))))
    return records


def _identifiers(rows: list[Row]) -> list[Identifier]:
    customer = next((c for row in rows if (c := _unmasked(row.get("customer_id")))), None)
    phone = _first(rows, "phone")
    found = [("member_id", customer)] if customer else []
    return found + ([("phone_hash", sha256(f"+86{phone}".encode()).hexdigest())] if phone else [])


def _unmasked(customer: str | None) -> str | None:
    return None if customer is None or "*" in customer else customer


def _first(rows: list[Row], column: str) -> str | None:
    return next((row[column] for row in rows if row.get(column)), None)


def _cents(amount: str) -> int:
    return int(Decimal(amount).quantize(CENT, rounding=ROUND_HALF_UP) * 100)


def _orders(facts: Facts, batches: list[Batch], as_of: date) -> None:
    exports: dict[str, list[tuple[Any, list[Row]]]] = defaultdict(list)
    for batch in batches:
        of_order: dict[str, list[Row]] = defaultdict(list)
        for row in batch.rows:
            of_order[row["order_id"] or ""].append(row)
        end = datetime.combine(batch.ds + timedelta(days=1), time(0), tzinfo=ZONE) - timedelta(microseconds=1)
        for order_id, rows in of_order.items():
            given = [at for row in rows if (at := utc(row.get("exported_at")))]
            exported_at = max(given, default=end.astimezone(UTC).replace(tzinfo=None))
            exports[order_id].append(((exported_at, batch.file_name, batch.ds), rows))
    for order_id, versions in exports.items():
        versions.sort(key=lambda version: version[0])
        _order(facts, order_id, versions, as_of)


def _lines_of(rows: list[Row]) -> dict[str, tuple[int, Row]]:
    lines: dict[str, tuple[int, Row]] = {}
    for position, row in enumerate(rows, start=1):
        line_id = row.get("line_id")
        key = f"#{position}" if line_id is None else f"#{line_id}" if line_id.startswith("#") else line_id
        lines[key] = (position, row)
    return dict(sorted(lines.items(), key=lambda line: line[1][0]))


def _order(facts: Facts, order_id: str, versions: list[tuple[Any, list[Row]]], as_of: date) -> None:
    rows = versions[-1][1]
    ordered_at = utc(_first(rows, "ordered_at"))
    assert ordered_at is not None
    if day_of(ordered_at) > as_of:
        return
    paid_at = utc(_first(rows, "paid_at"))
    is_paid = paid_at is not None and day_of(paid_at) <= as_of
    lines = _lines_of(rows)
    whole = _first(rows, "order_paid_amount")
    cents: dict[str, int] = _line_cents(lines, whole) if is_paid else {}
    paid = (_cents(whole) if whole else sum(cents.values())) if is_paid else None

    refunded: dict[str, int] = dict.fromkeys(lines, 0)
    refund_count = 0
    known: dict[str, int] = dict.fromkeys(lines, 0)
    for (exported_at, *_), version in versions:
        for key, (_, row) in _lines_of(version).items():
            total = _cents(row.get("refunded_amount") or "0")
            if key not in lines or total <= known[key]:
                continue
            at = utc(row.get("refunded_at")) or exported_at
            increment, known[key] = total - known[key], total
            if day_of(at) <= as_of:
                refunded[key] += increment
                refund_count += 1
                facts.refunds.append((order_id, key, increment, day_of(at), at))

    total_refunded = sum(refunded.values())
    is_full = is_paid and refund_count > 0 and paid is not None and total_refunded >= paid
    customer = next((c for row in rows if (c := _unmasked(row.get("customer_id")))), None)
    named = [facts.keys.get(one) for one in _identifiers(rows)]
    facts.buyers[order_id] = next((key for key in named if key), None)
    facts.seen |= {key for key in [facts.buyers[order_id]] if key}
    facts.orders[order_id] = (
        customer,
        _first(rows, "status"),
        _first(rows, "province"),
        _first(rows, "city"),
        len(lines),
        sum(Decimal(row["quantity"] or "0") for _, row in lines.values()),
        paid,
        total_refunded,
        None if paid is None else paid - total_refunded,
        None if paid is None else paid - sum(cents.values()),
        is_paid,
        is_paid and not is_full,
        is_full,
        total_refunded > (paid or 0),
        day_of(ordered_at),
        day_of(paid_at) if paid_at and is_paid else None,
        ordered_at,
        paid_at if is_paid else None,
    )
    for key, (_, row) in lines.items():
        amount = cents.get(key)
        facts.lines[order_id, key] = (
            row["item_id"],
            amount,
            refunded[key],
            None if amount is None else amount - refunded[key],
        )


def _line_cents(lines: dict[str, tuple[int, Row]], whole: str | None) -> dict[str, int]:
    given = {key: _cents(row["line_paid_amount"]) for key, (_, row) in lines.items() if row.get("line_paid_amount")}
    open_keys = [key for key in lines if key not in given]
    weights = {
        key: Fraction(lines[key][1]["unit_price"] or "0") * Fraction(lines[key][1]["quantity"] or "0")
        for key in open_keys
    }
    if whole is None:
        for key in open_keys:
            row = lines[key][1]
            price = Decimal(row["unit_price"] or "0") * Decimal(row["quantity"] or "0")
            price -= Decimal(row.get("discount_amount") or "0")
            given[key] = int(price.quantize(CENT, rounding=ROUND_HALF_UP) * 100)
        return given
    left = _cents(whole) - sum(given.values())
    if not any(weights.values()):
        weights = dict.fromkeys(open_keys, Fraction(1))
    total = sum(weights.values(), Fraction(0))
    shares = {key: left * weights[key] / total for key in open_keys}
    floors = {key: floor(share) for key, share in shares.items()}
    spare = left - sum(floors.values())
    ranked = sorted(open_keys, key=lambda key: (floors[key] - shares[key], open_keys.index(key)))
    for place, key in enumerate(ranked):
        given[key] = floors[key] + (1 if place < spare else 0)
    return given


def _ga4_events(batches: list[Batch]) -> dict[Any, tuple[Any, Row]]:
    """GA4's events by their own key: of each of its days, what the newest folder tells, however many files that has."""
    told = [batch for batch in batches if batch.source == "ga4_events"]
    newest: dict[str, date] = {}
    for batch in told:
        for row in batch.rows:
            day = row["event_date"] or ""
            newest[day] = max(newest.get(day, batch.ds), batch.ds)
    first: dict[Any, tuple[Any, Row]] = {}
    for batch in told:
        times: dict[str, int] = defaultdict(int)
        for number, row in enumerate(batch.rows):
            event_type, at = GA4_EVENT_TYPES[row["event_name"] or ""], utc(row["event_at"])
            if event_type is None or row["visitor_id"] is None:
                continue
            parts = (row["visitor_id"], str(at), row["event_name"] or "")
            moment = hashlib.md5("".join(f"{len(part)}:{part};" for part in parts).encode()).hexdigest()
            times[moment] += 1
            event_id = f"ga4:{moment}#{times[moment]}"
            rank = (batch.ds, batch.file_name, number)
            is_newest = batch.ds == newest[row["event_date"] or ""]
            if is_newest and (event_id not in first or rank < first[event_id][0]):
                first[event_id] = (rank, {**row, "event_id": event_id, "event_type": event_type, "source": None})
    return first


def _events(facts: Facts, batches: list[Batch], as_of: date, first: dict[Any, tuple[Any, Row]]) -> None:
    for batch in batches:
        times: dict[Any, int] = defaultdict(int)
        for number, row in enumerate(batch.rows):
            content = tuple(sorted((name, cell) for name, cell in row.items() if cell))
            times[content] += 1
            key = row["event_id"] or (batch.ds, content, times[content])
            rank = (batch.ds, batch.file_name, number)
            if key not in first or rank < first[key][0]:
                first[key] = (rank, row)
    visits: dict[str, list[tuple[Any, Row]]] = defaultdict(list)
    named: dict[str, set[str]] = defaultdict(set)
    for _, row in first.values():
        at = utc(row["event_at"])
        assert at is not None
        if day_of(at) > as_of:
            continue
        visitor = row["visitor_id"] or ""
        customer = _unmasked(row["customer_id"])
        named[visitor] |= {customer} if customer else set()
        _see(facts, customer)
        facts.events.append((visitor, row["event_id"], row["event_type"], at, day_of(at), customer, row["source"]))
        order = (at, row["event_id"] is None, row["event_id"] or "", row["event_type"])
        visits[visitor].append((order, row))
    facts.links = {
        visitor: facts.keys.get(("member_id", next(iter(of)))) if len(of) == 1 else None
        for visitor, of in named.items()
    }
    for visitor, of_visitor in visits.items():
        of_visitor.sort(key=lambda visit: visit[0])
        session: list[tuple[Any, Row]] = []
        for visit in [*of_visitor, None]:
            if session and (visit is None or visit[0][0] - session[-1][0][0] > SESSION_GAP):
                facts.sessions.append(_session(visitor, session))
                session = []
            if visit:
                session.append(visit)


def _session(visitor: str, session: list[tuple[Any, Row]]) -> tuple[Any, ...]:
    types = [row["event_type"] for _, row in session]
    started_at, ended_at = session[0][0][0], session[-1][0][0]
    # Events without an id that share time and type are told apart by nothing that a reader sees.
    first = session[0][0]
    sources = {row["source"] for order, row in session if order == first}
    return (
        visitor,
        f"{visitor}@{started_at.strftime('%Y-%m-%dT%H:%M:%S.%fZ')}",
        sources.pop() if len(sources) == 1 else "(either)",
        len(session),
        types.count("view"),
        types.count("cart"),
        types.count("favourite"),
        day_of(started_at),
        started_at,
        ended_at,
    )
