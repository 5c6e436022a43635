"""Visits of the ordinary visitors: what led to the orders, and the browsing around it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from renqun.simulate.catalogue import promotion
from renqun.simulate.config import SimulationConfig
from renqun.simulate.draws import Stream, spread
from renqun.simulate.facts import Event, Item, Order, Person, Session
from renqun.simulate.trade import HOURS, Trade
from renqun.simulate.wall import DAY, MINUTE, clock_changes, day_date, day_number

APART = 31 * MINUTE
"""Two visits of one visitor lie further apart than the session gap, events of one visit closer together."""
SOURCES = {
    "手淘搜索": 34, "手淘推荐": 24, "直通车": 10, "引力魔方": 7, "淘宝直播": 8, "我的淘宝": 7, "购物车": 6, "逛逛": 4
}  # fmt: skip
PAID_SOURCES = frozenset({"直通车", "引力魔方"})
_SOURCES = spread(SOURCES)
_DEVICES = spread({"iOS": 45, "Android": 44, "PC": 8, "wap": 3})
_LENGTHS = spread({1: 20, 2: 17, 3: 15, 4: 12, 5: 10, 6: 8, 8: 7, 10: 6, 13: 3, 17: 2})
_TYPES = spread({"view": 158, "search": 16, "cart": 11, "favourite": 9, "checkout": 3, "follow": 2, "member": 1})
_PAGES = {"view": "detail", "cart": "detail", "favourite": "detail", "search": "search", "checkout": "cart"}
_WEEKDAY_PERCENT = (96, 94, 95, 97, 103, 109, 106)
_NIGHT_HOURS = 5


class _Visits:
    """Makes visits and sees to it that those of one visitor stay apart."""

    def __init__(self, config: SimulationConfig) -> None:
        self.first = day_number(config.traffic_start)
        self.last = day_number(config.end)
        self.changes = clock_changes(self.first - 1, self.last, ZoneInfo(config.time_zone))
        self.busy: dict[str, list[tuple[int, int]]] = {}
        self.sessions: list[Session] = []
        self.events_on: dict[int, int] = {}
        self.next_event = 0

    def fits(self, visitor_id: str, start: int, end: int) -> bool:
        """Whether the visitor is not at another visit then, the day is one of traffic, and the clocks stand still."""
        if start // DAY < self.first or end // DAY > self.last:
            return False
        if self.changes and any(at // DAY in self.changes and at % DAY < _NIGHT_HOURS * 3600 for at in (start, end)):
            return False
        return all(
            end + APART < other_start or other_end + APART < start
            for other_start, other_end in self.busy.get(visitor_id, ())
        )

    def add(self, session: Session) -> None:
        """Keep a visit."""
        events = session.events
        self.busy.setdefault(session.visitor_id, []).append((events[0][0], events[-1][0]))
        self.sessions.append(session)
        for event in events:
            day = event[0] // DAY
            self.events_on[day] = self.events_on.get(day, 0) + 1

    def event_id(self) -> str:
        """A new event's id; ids of one visit rise with time."""
        self.next_event += 1
        return f"e{self.next_event:09d}"


def visit(config: SimulationConfig, trade: Trade) -> list[Session]:
    """All visits: first those that led to orders, then browsing until each day has its number of events."""
    visits = _Visits(config)
    draw = Stream(config.seed, "purchase visits")
    for order in trade.orders:
        if order.placed_day >= visits.first and order.identity and order.person is not None and draw.chance(85):
            _shop(order, order.person, visits, draw)
    browse = Stream(config.seed, "browsing")
    browsers = _Browsers(trade)
    for day in range(visits.first, visits.last + 1):
        wanted = config.events_per_day * _WEEKDAY_PERCENT[day_date(day).weekday()] // 100
        wanted = wanted * (100 + promotion(day)) // 100
        while visits.events_on.get(day, 0) < wanted:
            browsers.browse(day, visits, browse)
    if config.dirt.late_rows:
        late = Stream(config.seed, "late visits")
        for session in visits.sessions:
            if session.events[-1][0] // DAY < visits.last and late.random() < 0.005:
                session.delay_days = 1
    return visits.sessions


