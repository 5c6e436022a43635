"""Orders of the ordinary customers: who comes back when, and what becomes of the order."""

from __future__ import annotations

from dataclasses import dataclass

from renqun.simulate.catalogue import CATEGORIES, make_catalogue, next_peak, promotion
from renqun.simulate.config import SimulationConfig
from renqun.simulate.draws import Stream, spread
from renqun.simulate.facts import Item, Line, Order, Person, Refund
from renqun.simulate.people import make_person, share_visitors
from renqun.simulate.wall import DAY, day_date, day_number

HOURS = spread(
    {0: 3, 1: 1, 6: 1, 7: 2, 8: 4, 9: 6, 10: 8, 11: 7, 12: 7, 13: 7, 14: 6, 15: 6, 16: 6, 17: 5, 18: 5, 19: 7,
     20: 10, 21: 11, 22: 9, 23: 6}
)  # fmt: skip
"""Hours of the day by how much happens in them."""
_HABITS = spread({category.category_id: category.weight for category in CATEGORIES})
_RETURN_PERCENT = spread({25: 58, 58: 28, 90: 14})
"""How likely a customer comes back after each order: once-only, now and then, loyal."""
_LINE_COUNTS = spread({1: 70, 2: 22, 3: 8})
_QUANTITIES = spread({1: 80, 2: 15, 3: 5})
_FREE_POSTAGE_FROM = 3900
_POSTAGE = 800


@dataclass
class Trade:
    """The ordinary customers, their orders, and what they bought."""

    people: list[Person]
    prospects: list[Person]
    """Persons who log in and never order."""
    orders: list[Order]
    catalogue: dict[str, list[Item]]


class _Till:
    """Makes orders, one after another."""

    def __init__(self, config: SimulationConfig) -> None:
        self.first = day_number(config.start)
        self.last = day_number(config.end)
        self.draw = Stream(config.seed, "orders")
        self.catalogue = make_catalogue(config.items, Stream(config.seed, "catalogue"))
        self.all_items = [item for items in self.catalogue.values() for item in items]
        self.may_delay = config.dirt.late_rows
        self.orders: list[Order] = []

    def sell(self, person: Person, day: int, favourite: Item) -> Order:
        """One order of a person on a day."""
        draw = self.draw
        at = day * DAY + draw.pick(HOURS) * 3600 + draw.below(3600)
        off = promotion(day) or (draw.between(5, 10) if draw.chance(15) else 0)
        number = len(self.orders)
        order_id = str(3_700_000_000_000_000 + number * 9_973 + draw.below(9_000))
        lines = []
        chosen = [favourite]
        for _ in range(draw.pick(_LINE_COUNTS) - 1):
            item = self.all_items[int(draw.random() * draw.random() * len(self.all_items))]
            # One line an item, so that a refund that names its item names its line.
            if item.item_id not in {one.item_id for one in chosen}:
                chosen.append(item)
        for place, item in enumerate(chosen, start=1):
            quantity = draw.pick(_QUANTITIES)
            discount = item.price * quantity * off // 100
            paid = item.price * quantity - discount
            lines.append(Line(item, quantity, item.price, discount, paid, f"{order_id}{place:02d}"))
        goods = sum(line.paid for line in lines)
        order = Order(
            order_id=order_id,
            customer_id=person.customer_id,
            ordered_at=at,
            paid_at=None,
            paid=goods + (_POSTAGE if goods < _FREE_POSTAGE_FROM else 0),
            lines=lines,
            person=person,
        )
        self._hide(order)
        self._pay(order, off)
        self._refund(order)
        is_late, days = draw.chance(1), draw.between(1, 2)
        if is_late and self.may_delay and self.last - order.placed_day >= 3:
            order.delay_days = days
        self.orders.append(order)
        return order

    def _hide(self, order: Order) -> None:
        """One order in a hundred is a guest's, one in two hundred shows a masked nick."""
        fate = self.draw.below(200)
        if fate < 2:
            order.customer_id = ""
        elif fate == 2:
            order.customer_id = f"{order.customer_id[0]}**{order.customer_id[-1]}"

    def _pay(self, order: Order, off: int) -> None:
        draw = self.draw
        fate = draw.below(100)
        if off >= 15 and fate < 4:
            order.is_presale = True
            paid_at = order.ordered_at + draw.between(3, 10) * DAY
        elif fate < 92:
            paid_at = order.ordered_at + draw.between(20, 900)
        elif fate < 95:
            paid_at = order.ordered_at + draw.between(2 * 3600, 20 * 3600)
        else:
            return
        if paid_at // DAY <= self.last:
            order.paid_at = paid_at

    def _refund(self, order: Order) -> None:
        draw = self.draw
        if order.paid_at is None or not draw.chance(6):
            return
        at = order.paid_at + draw.between(1, 12) * DAY + draw.below(3600)
        if at // DAY > self.last:
            return
        if draw.chance(50):
            amounts = [line.paid for line in order.lines]
            amounts[0] += order.paid - sum(amounts)  # the postage comes back with the first line
        else:
            amounts = [max(1, order.lines[0].paid * draw.between(10, 60) // 100)]
        order.refunds = [Refund(line, at, amount) for line, amount in enumerate(amounts) if amount]


def trade(config: SimulationConfig) -> Trade:
    """All orders of the ordinary customers, in the order in which persons came to the shop."""
    till = _Till(config)
    who = Stream(config.seed, "people")
    life = Stream(config.seed, "lives")
    people = [make_person(number, who) for number in range(1, config.customers + 1)]
    prospects = [make_person(config.customers + n, who) for n in range(1, config.customers // 8 + 1)]
    share_visitors(people, who)
    for person in people:
        _live(person, till, life)
    _leave_no_day_empty(config, people, till)
    for person in prospects:
        person.is_member = who.chance(60)
        person.joined_day = till.first + who.below(till.last - till.first + 1)
    return Trade(people, prospects, till.orders, till.catalogue)


def _live(person: Person, till: _Till, life: Stream) -> None:
    """Every order of one person, from the first to the last."""
    span = till.last - till.first + 1
    day = till.first + (max(life.below(span), life.below(span)) if life.chance(40) else life.below(span))
    person.joined_day = day
    items = till.catalogue[life.pick(_HABITS)]
    favourite = items[int(life.random() * life.random() * len(items))]
    returns = life.pick(_RETURN_PERCENT)
    while day <= till.last:
        peak = next_peak(day, 6) if life.chance(35) else None
        day = min(till.last, day if peak is None else peak)
        if _is_quiet(day) and life.chance(60):
            day += 8
            continue
        till.sell(person, day, favourite)
        if not life.chance(returns):
            return
        if life.chance(30):
            favourite = items[life.below(len(items))]
        day += max(1, favourite.cycle * life.between(60, 150) // 100)


def _is_quiet(day: int) -> bool:
    """Around the Spring Festival parcels do not travel."""
    on = day_date(day)
    return (on.month == 1 and on.day >= 28) or (on.month == 2 and on.day <= 6)


def _leave_no_day_empty(config: SimulationConfig, people: list[Person], till: _Till) -> None:
    """A small shop too sells something on every day that has a file of its own."""
    sold = {order.placed_day for order in till.orders if order.delay_days == 0}
    for day in range(day_number(config.daily_from), till.last + 1):
        if day not in sold:
            person = people[day % len(people)]
            order = till.sell(person, day, till.all_items[day % len(till.all_items)])
            order.delay_days = 0
