"""What the marts of stages and tags read beside events and orders: members, prices, categories. Derived from a world.

Everything is a plain function of ids, so that worlds that other tests know by heart stay what they are.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from marts_world import Row, Tables

CATEGORIES = {"i1": "cat_snacks", "i2": "cat_diapers", 'i"3': "cat_diapers", "货4": "类目4", "i\\5": "cat_snacks"}
"""Item → category; an item without one is left out."""
TIERS = [None, "普通会员", "高级会员", "VIP", "至尊vip", "unheard of"]
PEOPLE_COLUMNS = {
    "marts.dim_customers": "customer_key varchar, tier varchar, gender varchar, age_band varchar, province varchar, "
    "price_tier varchar, first_touch_source varchar, preferred_category_id varchar, is_member boolean, "
    "is_fan boolean, is_buyer boolean, joined_date date, fan_since_date date, first_ordered_date date, "
    "first_event_date date, last_event_date date",
    "marts.dim_items": "item_id varchar, category_id varchar",
    "intermediate.int_visitor_identities": "visitor_id varchar, customer_id varchar, open_uid varchar",
    "intermediate.int_visitor_numbers": "visitor_number integer, visitor_id varchar, customer_id varchar, "
    "open_uid varchar",
    "intermediate.int_category_numbers": "category_number integer, category_id varchar, item_id varchar",
    "intermediate.int_visitor_category_days": "visitor_number integer, category_number integer, view_count bigint, "
    "favourite_count bigint, cart_count bigint, event_date date",
}


def chance(text: str, sides: int) -> int:
    """A number from 0 to `sides` - 1 that belongs to a text."""
    return crc32(text.encode()) % sides


def event_category(event: Row) -> str | None:
    """The category that an event names: its item's, or another one, or none."""
    throw = chance(event["event_key"], 5)
    if throw < 2:
        return None
    return "类目4" if throw == 2 else CATEGORIES.get(event["item_id"])


def line_prices(order_id: str, line: int, quantity: int, paid: int | None) -> Row:
    """List price, told discount and paid amount of a line: by chance cheap, dear, at a fifth, or unknown."""
    list_price = [0, 100, 12500, 12501, 12499, 15432][chance(f"{order_id}-{line}", 6)]
    told = [None, None, Decimal(0), Decimal(list_price * quantity) / 500][chance(f"{order_id}/{line}", 4)]
    return {
        "unit_price": Decimal(list_price) / 100,
        "discount_amount": told,
        "paid_amount": None if paid is None else Decimal(paid) / 100,
    }


def people(tables: Tables) -> list[Row]:
    """The customers, some of them members or fans."""
    first: dict[str, date] = {}
    paid: dict[str, int] = defaultdict(int)
    events: dict[str, list[date]] = defaultdict(list)
    for event in tables.events:
        events[event["customer_key"] or tables.visitors[event["visitor_id"]]["customer_key"]].append(
            event["event_date"]
        )
    for order in tables.orders:
        key = order["customer_key"]
        if key:
            first[key] = min(first.get(key, order["ordered_date"]), order["ordered_date"])
            paid[key] += order["is_paid"]
    return [
        {
            "customer_key": key,
            "tier": TIERS[chance(key + "tier", len(TIERS))],
            "province": None,
            "first_touch_source": [None, "search", "推荐"][chance(key + "source", 3)],
            "is_member": chance(key + "member", 3) > 0,
            "is_fan": chance(key + "fan", 4) == 0,
            "joined_date": tables.as_of - timedelta(days=chance(key, 400)) if chance(key + "joined", 2) else None,
            "fan_since_date": tables.as_of - timedelta(days=chance(key + "fan", 900)) if chance(key, 2) else None,
            "is_buyer": paid[key] > 0,
            "first_ordered_date": first.get(key),
            "first_event_date": min(events.get(key, []), default=None),
            "last_event_date": max(events.get(key, []), default=None),
        }
        for key in sorted(tables.customers)
    ]


def people_tables(tables: Tables) -> dict[str, list[Row]]:
    """The rows of PEOPLE_COLUMNS."""
    seen = sorted({(event["visitor_id"], event["customer_key"]) for event in tables.events}, key=str)
    visitors: dict[tuple[Any, ...], int] = {}
    categories: dict[tuple[Any, ...], int] = {}
    days: dict[tuple[Any, ...], Row] = {}
    for event in tables.events:
        category = event_category(event)
        item = event["item_id"] if category is None else None
        if event["event_type"] in ("view", "favourite", "cart") and (category or item):
            visitor = visitors.setdefault((event["visitor_id"], event["customer_key"]), len(visitors))
            number = categories.setdefault((category, item), len(categories))
            key = (visitor, number, event["event_date"])
            row = days.setdefault(key, {"view_count": 0, "favourite_count": 0, "cart_count": 0})
            row[f"{event['event_type']}_count"] += 1
    names = ("visitor_number", "category_number", "event_date")
    items = {row["item_id"] for row in [*tables.lines, *tables.events]} - {None}
    return {
        "marts.dim_customers": people(tables),
        "marts.dim_items": [{"item_id": item, "category_id": CATEGORIES.get(item)} for item in sorted(items)],
        "intermediate.int_visitor_identities": [
            {"visitor_id": visitor, "customer_id": customer} for visitor, customer in seen
        ],
        "intermediate.int_visitor_numbers": [
            {"visitor_number": number, "visitor_id": visitor, "customer_id": customer}
            for (visitor, customer), number in visitors.items()
        ],
        "intermediate.int_category_numbers": [
            {"category_number": number, "category_id": category, "item_id": item}
            for (category, item), number in categories.items()
        ],
        "intermediate.int_visitor_category_days": [
            dict(zip(names, key, strict=True)) | row for key, row in days.items()
        ],
    }
