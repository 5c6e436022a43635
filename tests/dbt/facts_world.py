"""Hostile exports, drawn from a seed: whatever real exports do wrong at once, over a few days."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from raw_shop import RawShop, Row

FIRST_DAY = date(2024, 3, 1)
DAYS = 5


@dataclass(frozen=True)
class Batch:
    """A file, and the day on which it reaches the shop; late ones arrive after their folder's date."""

    arrives: date
    source: str
    ds: date
    file_name: str
    rows: tuple[Row, ...]


def accept(shop: RawShop, batches: list[Batch], day: date) -> None:
    """Accept every file that arrives on a day."""
    for batch in batches:
        if batch.arrives == day:
            shop.add_batch(batch.source, batch.ds, batch.rows, file_name=batch.file_name)


def draw_batches(seed: int) -> list[Batch]:
    """All files of a hostile shop."""
    draw = random.Random(seed)
    return _order_batches(draw) + _event_batches(draw) + _member_batches(draw) + _ga4_batches(draw)


def days() -> list[date]:
    """The business dates, oldest first."""
    return [FIRST_DAY + timedelta(days=number) for number in range(DAYS)]


def _time(draw: random.Random, day: date) -> str:
    at = datetime.combine(day, datetime.min.time()) + timedelta(
        seconds=draw.choice([0, 1, 43200, 86399, draw.randrange(86400)])
    )
    text = at.isoformat(sep=draw.choice(" T"))
    return draw.choice([text, text, text + "+08:00", (at - timedelta(hours=8)).isoformat() + "Z"])


def _money(draw: random.Random) -> str:
    return draw.choice(["0", "0.01", "-3.5", "+19.9", f"{draw.randrange(1, 30000) / 100:.2f}", "9.995", "100.00"])


def _order_rows(draw: random.Random, number: int, day: date) -> list[Row]:
    """One export of an order as of a day: every call is another, unrelated opinion about the same order."""
    placed = FIRST_DAY + timedelta(days=number % DAYS + draw.choice([0, 0, 0, 1]))
    placed_at = _time(draw, placed)
    paid_at = draw.choice([None, _time(draw, placed + timedelta(days=draw.choice([0, 1]))), _time(draw, placed)])
    whole = draw.choice([None, _money(draw), _money(draw)])
    has_ids = draw.choice(["all", "none", "some"])
    rows: list[Row] = []
    exported_at = draw.choice([None, None, _time(draw, day)])
    for position in range(1, draw.choice([1, 1, 2, 3, 4, 7]) + 1):
        named = has_ids == "all" or (has_ids == "some" and draw.random() < 0.5)
        refunded = draw.choice([None, None, None, "0", _money(draw), "1.50", "400"])
        rows.append(
            {
                "order_id": f"o{number}",
                "line_id": draw.choice([f"L{position}", "L1", "#2", "2"]) if named else None,
                "customer_id": draw.choice([None, f"c{number % 40}", f"c{number % 40}", "张**"]),
                "ordered_at": placed_at,
                "paid_at": draw.choice([paid_at, paid_at, None]),
                "status": draw.choice([None, "交易成功", "交易关闭"]),
                "item_id": f"i{draw.randrange(12)}",
                "item_name": draw.choice([None, "name a", "name b"]),
                "category_id": draw.choice([None, "k1", "k2"]),
                "quantity": draw.choice(["0", "1", "2", "3", "0.5", "1.333333"]),
                "unit_price": draw.choice(["0", "9.99", "10", "0.001", "3.333333", "1234567.89"]),
                "line_paid_amount": draw.choice([None, None, _money(draw)]),
                "order_paid_amount": draw.choice([whole, whole, None]),
                "refunded_amount": refunded,
                "refunded_at": draw.choice([None, _time(draw, day), _time(draw, day + timedelta(days=1))])
                if refunded
                else None,
                "province": draw.choice([None, "浙江", "广东"]),
                "city": draw.choice([None, "杭州", "广州"]),
                "discount_amount": draw.choice([None, "0", "1.005", "2.5", "5000"]),
                "exported_at": exported_at,
                "phone": _phone(number),
            }
        )
    return rows


def _phone(number: int) -> str | None:
    """One that most customers share, one that two customers share, or none."""
    if number % 7 == 0:
        return "13800001111"
    return f"1390000{number % 40 // 2:04}" if number % 3 == 0 else None


def _order_batches(draw: random.Random) -> list[Batch]:
    batches = []
    for day in days():
        index = (day - FIRST_DAY).days
        for file_name in draw.sample(["a.csv", "b.csv", "Z.csv", "中.csv"], draw.choice([1, 2, 3])):
            numbers = [number for number in range(240) if number % DAYS <= index and draw.random() < 0.3]
            rows = [row for number in numbers for row in _order_rows(draw, number, day)]
            if draw.random() < 0.3:
                draw.shuffle(rows)
            late = day + timedelta(days=draw.choice([0, 0, 1, 2]))
            batches.append(Batch(min(late, days()[-1]), "orders", day, file_name, tuple(rows)))
    return batches


