"""Persons planted for what they are about: crowds, and what draws them to an item or a category.

Acts are weighed: a view 1, a favourite 3, a cart 4, a bought line 8; half of that after 30 days.
"""

from __future__ import annotations

from collections.abc import Sequence

from renqun.simulate.facts import Item
from renqun.simulate.planting import Plant, Planting

CROWDS = {
    # crowd: categories of the shop whose goods such people buy
    "mother_and_baby": ("cat_diapers",),
    "food_lovers": ("cat_snacks", "cat_coffee"),
    "pet_owners": ("cat_pet",),
    "beauty": ("cat_care", "cat_skin"),
    "fashion": ("cat_apparel",),
    "home": ("cat_home",),
}
HALF_LIFE_DAYS = 30
ITEM_DAYS, CATEGORY_DAYS = 30, 365
_ONE, _OTHER = "cat_planted_one", "cat_planted_other"

Acts = Sequence[tuple[str, Item]]


def plant_tastes(bed: Planting) -> None:
    """All of them."""
    _crowds(bed)
    _items(bed)
    _categories(bed)
    _bought_categories(bed)
    _fading_categories(bed)


def _acted(bed: Planting, kind: str, note: str, *days: tuple[int, Acts]) -> Plant:
    """A person with one visit for each (age, acts)."""
    plant = bed.plant(kind, note)
    for age, acts in days:
        start = bed.at(age, "09:00:00")
        bed.visit(plant, [(start + number, event, item, True) for number, (event, item) in enumerate(acts)])
    return plant


def _crowds(bed: Planting) -> None:
    """A quarter of the weight, and three acts: 3 views in the crowd's categories beside 3 favourites elsewhere."""
    elsewhere = bed.item("nothing_for_a_crowd")
    rest = [("favourite", elsewhere)] * 3

    def crowd_of(plant: Plant, crowd: str, *, inside: bool) -> None:
        plant.expect_one([f"crowd_{name}" for name in CROWDS], f"crowd_{crowd}" if inside else None)

    for crowd, categories in CROWDS.items():
        items = [bed.item(f"for_{crowd}_{category}", category_id=category) for category in categories]
        views = [("view", items[number % len(items)]) for number in range(3)]
        kind = f"crowd_{crowd}"
        plant = _acted(bed, f"{kind}_quarter", "3 of a weight of 12", (4, [*views, *rest]))
        crowd_of(plant, crowd, inside=True)
        below = [*views, *rest, ("view", elsewhere)]
        crowd_of(_acted(bed, f"{kind}_below", "3 of a weight of 13", (4, below)), crowd, inside=False)
        few = [("cart", items[0]), ("cart", items[-1])]
        crowd_of(_acted(bed, f"{kind}_two_acts", "two acts are a glance", (4, few)), crowd, inside=False)


def _items(bed: Planting) -> None:
    """Half of the weight of 30 days, and three acts with the item."""
    last, over = ITEM_DAYS - 1, ITEM_DAYS
    one, other = bed.item("beloved"), bed.item("liked")
    views, answer = [("view", one)] * 3, [("favourite", other)]
    _acted(bed, "item_half", "3 of a weight of 6", (4, [*views, *answer])).expect("item_affine", inside=True)
    below = [*views, *answer, ("view", other)]
    _acted(bed, "item_below", "3 of a weight of 7", (4, below)).expect("item_affine", inside=False)
    few = [("cart", one)] * 2
    _acted(bed, "item_two_acts", "all of the weight, but two acts", (4, few)).expect("item_affine", inside=False)
    aside = [*views, *answer, ("search", other), ("checkout", other)]
    _acted(bed, "item_other_events", "a search or a checkout weighs nothing", (4, aside)).expect(
        "item_affine", inside=True
    )
    for age, inside in ((last, True), (over, False)):
        if bed.shows_visits(age, f"item_age_{age}"):
            plant = _acted(
                bed, f"item_age_{age}", f"one of three views is of age {age}", (age, views[:1]), (4, views[1:])
            )
            plant.expect("item_affine", inside=inside)


def _categories(bed: Planting) -> None:
    """Half of the weight, and five acts in the category."""
    one, other = bed.item("of_one", category_id=_ONE), bed.item("of_other", category_id=_OTHER)
    views = [("view", one)] * 5
    half = [*views, ("cart", other), ("view", other)]
    _acted(bed, "category_half", "5 of a weight of 10", (4, half)).expect("category_affine", inside=True)
    below = [*half, ("view", other)]
    _acted(bed, "category_below", "5 of a weight of 11", (4, below)).expect("category_affine", inside=False)
    few = [("cart", one)] * 4
    _acted(bed, "category_four_acts", "all of the weight, but four acts", (4, few)).expect(
        "category_affine", inside=False
    )
    plant = _acted(bed, "category_four_and_bought", "four views and a bought line", (4, views[1:]))
    bed.buy(plant, 3, lines=[bed.line(one)])
    plant.expect("category_affine", inside=True)


def _bought_categories(bed: Planting) -> None:
    """Bought lines of a year; the item was looked at above, so that every form knows its category."""
    one = bed.item("of_one", category_id=_ONE)
    for age in (CATEGORY_DAYS - 1, CATEGORY_DAYS):
        if bed.reaches(age, f"category_age_{age}"):
            plant = bed.plant(f"category_age_{age}", f"five bought lines, the first of age {age}")
            for bought in (age, 300, 300, 300, 300):
                bed.buy(plant, bought, lines=[bed.line(one)])
            plant.expect("category_affine", inside=age < CATEGORY_DAYS)


def _fading_categories(bed: Planting) -> None:
    """Five views of today, and in another category what once weighed twice as much in four acts."""
    one, other = bed.item("of_one", category_id=_ONE), bed.item("of_other", category_id=_OTHER)
    today = [("view", one)] * 5
    faded = [("cart", other)] * 2 + [("view", other)] * 2
    for age, inside in ((HALF_LIFE_DAYS, True), (HALF_LIFE_DAYS - 1, False)):
        if bed.shows_visits(age, f"category_faded_{age}"):
            plant = _acted(
                bed, f"category_faded_{age}", f"5 of today beside 10 that are {age} days old", (age, faded), (0, today)
            )
            plant.expect("category_affine", inside=inside)
