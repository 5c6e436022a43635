"""Persons planted for who is who: several customer ids of one person, and what looks alike and is not.

The pairs are joined by what orders show (a phone) or members (a phone, an e-mail address); both dated long before the
end, so that they are one person on every day that the truth tells of.
"""

from __future__ import annotations

from renqun.simulate.planting import Plant, Planting

GUARD_DEGREE = 20
"""A phone of so many customers still joins them; a phone of more is a shop assistant's and joins nobody."""


def plant_identity(bed: Planting) -> None:
    """All of them."""
    plant = bed.plant("hidden_nick_alone", "the second order hides the nick, and the phone: it is nobody's")
    bed.buy(plant, 60)
    bed.order(plant, bed.at(50), bed.at(50, "12:05:00"), customer_id="同**名")
    _again(plant, is_again=False)
    for kind, plant_kind in (
        ("same_person", _one_phone),
        ("hidden_nick_with_phone", _hidden_nicks),
        ("phone_of", _phone_of_many),
        ("device_of_two_nicks", _shared_device),
    ):
        if bed.shows_phones(kind):
            plant_kind(bed)
    if bed.lists_members("members_chain"):
        _chain(bed)


def _same_phone(plants: list[Plant]) -> None:
    for plant in plants[1:]:
        plant.customer.phone = plants[0].customer.phone


def _again(*plants: Plant, is_again: bool) -> None:
    for plant in plants:
        plant.expect("repeat_buyers", inside=is_again)
        plant.expect("one_time_buyers", inside=not is_again)


def _one_phone(bed: Planting) -> None:
    one, two = (bed.plant(f"same_person_{name}", "ordered under two nicks with one phone") for name in ("one", "two"))
    _same_phone([one, two])
    bed.unite(one, two)
    bed.buy(one, 60)
    bed.buy(two, 50)
    _again(one, two, is_again=True)
    for plant in (one, two):
        plant.expect("new_customer", inside=False)
        plant.expect("aipl_loyalty", inside=True)


def _hidden_nicks(bed: Planting) -> None:
    """A nick with stars names nobody; a phone beside it does."""
    for name in ("one", "two"):
        plant = bed.plant(f"hidden_nick_with_phone_{name}", "the second order hides the nick and shows the phone")
        bed.buy(plant, 60)
        bed.order(plant, bed.at(50), bed.at(50, "12:05:00"), customer_id="同**名").shows_contact = True
        _again(plant, is_again=True)


def _phone_of_many(bed: Planting) -> None:
    """All orders lie on one day: together they are many deals, and each alone is a new customer's."""
    for count in (GUARD_DEGREE, GUARD_DEGREE + 1):
        plants = [
            bed.plant(f"phone_of_{count}_{number:02d}", f"ordered once, with a phone that {count} customers left")
            for number in range(1, count + 1)
        ]
        _same_phone(plants)
        is_one = count <= GUARD_DEGREE
        if is_one:
            bed.unite(*plants)
        for plant in plants:
            bed.buy(plant, 40)
            plant.expect("new_customer", inside=not is_one)
        _again(*plants, is_again=False)


def _shared_device(bed: Planting) -> None:
    """A visitor id joins nobody; seen with two ids it is nobody's, even if both are one person's."""
    device = "pv-of-two-nicks"
    one, two = (
        bed.plant(f"device_of_two_nicks_{name}", "two nicks of one person, seen on one device")
        for name in ("one", "two")
    )
    _same_phone([one, two])
    bed.unite(one, two)
    for plant, age in ((one, 7), (two, 6)):
        plant.visitor_ids = [device]
        bed.buy(plant, 60)
        bed.visit(plant, [(bed.at(age), "view", plant.item, True)], visitor_id=device)
        bed.visit(plant, [(bed.at(5, f"{8 + age:02d}:00:00"), "cart", plant.item, False)], visitor_id=device)
        plant.expect("interest", inside=False)


def _chain(bed: Planting) -> None:
    """The first and the second share a phone, the second and the third an e-mail address."""
    first, second, third = (
        bed.plant(f"members_chain_{name}", "one person by a phone and an e-mail address of members")
        for name in ("first", "second", "third")
    )
    _same_phone([first, second])
    third.customer.email = second.customer.email
    for plant in (first, second, third):
        bed.enrol(plant)
    bed.unite(first, second, third)
    bed.buy(first, 60)
    bed.buy(third, 50)
    _again(first, second, third, is_again=True)
    for plant in (first, second, third):
        plant.expect("members", "buyers", inside=True)
