"""What happens in the simulated shop, before anything is exported."""

from __future__ import annotations

from dataclasses import dataclass, field

from renqun.simulate.wall import DAY

Event = tuple[int, str, str, str, str, str, str]
"""(at, event_id, event_type, customer_id, item_id, category_id, page)"""


@dataclass(slots=True)
class Item:
    """Something the shop sells; money is in cents."""

    item_id: str
    name: str
    category_id: str
    price: int
    cycle: int
    """Days after which a buyer typically needs it again."""


@dataclass(slots=True)
class Person:
    """A customer: someone whom the exports name."""

    customer_id: str
    visitor_ids: tuple[str, ...]
    phone: str
    email: str
    province: str
    city: str
    is_member: bool = False
    joined_day: int = 0
    tier: str | None = None
    """The tier that the members' export shows; none where that is left to chance."""
    is_fan: bool | None = None
    """Whether a member follows the shop; none where that is left to chance."""
    birthday: str | None = None
    """The birthday that the members' export shows, `YYYY-MM-DD`; none where that is left to chance."""


@dataclass(slots=True)
class Line:
    """One item of an order. `paid` is what the line costs its buyer once the order is paid."""

    item: Item
    quantity: int
    unit: int
    discount: int
    paid: int
    line_id: str = ""
    exports_paid: bool = True


@dataclass(slots=True)
class Refund:
    """Money given back for one line. Without `exports_time` it counts on the day of the export that shows it."""

    line: int
    at: int
    amount: int
    exports_time: bool = True


@dataclass(slots=True)
class Order:
    """An order with all that will have happened to it by the end."""

    order_id: str
    customer_id: str
    """As exported: empty for a guest, masked for a hidden nick."""
    ordered_at: int
    paid_at: int | None
    paid: int
    """What it costs, postage included."""
    lines: list[Line]
    person: Person | None = None
    refunds: list[Refund] = field(default_factory=list)
    exports_paid: bool = True
    is_presale: bool = False
    signed_at: int | None = None
    """When the buyer signed for it; none where the platform does it for them when it closes the order, or nobody."""
    delay_days: int = 0
    """How many days after it was placed the first export shows it."""
    settles: bool = True
    """Whether it is exported once more when the platform closes it."""
    is_late: bool = False
    is_ghost: bool = False
    """Exported, but contradicted by what other files say of the same order: no fact."""
    only_on: int | None = None
    """The one day of whose file it is part."""
    shows_contact: bool = False
    """Whether phone and e-mail address are shown although the nick is hidden: they say whose the order is."""

    @property
    def shown_id(self) -> str:
        """The customer id, where the export shows one that is not masked."""
        return "" if "*" in self.customer_id else self.customer_id

    @property
    def identity(self) -> str:
        """The customer that the order can be given to; empty where there is none."""
        return self.person.customer_id if self.shows_contact and self.person else self.shown_id

    @property
    def placed_day(self) -> int:
        """Day on which it was placed."""
        return self.ordered_at // DAY

    @property
    def refunded(self) -> int:
        """All refunds together."""
        return sum(refund.amount for refund in self.refunds)


@dataclass(slots=True)
class Session:
    """One visit: its events in order, never more than the session gap apart."""

    visitor_id: str
    source: str
    campaign: str
    device: str
    events: list[Event]
    delay_days: int = 0
    is_late: bool = False
    time_style: str = " "
    """What stands between date and time; `Z` writes the time in UTC."""


@dataclass
class Facts:
    """Everything that happened."""

    people: list[Person] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    same_person: dict[str, str] = field(default_factory=dict)
    """Customer id → the id under which the books keep its person, where somebody has several."""