def _event(draw: random.Random, day: date, event_id: str | None) -> Row:
    visitor = f"v{draw.randrange(30)}"
    at = datetime.combine(day, datetime.min.time()) + draw.choice(
        [
            timedelta(seconds=draw.randrange(86400)),
            timedelta(hours=23, minutes=draw.randrange(30, 60)),
            timedelta(days=1, minutes=draw.randrange(0, 40)),
            timedelta(minutes=30 * draw.randrange(48)),
            timedelta(minutes=30 * draw.randrange(48), seconds=1),
        ]
    )
    return {
        "event_id": event_id,
        "event_at": at.isoformat(sep=" "),
        "event_type": draw.choice(["view", "view", "cart", "favourite", "search"]),
        "visitor_id": visitor,
        "customer_id": draw.choice([None] * 12 + [f"c{visitor[1:]}"] * 3 + ["张*", f"c{draw.randrange(60)}"]),
        "item_id": draw.choice([None, f"i{draw.randrange(15)}"]),
        "category_id": draw.choice([None, "k1", "k3"]),
        "source": draw.choice([None, "search", "ads"]),
        "device": draw.choice([None, "ios", "pc"]),
    }


def _event_batches(draw: random.Random) -> list[Batch]:
    batches: list[Batch] = []
    told: list[Row] = []
    for day in days():
        for file_name in draw.sample(["a.csv", "b.csv", "c.csv"], draw.choice([1, 2, 3])):
            rows: list[Row] = []
            for number in range(draw.choice([0, 60, 120])):
                kind = draw.random()
                if kind < 0.15 and told:  # the same event again, as it was
                    rows.append(draw.choice(told))
                elif kind < 0.25 and told:  # an id that was used for another event
                    rows.append(_event(draw, day, draw.choice(told)["event_id"]))
                elif kind < 0.45:  # no id, and perhaps the same row twice
                    event = _event(draw, day, None)
                    rows += [event] * draw.choice([1, 1, 2, 3])
                else:
                    rows.append(_event(draw, day, f"e{day.day}-{file_name}-{number}"))
            told += rows
            late = day + timedelta(days=draw.choice([0, 0, 1, 3]))
            batches.append(Batch(min(late, days()[-1]), "traffic_events", day, file_name, tuple(rows)))
            if draw.random() < 0.4:  # a second download of the day, not quite the same
                again = tuple(row for row in rows if draw.random() < 0.9)
                batches.append(Batch(min(late, days()[-1]), "traffic_events", day, "again-" + file_name, again))
    return batches


def _member_batches(draw: random.Random) -> list[Batch]:
    batches = []
    for day in days()[::2]:
        rows: list[Row] = [
            {
                "customer_id": f"c{number}",
                "joined_at": draw.choice([None, _time(draw, day), _time(draw, day + timedelta(days=1))]),
                "is_fan": draw.choice([None, "true", "false"]),
                "tier": draw.choice([None, "gold"]),
                "points": str(Decimal(draw.randrange(1000))),
            }
            for number in draw.sample(range(80), 12)
        ]
        batches.append(Batch(day, "members", day, "members.csv", tuple(rows)))
    return batches


GA4_EVENT_TYPES = {"view_item": "view", "add_to_cart": "cart", "search": "search", "scroll": None}
"""What GA4's events are to a shop; None: none of its own."""


def _ga4_event(draw: random.Random, day: date) -> Row:
    # GA4 cuts its days in another zone than the shop's: its day begins at 08:00 in Shanghai.
    at = datetime.combine(day, datetime.min.time()) + timedelta(minutes=20 * draw.randrange(72))
    visitor = draw.randrange(40)
    return {
        "event_date": day.isoformat(),
        "event_at": at.isoformat() + "Z",
        "event_name": draw.choice(["view_item", "view_item", "add_to_cart", "search", "scroll"]),
        # Some visitors are known from elsewhere too; of some, everything is in one event of GA4.
        "visitor_id": draw.choice([f"v{visitor}", f"ga{draw.randrange(200)}", f"ga{draw.randrange(200)}", None]),
        "customer_id": draw.choice([None] * 8 + [f"c{visitor}", "张*"]),
    }


def _ga4_batches(draw: random.Random) -> list[Batch]:
    """Each day is written up to three times, in one file or two; a later writing knows more, and less."""
    batches: list[Batch] = []
    for day in days():
        events = [_ga4_event(draw, day) for _ in range(60)]
        for writing in range(draw.choice([1, 2, 3])):
            folder = day + timedelta(days=writing)
            events = [event for event in events if draw.random() < 0.8] + [_ga4_event(draw, day) for _ in range(8)]
            if writing == 2 and draw.random() < 0.5:
                events = [{**event, "event_name": "scroll"} for event in events]  # nothing that the shop counts is left
            cut = draw.choice([0, len(events) // 2])
            for name, rows in (("ga4-0.jsonl", events[:cut]), ("ga4-1.jsonl", events[cut:])):
                late = folder + timedelta(days=draw.choice([0, 0, 0, 1, 2]))
                if rows and folder <= days()[-1]:
                    batches.append(Batch(min(late, days()[-1]), "ga4_events", folder, f"{day}-{name}", tuple(rows)))
    return batches
