"""Planted persons: made to order, so that what must become of them is known before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from renqun.simulate.config import Form, SimulationConfig
from renqun.simulate.facts import Event, Item, Line, Order, Person, Refund, Session
from renqun.simulate.wall import DAY, day_number, day_text

Step = tuple[int, str, Item | None, bool]
"""(at, event_type, item, whether the customer is logged in)"""
PLANTED_CATEGORY = "cat_planted"
WITHOUT_PHONES: frozenset[Form] = frozenset({"taobao_xlsx"})
"""Forms whose orders name a buyer by nothing but the nick."""


@dataclass
class Attempt:
    """One funnel attempt that the marts must show."""

    grain: str
    person_id: str
    """A customer id or a visitor id."""
    is_customer: bool
    item_id: str | None
    start_day: int
    max_step: int
    source: str
    is_complete: bool


@dataclass
class Plant:
    """One planted person, or one visitor without a customer id, with what was designed for them."""

    kind: str
    note: str
    customer_id: str | None
    visitor_ids: list[str]
    item: Item
    person: Person | None
    orders: list[Order] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    designed: dict[str, bool] = field(default_factory=dict)
    """Segment → whether inside at the end."""
    designed_stages: dict[str, str | None] = field(default_factory=dict)
    """Kind of stage → the stage at the end; none where the person has none."""
    repurchase_days: range | None = None
    """Days on which the person is inside the repurchase cycle; none where the segment is not meant."""
    designed_audiences: dict[str, bool] = field(default_factory=dict)
    """Audience → whether meant by it at the end; a holdout may keep the person out of its files."""
    designed_messages: dict[str, str | None] = field(default_factory=dict)
    """Audience → the fact that its list of the end names the person for; none where it does not name them."""
    rfm_class: str | None = None
    is_late: bool = False

    @property
    def customer(self) -> Person:
        """Whom the exports name; a visitor without a customer id is nobody."""
        assert self.person is not None, f"{self.kind} is a visitor"
        return self.person

    def expect(self, *segments: str, inside: bool) -> None:
        """Say of segments whether the person is inside at the end."""
        self.designed.update(dict.fromkeys(segments, inside))

    def expect_audience(self, audience: str, *, inside: bool, message: str | None = None) -> None:
        """Say whether an audience means the person at the end, and what its list of that day tells them of."""
        self.designed_audiences[audience] = inside
        self.designed_messages[audience] = message

    def expect_one(self, segments: Iterable[str], the_one: str | None) -> None:
        """Say that the person is inside exactly one of several segments, or in none of them."""
        self.designed.update({segment: segment == the_one for segment in segments})


class Planting:
    """The bed that all plants stand in: hands out ids, keeps what was planted."""

    def __init__(self, config: SimulationConfig) -> None:
        self.end = day_number(config.end)
        self.first_day = day_number(config.start)
        self.first_traffic_day = day_number(config.traffic_start)
        self.zone = ZoneInfo(config.time_zone)
        self.hold_back = config.hold_back
        self.has_members = config.profiles
        self.has_phones = config.form not in WITHOUT_PHONES
        self.plants: list[Plant] = []
        self.left_out: list[str] = []
        self.not_told: dict[str, str] = {}
        self.same_person: dict[str, str] = {}
        self._events = 0

    def at(self, age: int, clock: str = "12:00:00") -> int:
        """A time of day so many days before the end."""
        hours, minutes, seconds = (int(part) for part in clock.split(":"))
        return (self.end - age) * DAY + hours * 3600 + minutes * 60 + seconds

    def reaches(self, age: int, kind: str) -> bool:
        """Whether the history is long enough for a kind; where not, the truth says so."""
        if self.end - age >= self.first_day:
            return True
        self.left_out.append(kind)
        return False

    def shows_visits(self, age: int, kind: str) -> bool:
        """Whether the history of traffic is long enough for a kind; where not, the truth says so."""
        if self.end - age >= self.first_traffic_day:
            return True
        self.left_out.append(kind)
        return False

    def lists_members(self, kind: str) -> bool:
        """Whether the files tell of members, which a kind is about; where not, the truth says so."""
        if not self.has_members:
            self.not_told[kind] = "no file tells of members"
        return self.has_members

    def shows_phones(self, kind: str) -> bool:
        """Whether orders show the buyer's phone, which a kind is about; where not, the truth says so."""
        if not self.has_phones:
            self.not_told[kind] = "no order shows a phone"
        return self.has_phones

    def item(self, name: str, price: int = 5000, category_id: str = PLANTED_CATEGORY) -> Item:
        """An item that only planted persons look at."""
        return Item(f"planted-{name}", f"种植 {name}", category_id, price, 30)

    def plant(self, kind: str, note: str, *, is_visitor: bool = False, item: Item | None = None) -> Plant:
        """A new person of a kind; kinds are unique."""
        number = len(self.plants) + 1
        customer_id = None if is_visitor else f"planted_{kind}"
        visitor_id = f"pv-{kind}"
        person = None
        if customer_id is not None:
            email = f"planted{number:05d}@example.com"
            person = Person(customer_id, (visitor_id,), f"1549{number:07d}", email, "浙江省", "杭州市")
        plant = Plant(kind, note, customer_id, [visitor_id], item or self.item(kind), person)
        self.plants.append(plant)
        return plant

    def order(
        self,
        plant: Plant,
        ordered_at: int,
        paid_at: int | None,
        lines: Sequence[Line] | None = None,
        *,
        paid: int | None = None,
        refunds: Iterable[tuple[int, int, int]] = (),
        customer_id: str | None = None,
        signed_at: int | None = None,
    ) -> Order:
        """An order of a plant; without lines it is one piece of the plant's own item.

        Args:
            paid: what the order costs, where that is not the sum of its lines.
            refunds: (line from 0, at, amount).
            customer_id: what the export shows in place of the plant's id.
            signed_at: when the buyer signed for the parcel.
        """
        shown = list(lines) if lines is not None else [self.line(plant.item)]
        order_id = f"P-{plant.kind}-{len(plant.orders) + 1}"
        for place, line in enumerate(shown, start=1):
            line.line_id = line.line_id or f"{order_id}-{place}"
        order = Order(
            order_id=order_id,
            customer_id=(plant.customer_id or "") if customer_id is None else customer_id,
            ordered_at=ordered_at,
            paid_at=paid_at,
            paid=sum(line.paid for line in shown) if paid is None else paid,
            lines=shown,
            person=plant.person,
            refunds=[Refund(*refund) for refund in refunds],
            signed_at=signed_at,
            settles=False,
        )
        plant.orders.append(order)
        return order

    def buy(self, plant: Plant, *ages: int, lines: Sequence[Line] | None = None) -> None:
        """An order for each age, paid within minutes; without lines one piece of the plant's own item each."""
        for age in ages:
            self.order(plant, self.at(age, "10:00:00"), self.at(age, "10:05:00"), lines)

    def refund(self, plant: Plant, order: int, age: int) -> None:
        """Give back all that an order (from 0) cost, line by line."""
        refunded = plant.orders[order]
        at = self.at(age, "15:00:00")
        refunded.refunds = [Refund(place, at, line.paid) for place, line in enumerate(refunded.lines) if line.paid]

    def enrol(self, plant: Plant, *, tier: str = "", is_fan: bool = False, birthday: str = "") -> None:
        """Make a plant a member since the first day."""
        person = plant.customer
        person.is_member, person.joined_day = True, self.first_day
        person.tier, person.is_fan, person.birthday = tier, is_fan, birthday

    def unite(self, plant: Plant, *others: Plant) -> None:
        """Say that what is planted under several customer ids is one person."""
        for other in others:
            self.same_person[other.customer_id or ""] = plant.customer_id or ""

    @staticmethod
    def line(item: Item, quantity: int = 1, discount: int = 0) -> Line:
        """A line at the item's price."""
        return Line(item, quantity, item.price, discount, item.price * quantity - discount)

    def visit(
        self, plant: Plant, steps: Sequence[Step], *, visitor_id: str | None = None, source: str = "手淘搜索"
    ) -> Session:
        """One session of a plant; ids of its events rise in the order given."""
        events: list[Event] = []
        for at, kind, item, logged_in in steps:
            self._events += 1
            events.append(
                (
                    at,
                    f"p{self._events:09d}",
                    kind,
                    (plant.customer_id or "") if logged_in else "",
                    item.item_id if item else "",
                    item.category_id if item else "",
                    "detail",
                )
            )
        session = Session(visitor_id or plant.visitor_ids[0], source, "", "iOS", events)
        plant.sessions.append(session)
        return session

    def expect_attempt(
        self, plant: Plant, start_at: int, max_step: int, item_step: int | None = None, item: Item | None = None
    ) -> None:
        """What the purchase funnel must show for an attempt, at both grains (`item_step`: where they differ)."""
        person_id = plant.customer_id or plant.visitor_ids[0]
        start = start_at // DAY
        for grain in ("person", "person_item"):
            by_item = grain == "person_item"
            plant.attempts.append(
                Attempt(
                    grain=grain,
                    person_id=person_id,
                    is_customer=plant.customer_id is not None,
                    item_id=(item or plant.item).item_id if by_item else None,
                    start_day=start,
                    max_step=item_step if by_item and item_step is not None else max_step,
                    source=plant.sessions[0].source,
                    is_complete=self.end >= start + 7,
                )
            )

    def describe(self, attempt: Attempt) -> dict[str, object]:
        """An attempt as the truth file writes it."""
        return {
            "funnel_id": "purchase",
            "grain": attempt.grain,
            "person_id": attempt.person_id,
            "is_customer": attempt.is_customer,
            "item_id": attempt.item_id,
            "start_date": day_text(attempt.start_day),
            "max_step": attempt.max_step,
            "source": attempt.source,
            "is_complete": attempt.is_complete,
        }
