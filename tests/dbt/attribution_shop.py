"""What the marts of attribution and items read beside the hostile shop: sessions, advertisements, first days of items.

Everything is a plain function of the shop's events and orders. `disturbed` changes between two builds what a shop's
exports may change: buyers become somebody else, payments come, go and move, events are taken back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from marts_people import chance
from marts_runner import Warehouse
from marts_world import Row, Tables, business_date, fill_tables, visitors_of

GAP = timedelta(minutes=30)
CHANNELS = {"ads": "zhitongche", "推荐": "wanxiangtai"}
"""Source of visits → the advertising channel that it belongs to, as the tests tell the seed."""
OWN_COLUMNS = {
    "marts.fct_sessions": "session_id varchar, visitor_id varchar, source varchar, campaign varchar, "
    "midnight_count bigint, session_date date, started_at timestamp, ended_at timestamp",
    "marts.dim_items": "item_id varchar, first_ordered_date date, first_event_date date",
    "marts.fct_ad_spend__by_day": "channel varchar, cost_amount decimal(18,2), attributed_amount decimal(18,2), "
    "attributed_order_count decimal(18,6), is_in_total boolean, business_date date",
    "marts.fct_traffic_sources__by_day": "platform varchar, carrier varchar, source_level_1 varchar, "
    "source_level_2 varchar, source_level_3 varchar, source_level_4 varchar, paid_amount decimal(18,2), "
    "business_date date",
    "intermediate.int_touched_orders": "order_id varchar",
    "intermediate.int_touched_visitor_days": "visitor_id varchar, event_date date",
}


def sessions(tables: Tables) -> list[Row]:
    """Events cut into sessions; see tests/dbt/facts_reference.py, which proves how the pipeline cuts them."""
    by_visitor: dict[str, list[Row]] = {}
    for event in tables.events:
        by_visitor.setdefault(event["visitor_id"], []).append(event)
    found: list[Row] = []
    for visitor, events in by_visitor.items():
        last = None
        for event in sorted(
            events,
            key=lambda e: (e["event_at"], e["event_id"] is None, e["event_id"] or "", e["event_type"], e["event_key"]),
        ):
            at = event["event_at"]
            if last is None or at - last["ended_at"] > GAP:
                campaign = [None, "大促", "日常"][chance(event["event_key"], 3)] if event["source"] == "ads" else None
                last = {
                    "session_id": f"{visitor}@{at:%Y-%m-%dT%H:%M:%S.%fZ}",
                    "visitor_id": visitor,
                    "source": event["source"],
                    "campaign": campaign,
                    "session_date": business_date(at),
                    "started_at": at,
                }
                found.append(last)
            last |= {"ended_at": at, "midnight_count": (business_date(at) - last["session_date"]).days}
    return found


def ads(tables: Tables) -> list[Row]:
    """What two channels cost, by day; some reports tell a cost again, some tell no orders."""
    rows = []
    for age in range(80):
        day = tables.as_of - timedelta(days=age)
        for channel in (*CHANNELS.values(), "meta_ads"):
            for is_in_total in (True, False):
                throw = chance(f"{day}{channel}{is_in_total}", 1000) // (50 if channel == "wanxiangtai" else 1)
                told = throw % 3 > 0
                rows.append(
                    {
                        "channel": channel,
                        "cost_amount": Decimal(throw) / 10,
                        "attributed_amount": Decimal(throw * 3) / 10 if told else None,
                        "attributed_order_count": throw % 5 if told else None,
                        "is_in_total": is_in_total,
                        "business_date": day,
                    }
                )
    return [row for row in rows if chance(f"{row['business_date']}{row['channel']}there", 3)]


def traffic_sources(tables: Tables) -> list[Row]:
    """A platform's own figures by source."""
    rows = []
    for age in range(80):
        day = tables.as_of - timedelta(days=age)
        for carrier, name in ((None, "搜索"), ("淘宝APP", "搜索"), (None, "直通车")):
            throw = chance(f"{day}{carrier}{name}", 1000)
            rows.append(
                {
                    "platform": "sycm",
                    "carrier": carrier,
                    "source_level_1": "淘内",
                    "source_level_2": name,
                    "paid_amount": Decimal(throw) / 100 if throw % 4 else None,
                    "business_date": day,
                }
            )
    return rows


