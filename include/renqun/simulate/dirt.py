"""Rows that belong into quarantine, at least one for each reason. None of them is a fact of the shop."""

from __future__ import annotations

from collections.abc import Sequence

from renqun.simulate.calendar import Calendar
from renqun.simulate.drafts import Drafts, FileDraft
from renqun.simulate.layouts import PLAIN
from renqun.simulate.wall import DAY, day_text, wall_text
from renqun.simulate.workbooks import Cell

NOBODY = "planted_nobody"
"""The customer whom only rows in quarantine name: in no mart."""
LOST_DIGITS = "1.71E+18"
RAGGED, BROKEN = "ragged_row", "broken_encoding"
NOON = DAY // 2
Cells = dict[str, str]


def _sound_order(day: int, number: int) -> Cells:
    at = wall_text(day * DAY + NOON)
    return {
        "order_id": f"D-{day_text(day)}-{number}", "line_id": f"D-{day_text(day)}-{number}-1", "customer_id": NOBODY,
        "ordered_at": at, "paid_at": at, "status": "买家已付款，等待卖家发货", "item_id": "planted-nothing",
        "item_name": "种植 nothing", "category_id": "cat_planted", "quantity": "1", "unit_price": "10.00",
        "line_paid_amount": "10.00", "order_paid_amount": "10.00",
    }  # fmt: skip


def _sound_event(day: int, number: int) -> Cells:
    return {
        "event_id": f"d{day}-{number}", "event_at": wall_text(day * DAY + NOON), "event_type": "view",
        "visitor_id": "pv-nobody", "customer_id": NOBODY, "item_id": "planted-nothing", "source": "手淘搜索",
    }  # fmt: skip


def _order_faults(day: int, currency: str) -> list[tuple[str, Cells]]:
    foreign = "USD" if currency != "USD" else "EUR"
    before, beyond = wall_text((day - 1) * DAY + NOON), wall_text((day + 3) * DAY + NOON)
    return [
        ("missing_required", {"item_id": ""}),
        ("unparsable_value", {"refunded_amount": "12,5O"}),
        ("unparsable_value", {"ordered_at": "2026-02-30 12:00:00"}),
        ("negative_quantity", {"quantity": "-2"}),
        ("negative_price", {"unit_price": "-10.00"}),
        ("time_before_2000", {"ordered_at": "1970-01-01 08:00:00"}),
        ("paid_before_ordered", {"paid_at": before}),
        ("time_after_export", {"ordered_at": beyond, "paid_at": ""}),
        ("foreign_currency", {"currency": foreign}),
        ("digits_lost", {"order_id": LOST_DIGITS}),
        (RAGGED, {}),
        (BROKEN, {}),
    ]


def _event_faults(day: int) -> list[tuple[str, Cells]]:
    return [
        ("missing_required", {"visitor_id": ""}),
        ("unparsable_value", {"event_at": "yesterday"}),
        ("time_before_2000", {"event_at": "1999-12-31 23:00:00"}),
        ("time_after_export", {"event_at": wall_text((day + 3) * DAY + NOON)}),
        ("unknown_event_type", {"event_type": "teleport"}),
        ("digits_lost", {"visitor_id": LOST_DIGITS}),
        (RAGGED, {}),
        (BROKEN, {}),
    ]


def draft_bad_orders(calendar: Calendar, currency: str, drafts: Drafts) -> None:
    """One fault a day from the last day backwards, so that no file is mostly bad."""
    days = days_of_faults(calendar.daily_from, calendar.end, len(_order_faults(0, currency)))
    for number, day in enumerate(days):
        reason, change = _order_faults(day, currency)[number]
        draft = drafts.files[(False, f"orders/{day_text(day)}/orders.csv")]
        soil_plain(draft, reason, _sound_order(day, number) | change)


def draft_bad_events(calendar: Calendar, drafts: Drafts) -> None:
    """As `draft_bad_orders`, in the files of events."""
    days = days_of_faults(calendar.traffic_start, calendar.end, len(_event_faults(0)))
    for number, day in enumerate(days):
        reason, change = _event_faults(day)[number]
        draft = drafts.files[(False, f"traffic/{day_text(day)}/traffic_events.csv")]
        soil_plain(draft, reason, _sound_event(day, number) | change)


def days_of_faults(first_day: int, end: int, count: int) -> list[int]:
    """The day of each of so many faults."""
    days = max(1, end - first_day)
    return [end - 1 - number % days for number in range(count)]


def soil_plain(draft: FileDraft, reason: str, cells: Cells) -> None:
    """Add a row with a fault to a file in plain CSV."""
    values = [cells.get(column, "") for column in draft.header]
    line = PLAIN.line([*values, "surplus"] if reason == RAGGED else values)
    soil(draft, reason, line.replace(b"planted-nothing", b"planted-\xff\xfe", 1) if reason == BROKEN else line)


def soil(draft: FileDraft, reason: str, fault: bytes | Sequence[Cell]) -> None:
    """Add a fault to a file, and what the pipeline must make of it."""
    draft.faults.append(fault)
    draft.quarantined[reason] += 1
