"""Persons planted for what they did and left undone: carts, unpaid orders, first and further deals, refunds."""

from __future__ import annotations

from renqun.simulate.planting import Plant, Planting

ABANDONED_DAYS = 3
"""A cart is abandoned at ages below; from then on it is a wish."""
UNPAID_DAYS = 7
FIRST_DEAL_DAYS = 7
FREQUENT_DEAL_DAYS, FREQUENT_IN_DAYS = 4, 365
REFUNDED_ORDERS = 2


def plant_behaviour(bed: Planting) -> None:
    """All of them."""
    _carts(bed)
    _unpaid(bed)
    _deals(bed)
    _frequent(bed)
    _refunders(bed)


def _carted(bed: Planting, kind: str, note: str, age: int, *, inside: bool, event: str = "cart") -> Plant:
    """A person with one event at eight in the morning."""
    plant = bed.plant(f"cart_{kind}", note)
    bed.visit(plant, [(bed.at(age, "08:00:00"), event, plant.item, True)])
    plant.expect("cart_abandoners", inside=inside)
    return plant


def _carts(bed: Planting) -> None:
    last, over = ABANDONED_DAYS - 1, ABANDONED_DAYS
    for age, inside in ((0, True), (last, True), (over, False)):
        _carted(bed, f"age_{age}", f"a cart of age {age}, and nothing since", age, inside=inside)
    _carted(bed, "favourite", "a favourite is no cart", 1, inside=False, event="favourite")
    plant = _carted(bed, "bought_same", "bought the item an hour later", 1, inside=False)
    bed.order(plant, bed.at(1, "09:00:00"), bed.at(1, "09:05:00"))
    plant = _carted(bed, "ordered_same", "ordered the item, not paid yet: an answer all the same", 1, inside=False)
    bed.order(plant, bed.at(1, "09:00:00"), None)
    plant = _carted(bed, "ordered_at_once", "ordered in the very second of the cart", 1, inside=False)
    bed.order(plant, bed.at(1, "08:00:00"), None)
    plant = _carted(bed, "paid_later", "ordered before the cart, paid after it", 1, inside=False)
    bed.order(plant, bed.at(2), bed.at(1, "09:00:00"))
    plant = _carted(bed, "bought_before", "bought the item the day before, and wants it again", 1, inside=True)
    bed.order(plant, bed.at(2), bed.at(2, "12:05:00"))
    plant = _carted(bed, "bought_other", "bought another item", 1, inside=True)
    bed.order(plant, bed.at(1, "09:00:00"), bed.at(1, "09:05:00"), [bed.line(bed.item("cart_other"))])
    plant = bed.plant("cart_before_login", "the cart came before the first login of the visitor")
    bed.visit(plant, [(bed.at(2), "cart", plant.item, False)])
    bed.visit(plant, [(bed.at(1), "view", plant.item, True)])
    plant.expect("cart_abandoners", inside=True)


def _unpaid(bed: Planting) -> None:
    last, over = UNPAID_DAYS - 1, UNPAID_DAYS
    for age in (0, last, over):
        plant = bed.plant(f"unpaid_age_{age}", f"ordered {age} days ago, not paid")
        bed.order(plant, bed.at(age, "00:00:00"), None)
        plant.expect("unpaid_order", inside=age < UNPAID_DAYS)
    plant = bed.plant("unpaid_for_a_while", f"ordered {last} days ago, paid the next day")
    bed.order(plant, bed.at(last), bed.at(last - 1))
    plant.expect("unpaid_order", inside=False)
    plant = bed.plant("unpaid_second_order", "an order was paid, another one of yesterday was not")
    bed.buy(plant, 4)
    bed.order(plant, bed.at(1), None)
    plant.expect("unpaid_order", "first_time_buyers", inside=True)


def _bought(bed: Planting, kind: str, note: str, *ages: int) -> Plant:
    """A person with a deal for each age; how many deal days there are decides who is a repeat buyer."""
    plant = bed.plant(f"buyer_{kind}", note)
    bed.buy(plant, *ages)
    is_again = len(set(ages)) > 1
    plant.expect("repeat_buyers", inside=is_again)
    plant.expect("one_time_buyers", inside=not is_again)
    return plant


def _deals(bed: Planting) -> None:
    for age in (FIRST_DEAL_DAYS - 1, FIRST_DEAL_DAYS):
        plant = _bought(bed, f"first_age_{age}", f"the first deal ever is of age {age}", age)
        plant.expect("first_time_buyers", inside=age < FIRST_DEAL_DAYS)
    plant = _bought(bed, "not_first", "a deal of yesterday, but not the first", 90, 1)
    plant.expect("first_time_buyers", inside=False)
    plant = bed.plant("buyer_first_kept", "the first order was given back: the deal of age 5 is the first")
    bed.buy(plant, 90, 5)
    bed.refund(plant, 0, 85)
    plant.expect("first_time_buyers", "one_time_buyers", inside=True)
    plant.expect("repeat_buyers", inside=False)
    _bought(bed, "twice_a_day", "two deals on one day", 44, 44)
    _bought(bed, "two_days", "deals on two days", 44, 43)


def _frequent(bed: Planting) -> None:
    ages = [40 * place + 20 for place in range(FREQUENT_DEAL_DAYS)]
    _bought(bed, "frequent", "as many deal days as it takes", *ages).expect("frequent_buyers", inside=True)
    plant = _bought(bed, "a_day_short", "a deal day fewer, with two deals on one of them", *ages[1:], ages[1])
    plant.expect("frequent_buyers", inside=False)
    for age in (FREQUENT_IN_DAYS - 1, FREQUENT_IN_DAYS):
        if bed.reaches(age, f"buyer_frequent_age_{age}"):
            plant = _bought(bed, f"frequent_age_{age}", f"the first of the deal days is of age {age}", age, *ages[:-1])
            plant.expect("frequent_buyers", inside=age < FREQUENT_IN_DAYS)


def _refunders(bed: Planting) -> None:
    for kind, note, orders, refunded, inside in (
        ("enough", "so many orders with something given back", REFUNDED_ORDERS, REFUNDED_ORDERS, True),
        ("one_short", "an order fewer", REFUNDED_ORDERS, REFUNDED_ORDERS - 1, False),
    ):
        plant = bed.plant(f"refunder_{kind}", note)
        bed.buy(plant, *[60 + number for number in range(orders)])
        for number in range(refunded):
            bed.refund(plant, number, 50)
            plant.orders[number].refunds[0].amount = 100
        plant.expect("frequent_refunders", inside=inside)
    plant = bed.plant("refunder_one_order", "two refunds of one order are one order")
    bed.order(plant, bed.at(60), bed.at(60, "12:05:00"), refunds=[(0, bed.at(25), 1_000), (0, bed.at(15), 1_000)])
    plant.expect("frequent_refunders", inside=False)