def first_days(tables: Tables) -> list[Row]:
    """The first day of every item, by orders and by events."""
    items = {row["item_id"] for row in [*tables.lines, *tables.events]} - {None}
    return [
        {
            "item_id": item,
            "first_ordered_date": min((x["ordered_date"] for x in tables.lines if x["item_id"] == item), default=None),
            "first_event_date": min((x["event_date"] for x in tables.events if x["item_id"] == item), default=None),
        }
        for item in sorted(items)
    ]


def with_new_items(tables: Tables, since: date) -> Tables:
    """The same shop with items that nobody saw or bought before a date.

    Its traffic begins forty days before it, and so do the orders of every third customer.
    """
    began = since - timedelta(days=40)
    events = [event for event in tables.events if event["event_date"] >= began]

    def item(row: Row, key: str, day: date) -> Any:
        throw = chance(key + "new", 12)
        return f"new{throw}" if throw < 2 and day >= since + timedelta(days=throw * 5) else row["item_id"]

    def is_kept(row: Row) -> bool:
        return row["ordered_date"] >= began or not row["customer_key"] or chance(row["customer_key"], 3) > 0

    return replace(
        tables,
        orders=[order for order in tables.orders if is_kept(order)],
        events=[e | {"item_id": item(e, e["event_key"], e["event_date"])} for e in events],
        visitors=visitors_of(events),
        lines=[
            x | {"item_id": item(x, x["order_id"] + x["line_key"], x["ordered_date"])}
            for x in tables.lines
            if is_kept(x)
        ],
    )


def disturbed(tables: Tables, build: int) -> Tables:
    """The same shop as another build may see it: orders of other people, payments moved or gone, events taken back."""
    people = sorted(tables.customers)
    changes: dict[str, Row] = {}
    for order in tables.orders:
        throw, told = chance(f"{order['order_id']}-{build}", 40), {}
        if throw == 0:
            told = {"customer_key": people[chance(order["order_id"] + str(build), len(people))]}
        elif throw == 1:
            told = {"customer_key": None}
        elif throw in (2, 3) and order["paid_at"]:
            at = order["paid_at"] - timedelta(hours=[0, 1, 30, 600][chance(order["order_id"], 4)])
            told = {"paid_at": at, "paid_date": business_date(at)}
        elif throw == 4:
            told = {"paid_at": None, "paid_date": None, "is_paid": False, "is_deal": False}
        changes[order["order_id"]] = told
    unpaid = {"paid_amount": None, "net_amount": None}

    def changed(row: Row) -> Row:
        told = changes[row["order_id"]]
        return row | told | (unpaid if told.get("is_paid") is False else {})

    events = [event for event in tables.events if chance(f"{event['event_key']}-{build}", 50)]
    return replace(
        tables,
        orders=[changed(order) for order in tables.orders],
        lines=[changed(line) for line in tables.lines],
        events=events,
        visitors=visitors_of(events),
    )


class AttributionWarehouse(Warehouse):
    """A warehouse that builds the marts of attribution and items."""

    marts = ["models/marts/attribution", "models/marts/items"]  # noqa: RUF012

    def seed(self, day: date) -> None:
        super().seed(day)
        for source, channel in CHANNELS.items():
            self.execute(f"insert into reference.attribution_channels values ('{channel}', '{source}')")

    def write(self, now: Tables, before: Tables | None) -> None:
        super().write(now, before)
        orders = [{} if t is None else {o["order_id"]: o for o in t.orders} for t in (before, now)]
        events = [{} if t is None else {e["event_key"]: e for e in t.events} for t in (before, now)]
        touched = {key for key in orders[0].keys() | orders[1].keys() if orders[0].get(key) != orders[1].get(key)}
        moved = [
            (row["visitor_id"], row["event_date"])
            for key in events[0].keys() | events[1].keys()
            if events[0].get(key) != events[1].get(key)
            for row in (events[0].get(key), events[1].get(key))
            if row
        ]
        rows: dict[str, list[Row]] = {
            "marts.fct_sessions": sessions(now),
            "marts.dim_items": first_days(now),
            "marts.fct_ad_spend__by_day": ads(now),
            "marts.fct_traffic_sources__by_day": traffic_sources(now),
            "intermediate.int_touched_orders": [{"order_id": key} for key in sorted(touched)],
            "intermediate.int_touched_visitor_days": [
                {"visitor_id": visitor, "event_date": day} for visitor, day in sorted(set(moved))
            ],
        }
        fill_tables(self.path, OWN_COLUMNS, rows)
