"""Events as the platform exports them, and its own aggregate by source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from renqun.simulate.calendar import Calendar
from renqun.simulate.drafts import Drafts, FileDraft
from renqun.simulate.draws import Stream
from renqun.simulate.facts import Event, Order, Session
from renqun.simulate.order_state import money
from renqun.simulate.planting import Planting
from renqun.simulate.traffic import PAID_SOURCES, SOURCES
from renqun.simulate.wall import DAY, day_text, utc_of, wall_text

COLUMNS = (
    "event_id", "event_at", "event_type", "visitor_id", "customer_id", "item_id", "category_id", "source", "campaign",
    "page", "device",
)  # fmt: skip
FILE_NAME = "traffic_events.csv"
SOURCE_COLUMNS = (
    "date", "source_level_1", "source_level_2", "source_level_3", "visitors", "views", "cart_persons",
    "favourite_persons", "orders_placed", "buyers_paid", "paid_amount",
)  # fmt: skip
_TWICE_PER_THOUSAND = 3


def _row(event: Event, session: Session, zone: ZoneInfo) -> tuple[str, ...]:
    at, event_id, kind, customer_id, item_id, category_id, page = event
    is_utc = session.time_style == "Z"
    when = f"{utc_of(at, zone):%Y-%m-%dT%H:%M:%SZ}" if is_utc else wall_text(at, session.time_style)
    return (
        event_id, when, kind, session.visitor_id, customer_id, item_id, category_id, session.source, session.campaign,
        page, session.device,
    )  # fmt: skip


def draft_events(sessions: Iterable[Session], planted: Iterable[Session], zone: ZoneInfo, drafts: Drafts) -> None:
    """Every event in the file of its day (or a later one): ordinary ones by time, planted ones last and backwards."""
    by_day: dict[tuple[bool, int], list[tuple[int, str, Event, Session]]] = {}
    for session in sessions:
        for event in session.events:
            key = (session.is_late, event[0] // DAY + session.delay_days)
            by_day.setdefault(key, []).append((event[0], event[1], event, session))
    for (is_late, day), entries in sorted(by_day.items()):
        entries.sort(key=lambda entry: entry[:2])
        _file(drafts, day, is_late=is_late).rows.extend(_row(event, session, zone) for _, _, event, session in entries)
    for session in planted:
        for event in reversed(session.events):
            day = event[0] // DAY + session.delay_days
            _file(drafts, day, is_late=session.is_late).rows.append(_row(event, session, zone))


def _file(drafts: Drafts, day: int, *, is_late: bool = False) -> FileDraft:
    name = "traffic_events_late.csv" if is_late else FILE_NAME
    return drafts.file("traffic", "traffic_events", day, name, COLUMNS, is_late=is_late)


def draft_duplicates(seed: int, calendar: Calendar, drafts: Drafts) -> None:
    """Events that come twice in a file, and once more in the file of the next day."""
    draw = Stream(seed, "events twice")
    carried: list[tuple[str, ...]] = []
    for day in range(calendar.traffic_start, calendar.end + 1):
        rows = _file(drafts, day).rows
        again = [tuple(row) for row in rows if row[0] and draw.random() * 1000 < _TWICE_PER_THOUSAND]
        rows.extend(again)
        rows.extend(carried)
        carried = again[::2]


def draft_planted_duplicates(bed: Planting, zone: ZoneInfo, drafts: Drafts) -> None:
    """The planted visitors whose events come more than once."""
    for plant in bed.plants:
        if plant.kind == "event_twice":
            session = plant.sessions[0]
            row = _row(session.events[0], session, zone)
            day = session.events[0][0] // DAY
            _file(drafts, day).rows.append(row)
            _file(drafts, day + 1).rows.append(row)
        if plant.kind == "events_without_id":
            session = plant.sessions[0]
            day = session.events[0][0] // DAY
            second = drafts.file("traffic", "traffic_events", day, "traffic_events (2).csv", COLUMNS)
            second.rows.extend(_row(event, session, zone) for event in session.events[:2])


@dataclass(slots=True)
class SourceFigures:
    """What the platform counts for a source on a day; the amount in cents."""

    level: str
    """The level above the source."""
    visitors: int = 0
    views: int = 0
    cart_visitors: int = 0
    favourite_visitors: int = 0
    orders_placed: int = 0
    buyers_paid: int = 0
    paid: int = 0

    def add(self, other: SourceFigures) -> None:
        """Sum the figures of two sources."""
        self.visitors += other.visitors
        self.views += other.views
        self.cart_visitors += other.cart_visitors
        self.favourite_visitors += other.favourite_visitors
        self.orders_placed += other.orders_placed
        self.buyers_paid += other.buyers_paid
        self.paid += other.paid


def count_sources(
    sessions: Iterable[Session], orders: Iterable[Order], calendar: Calendar
) -> dict[int, dict[str, SourceFigures]]:
    """The platform's own counts by day and source; like the real ones they overlap and never add up to the shop's."""
    persons: dict[tuple[int, str], dict[str, set[str]]] = {}
    views: dict[tuple[int, str], int] = {}
    for session in sessions:
        for event in session.events:
            key = (event[0] // DAY, session.source)
            found = persons.setdefault(key, {"any": set(), "cart": set(), "favourite": set()})
            found["any"].add(session.visitor_id)
            if event[2] in found:
                found[event[2]].add(session.visitor_id)
            views[key] = views.get(key, 0) + (event[2] == "view")
    names = list(SOURCES)
    paid: dict[tuple[int, str], int] = {}
    placed: dict[tuple[int, str], int] = {}
    buyers: dict[tuple[int, str], set[str]] = {}
    for number, order in enumerate(orders):
        source = names[number % len(names)]
        if order.is_ghost or order.placed_day < calendar.traffic_start:
            continue
        placed[order.placed_day, source] = placed.get((order.placed_day, source), 0) + 1
        if order.paid_at is not None:
            key = (order.paid_at // DAY, source)
            paid[key] = paid.get(key, 0) + order.paid
            buyers.setdefault(key, set()).add(order.identity or order.order_id)
    return {
        day: {
            source: SourceFigures(
                level="广告流量" if source in PAID_SOURCES else "平台流量",
                visitors=len(persons.get((day, source), {}).get("any", ())),
                views=views.get((day, source), 0),
                cart_visitors=len(persons.get((day, source), {}).get("cart", ())),
                favourite_visitors=len(persons.get((day, source), {}).get("favourite", ())),
                orders_placed=placed.get((day, source), 0),
                buyers_paid=len(buyers.get((day, source), ())),
                paid=paid.get((day, source), 0),
            )
            for source in names
        }
        for day in range(calendar.traffic_start, calendar.end + 1)
    }


def draft_sources(figures: dict[int, dict[str, SourceFigures]], drafts: Drafts) -> None:
    """One row a day and source, in the generic form."""
    for day, sources in figures.items():
        draft = drafts.file("traffic", "traffic_sources", day, "traffic_sources.csv", SOURCE_COLUMNS)
        for source, one in sources.items():
            counts = (one.visitors, one.views, one.cart_visitors, one.favourite_visitors, one.orders_placed)
            draft.rows.append(
                [day_text(day), one.level, source, "", *map(str, counts), str(one.buyers_paid), money(one.paid)]
            )
