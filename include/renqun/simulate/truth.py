"""The truth file: what the marts must show, written beside the exports and never read by the pipeline.

Schema (version 1); money is text with two decimals, days are `YYYY-MM-DD`:

- `schema_version`, `form`, `time_zone`, `currency`, `seed`, `as_of`, `traffic_start`, `daily_from`, `late_files`,
  `left_out` (kinds that the history is too short for), `not_told` (kinds that the files cannot tell of → why),
  `absent_customers` (named by quarantined rows only), `same_person` (customer id → the first one of the same person).
- `files`: path below the landing tree, or below the late tree where `is_late` → `source`, `date`, `rows`, `quarantined`
  (reason → rows), `left_out` (reason → further rows that only sum others), `same_bytes_as`.
- `totals`: as-of date → `before_late` and `after_late` → sums of the whole shop: orders, amounts, sessions, `segments`,
  `rhythm` (count, median and p90 of the gaps between deal days), `rfm`, `rfm_classes`, `days` (day → measures of that
  day), `cohorts` (month → size, lists by period and horizon).
- `planted`: one entry a planted person or visitor: `kind`, `note`, `customer_id` (null for a visitor), `visitor_ids`,
  `is_late`; `before_late` and `after_late` → as-of date → `is_customer`, `segments` (segment → inside), `stages` (of
  the lifecycle, and risk of churn), `rfm` (or null), `cohort` (or null): all of it counted from the books. At `as_of`
  with the late files in: `designed` (segment → inside), `designed_stages` (kind → stage, or null for none) and
   `rfm_class` (null where not designed), `audiences` (audience → meant by it) and `messages` (audience → fact that the
   list of a single build names them for, or null), as stated by the plant; `is_member`, `consent` (true, false, null:
   never asked), `suppressed` (the cause of an open case, or null), `orders` with `lines` and `refunds`, `sessions`,
  `funnel_attempts`.

The truth is what the files tell. It is the same in the generic and Taobao's forms; Shopify's cannot tell an amount of a
line nor the time of a refund, see `shopify_files.py`.
"""

from __future__ import annotations

from typing import Any

from renqun.simulate.books import Books, OrderEntry, interested, new_customers, rfm_base
from renqun.simulate.calendar import Calendar
from renqun.simulate.order_state import money
from renqun.simulate.planting import Plant, Planting
from renqun.simulate.profile_files import Consent, Suppression
from renqun.simulate.stages import LIFECYCLE, Stages, rhythm, stages_of
from renqun.simulate.totals import HORIZONS
from renqun.simulate.wall import DAY, day_text, month_text, wall_text

SCHEMA_VERSION = 1


class PlantedContradiction(AssertionError):
    """What was designed and what happened differ: the simulator is wrong, not the pipeline."""


