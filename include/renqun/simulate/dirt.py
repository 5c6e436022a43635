"""Rows that belong into quarantine, at least one for each reason. None of them is a fact of the shop."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from renqun.simulate import order_files, traffic_files
from renqun.simulate.drafts import Drafts, FileDraft
from renqun.simulate.wall import DAY, day_text, wall_text

NOBODY = "planted_nobody"
"""The customer whom only rows in quarantine name: in no mart."""
_LOST_DIGITS = "1.71E+18"
_RAGGED, _BROKEN = "ragged_row", "broken_encoding"
_NOON = DAY // 2
Cells = dict[str, str]


def _sound_order(day: int, number: int) -> Cells:
    at = wall_text(day * DAY + _NOON)
    return {
        "order_id": f"D-{day_text(day)}-{number}", "line_id": f"D-{day_text(day)}-{number}-1", "customer_id": NOBODY,
        "ordered_at": at, "paid_at": at, "status": "买家已付款，等待卖家发货", "item_id": "planted-nothing",
        "item_name": "种植 nothing", "category_id": "cat_planted", "quantity": "1", "unit_price": "10.00",
        "line_paid_amount": "10.00", "order_paid_amount": "10.00",
    }  # fmt: skip


def _sound_event(day: int, number: int) -> Cells:
    return {
        "event_id": f"d{day}-{number}", "event_at": wall_text(day * DAY + _NOON), "event_type": "view",
        "visitor_id": "pv-nobody", "customer_id": NOBODY, "item_id": "planted-nothing", "source": "手淘搜索",
    }  # fmt: skip


def _order_faults(day: int, currency: str) -> list[tuple[str, Cells]]:
    foreign = "USD" if currency != "USD" else "EUR"
    before, beyond = wall_text((day - 1) * DAY + _NOON), wall_text((day + 3) * DAY + _NOON)
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
        ("digits_lost", {"order_id": _LOST_DIGITS}),
        (_RAGGED, {}),
        (_BROKEN, {}),
    ]


def _event_faults(day: int) -> list[tuple[str, Cells]]:
    return [
        ("missing_required", {"visitor_id": ""}),
        ("unparsable_value", {"event_at": "yesterday"}),
        ("time_before_2000", {"event_at": "1999-12-31 23:00:00"}),
        ("time_after_export", {"event_at": wall_text((day + 3) * DAY + _NOON)}),
        ("unknown_event_type", {"event_type": "teleport"}),
        ("digits_lost", {"visitor_id": _LOST_DIGITS}),
        (_RAGGED, {}),
        (_BROKEN, {}),
    ]


def _raw_line(header: tuple[str, ...], cells: Cells, reason: str) -> bytes:
    values = [cells.get(column, "") for column in header]
    if reason == _RAGGED:
        values.append("surplus")
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    line = text.getvalue().encode()
    if reason == _BROKEN:
        line = line.replace(b"planted-nothing", b"planted-\xff\xfe", 1)
    return line


def _soil(draft: FileDraft, reason: str, cells: Cells) -> None:
    draft.raw_lines.append(_raw_line(draft.header, cells, reason))
    draft.quarantined[reason] += 1


def draft_bad_rows(daily_from: int, traffic_start: int, end: int, currency: str, drafts: Drafts) -> None:
    """One fault a day from the last day backwards, so that no file is mostly bad."""
    _spread(
        "orders", order_files.FILE_NAME, daily_from, end, drafts, _sound_order, lambda day: _order_faults(day, currency)
    )
    _spread("traffic", traffic_files.FILE_NAME, traffic_start, end, drafts, _sound_event, _event_faults)


def _spread(
    group: str,
    name: str,
    first_day: int,
    end: int,
    drafts: Drafts,
    sound: Callable[[int, int], Cells],
    faults: Callable[[int], list[tuple[str, Cells]]],
) -> None:
    count = len(faults(end))
    days = max(1, end - first_day)
    for number in range(count):
        day = end - 1 - number % days
        reason, change = faults(day)[number]
        _soil(drafts.files[(False, f"{group}/{day_text(day)}/{name}")], reason, sound(day, number) | change)
