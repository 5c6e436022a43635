"""What events of a world name beside what it draws, and the sessions that they make: plain functions, no chance."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from marts_people import chance, event_category

if TYPE_CHECKING:
    from marts_world import Row, Tables

DEVICES = [None, "app", "web"]
GAP = timedelta(minutes=30)
TRAFFIC_COLUMNS = {
    "intermediate.int_events": "event_key varchar, event_id varchar, visitor_id varchar, item_id varchar, "
    "category_id varchar, event_type varchar, source varchar, device varchar, event_date date, event_at timestamp",
    "marts.fct_sessions": "session_id varchar, visitor_id varchar, session_date date, midnight_count bigint, "
    "started_at timestamp, ended_at timestamp",
    "intermediate.int_touched_visitor_days": "visitor_id varchar, event_date date",
    "intermediate.int_event_versions": "visitor_id varchar, customer_id varchar, open_uid varchar, event_date date",
    "intermediate.int_touched_order_versions": "order_id varchar, customer_key varchar, ordered_date date, "
    "paid_date date, deposit_paid_date date",
}


def named_by_event(event: Row) -> Row:
    """Device and category of an event."""
    return {
        "device": DEVICES[chance(event["event_key"] + "device", len(DEVICES))],
        "category_id": event_category(event),
    }


def order_details(order_id: str, ordered_at: datetime, paid_at: datetime | None) -> Row:
    """Coupon, deposit and status of an order; a deposit lies between ordering and paying."""
    deposit_paid_at = None
    if chance(order_id + "deposit", 4) == 0:
        deposit_paid_at = ordered_at + timedelta(hours=[0, 12, 60][chance(order_id + "hours", 3)])
        deposit_paid_at = min(deposit_paid_at, paid_at or deposit_paid_at)
    closed = None if paid_at or chance(order_id + "closed", 3) else "closed_unpaid"
    return {
        "coupon_codes": "C5" if chance(order_id + "coupon", 4) == 0 else None,
        "deposit_paid_at": deposit_paid_at,
        "status_code": closed,
    }


def sessions(tables: Tables) -> list[Row]:
    """Events of one visitor with no gap over 30 minutes."""
    of_visitor: dict[str, list[Row]] = defaultdict(list)
    for event in tables.events:
        of_visitor[event["visitor_id"]].append(event)
    found: list[list[Row]] = []
    for events in of_visitor.values():
        for event in sorted(events, key=lambda one: one["event_at"]):
            is_new = not found or found[-1][0]["visitor_id"] != event["visitor_id"]
            if is_new or event["event_at"] > found[-1][-1]["event_at"] + GAP:
                found.append([])
            found[-1].append(event)
    return [_session(events) for events in found]


def _session(events: list[Row]) -> Row:
    dates = [event["event_date"] for event in events]
    started_at = events[0]["event_at"]
    text = started_at.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "session_id": f"{events[0]['visitor_id']}@{text}",
        "visitor_id": events[0]["visitor_id"],
        "session_date": min(dates),
        "midnight_count": (max(dates) - min(dates)).days,
        "started_at": started_at,
        "ended_at": events[-1]["event_at"],
        "events": events,
    }


def traffic_tables(now: Tables, before: Tables | None) -> dict[str, list[dict[str, Any]]]:
    """The rows of TRAFFIC_COLUMNS: what there is, and what differs from the build before."""
    old_events, old_orders = (before.events, before.orders) if before else ([], [])
    moved = _differing(old_events, now.events, "event_key")
    return {
        "intermediate.int_events": now.events,
        "marts.fct_sessions": sessions(now),
        "intermediate.int_touched_visitor_days": [
            {"visitor_id": visitor, "event_date": day}
            for visitor, day in sorted({(row["visitor_id"], row["event_date"]) for row in moved})
        ],
        "intermediate.int_event_versions": [
            row | {"customer_id": row["customer_key"], "open_uid": None} for row in [*old_events, *now.events]
        ],
        "intermediate.int_touched_order_versions": _differing(old_orders, now.orders, "order_id"),
    }


def _differing(old: list[Row], new: list[Row], key: str) -> list[Row]:
    """Both states of every row that is new, gone or another."""
    rows = [{row[key]: row for row in side} for side in (old, new)]
    changed = [name for name in rows[0].keys() | rows[1].keys() if rows[0].get(name) != rows[1].get(name)]
    return [side[name] for name in sorted(changed) for side in rows if name in side]