def _shop(order: Order, person: Person, visits: _Visits, draw: Stream) -> None:
    """The visit that ended with an order: views, a cart, the checkout; logged in from the cart on."""
    visitor_id = draw.pick(person.visitor_ids)
    end = order.ordered_at - draw.between(3, 40)
    steps = [("view", line.item) for line in order.lines]
    steps += [("favourite", order.lines[0].item)] if draw.chance(15) else []
    steps += [("cart", line.item) for line in order.lines] if draw.chance(80) else []
    steps.append(("checkout", order.lines[0].item))
    pauses = [draw.between(15, 400) for _ in steps[1:]]
    start = end - sum(pauses)
    if not visits.fits(visitor_id, start, end):
        return
    logged_in_from = draw.below(2) * len(order.lines)
    at = start
    events: list[Event] = []
    for place, (kind, item) in enumerate(steps):
        customer = person.customer_id if place >= logged_in_from else ""
        events.append((at, visits.event_id(), kind, customer, item.item_id, item.category_id, _PAGES.get(kind, "home")))
        at += pauses[place] if place < len(pauses) else 0
    source = draw.pick(_SOURCES)
    visits.add(Session(visitor_id, source, _campaign(source, at // DAY), draw.pick(_DEVICES), events))


def _campaign(source: str, day: int) -> str:
    """The campaign that an advertisement belongs to."""
    if source not in PAID_SOURCES:
        return ""
    return f"大促_{day_date(day):%y%m}" if promotion(day) >= 15 else "日常拉新"


class _Browsers:
    """Those who look around: strangers, strangers who come again, customers."""

    def __init__(self, trade: Trade) -> None:
        self.known = trade.people + trade.prospects
        self.by_category = list(trade.catalogue.values())
        self.strangers: list[str] = []

    def _who(self, draw: Stream) -> tuple[str, str, int]:
        """Visitor, customer, and from which event on the customer is logged in (beyond all: never)."""
        fate = draw.below(100)
        if fate < 25:
            person = draw.pick(self.known)
            login = draw.below(4)
            return draw.pick(person.visitor_ids), person.customer_id, (0, 0, 1 + draw.below(3), 99)[login]
        if fate < 55 and self.strangers:
            recent = min(len(self.strangers), 20_000)
            return self.strangers[-1 - draw.below(recent)], "", 99
        self.strangers.append(f"a{len(self.strangers) + 1:08d}")
        return self.strangers[-1], "", 99

    def browse(self, day: int, visits: _Visits, draw: Stream) -> None:
        """One visit that begins on a day; none where the visitor is busy then."""
        random = draw.random
        visitor_id, customer_id, login = self._who(draw)
        length = _LENGTHS[int(random() * len(_LENGTHS))]
        at = day * DAY + HOURS[int(random() * len(HOURS))] * 3600 + int(random() * 3600)
        times = [at]
        for _ in range(length - 1):
            at += 4 + int(random() * random() * 900)
            times.append(at)
        if not visits.fits(visitor_id, times[0], at):
            return
        items: list[Item] = self.by_category[int(random() * len(self.by_category))]
        events: list[Event] = []
        kind = "view" if random() < 0.8 else "search"
        for place, when in enumerate(times):
            item = items[int(random() * random() * len(items))]
            has_item = kind not in {"search", "follow", "member"}
            events.append(
                (
                    when,
                    visits.event_id(),
                    kind,
                    customer_id if place >= login else "",
                    item.item_id if has_item else "",
                    item.category_id if has_item else "",
                    _PAGES.get(kind, "home"),
                )
            )
            kind = _TYPES[int(random() * len(_TYPES))]
        source = _SOURCES[int(random() * len(_SOURCES))]
        device = _DEVICES[int(random() * len(_DEVICES))]
        visits.add(Session(visitor_id, source, _campaign(source, day), device, events))