def describe_plants(
    bed: Planting,
    books: dict[int, dict[str, Books]],
    calendar: Calendar,
    consents: list[Consent],
    suppressions: list[Suppression],
) -> list[dict[str, Any]]:
    """The planted part of the truth; `books` by as-of day, then `before_late` and `after_late`."""
    views = {
        stage: {day: _View(pages[stage]) for day, pages in sorted(books.items())}
        for stage in ("before_late", "after_late")
    }
    last = views["after_late"][bed.end]
    cases = {one.person.customer_id: one.cause for one in suppressions if one.is_open}
    said = {consent.person.customer_id: consent for consent in consents}
    entered = {id(entry.order): entry for entry in last.books.orders}
    described = []
    for plant in bed.plants:
        _check(plant, last, bed.end)
        entries = [entered[id(order)] for order in plant.orders if id(order) in entered]
        consent = said.get(plant.customer_id or "")
        described.append(
            {
                "kind": plant.kind,
                "note": plant.note,
                "customer_id": plant.customer_id,
                "visitor_ids": plant.visitor_ids,
                "is_late": plant.is_late,
                **{
                    stage: {day_text(day): view.of(plant) for day, view in days.items()}
                    for stage, days in views.items()
                    if plant.customer_id
                },
                "rfm_class": plant.rfm_class,
                "designed": plant.designed,
                "designed_stages": plant.designed_stages,
                "audiences": plant.designed_audiences,
                "messages": plant.designed_messages,
                "is_member": plant.person is not None and plant.person.is_member,
                "consent": None if consent is None else consent.is_granted and consent.withdrawn_day is None,
                "suppressed": cases.get(plant.customer_id or ""),
                "orders": [_order(entry, calendar) for entry in entries],
                "sessions": [
                    {
                        "visitor_id": session.visitor_id,
                        "started_at": wall_text(session.events[0][0]),
                        "session_date": day_text(session.events[0][0] // DAY),
                        "source": session.source,
                        "event_count": len(session.events),
                    }
                    for session in plant.sessions
                ],
                "funnel_attempts": [bed.describe(attempt) for attempt in plant.attempts],
            }
        )
    return described


class _View:
    """The books of one day, asked about planted persons."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.interest = interested(books)
        self.new = new_customers(books)
        self.rfm = rfm_base(books)
        self.rhythm = rhythm(books)

    def segments(self, plant: Plant) -> dict[str, bool]:
        """Segment → inside, for the segments that the books can be asked about."""
        person, stages = self._person(plant), self._stages(plant)
        operating = {
            "interest": person in self.interest,
            "new_customer": person in self.new,
            "repurchase": plant.repurchase_days is not None and self.books.as_of in plant.repurchase_days,
        }
        is_known = person in self.books.named
        return {
            **operating,
            "key_operating": any(operating.values()),
            **{f"lifecycle_{stage}": is_known and stages.lifecycle == stage for stage in LIFECYCLE},
            "churn_risk": stages.is_churn_risk,
        }

    def stages(self, plant: Plant) -> dict[str, Any]:
        """What `fct_customer_stages` must show of a planted customer."""
        stages = self._stages(plant)
        return {"lifecycle_stage": stages.lifecycle, "is_churn_risk": stages.is_churn_risk}

    def of(self, plant: Plant) -> dict[str, Any]:
        """What the marts must show of a planted customer as of the day."""
        person = self._person(plant)
        page = self.books.customers.get(person)
        rfm = self.rfm.get(person)
        return {
            "is_customer": person in self.books.named,
            "segments": self.segments(plant),
            "stages": self.stages(plant),
            "rfm": None if rfm is None else {"recency_days": rfm[0], "frequency": rfm[1], "monetary": money(rfm[2])},
            "cohort": None if page is None or not page.deals else self._cohort([day for day, _ in page.deals]),
        }

    def _person(self, plant: Plant) -> str:
        return self.books.kept_as(plant.customer_id or "")

    def _stages(self, plant: Plant) -> Stages:
        person = self._person(plant)
        return stages_of(self.books, person, self.rhythm, is_new=person in self.new)

    def _cohort(self, days: list[int]) -> dict[str, Any]:
        first = min(days)
        return {
            "cohort_month": month_text(first),
            "first_deal_date": day_text(first),
            "repurchased_within": {
                str(horizon): any(0 < day - first <= horizon for day in days)
                for horizon in HORIZONS
                if self.books.as_of - first >= horizon
            },
        }


def _check(plant: Plant, view: _View, end: int) -> None:
    """What was designed must be what happened, as far as the books can be asked."""
    shown: dict[str, Any] = {**view.segments(plant), **view.stages(plant)}
    designed = {**plant.designed, **plant.designed_stages}
    wrong = {what: wanted for what, wanted in designed.items() if what in shown and shown[what] != wanted}
    if wrong:
        raise PlantedContradiction(f"{plant.kind}: designed {wrong}, but as of day {end} it is {shown}")


def _order(entry: OrderEntry, calendar: Calendar) -> dict[str, Any]:
    order = entry.order
    is_paid = entry.paid_day is not None
    refunded = [0] * len(order.lines)
    for _, line, amount in entry.refunds:
        refunded[line] += amount
    lines_paid = sum(line.paid for line in order.lines)
    return {
        "order_id": order.order_id,
        "customer_id": order.identity or None,
        "known_from": day_text(calendar.first_folder(order)),
        "ordered_at": wall_text(order.ordered_at),
        "paid_at": wall_text(order.paid_at) if is_paid and order.paid_at is not None else None,
        "paid_date": None if entry.paid_day is None else day_text(entry.paid_day),
        "paid_amount": money(entry.paid) if is_paid else None,
        "refunded_amount": money(entry.refunded),
        "net_amount": money(entry.paid - entry.refunded) if is_paid else None,
        "unallocated_amount": money(entry.paid - lines_paid) if is_paid else None,
        "is_paid": is_paid,
        "is_deal": entry.is_deal,
        "is_fully_refunded": entry.is_fully_refunded,
        "is_over_refunded": entry.refunded > entry.paid,
        "lines": [
            {
                "item_id": line.item.item_id,
                "quantity": line.quantity,
                "paid_amount": money(line.paid) if is_paid else None,
                "refunded_amount": money(refunded[place]),
            }
            for place, line in enumerate(order.lines)
        ],
        "refunds": [
            {"refunded_date": day_text(day), "item_id": order.lines[line].item.item_id, "amount": money(amount)}
            for day, line, amount in sorted(entry.refunds)
        ],
    }
