"""Persons planted for how they buy: at a discount, the dear things, or what is new."""

from __future__ import annotations

from renqun.simulate.facts import Item, Line
from renqun.simulate.planting import Plant, Planting

TAG_DAYS = 365
TREND_DAYS = 30
DEAR_CATEGORY = "cat_planted_dear"
"""What is dear is measured within a category: this one has nothing but what is planted here."""


def plant_tags(bed: Planting) -> None:
    """All of them; a tag needs two lines, and half of them."""
    _price_sensitive(bed)
    _quality_seekers(bed)
    _trend_followers(bed)


def _tagged(bed: Planting, kind: str, note: str, lines: list[tuple[int, Line]], *, tag: str, inside: bool) -> Plant:
    """A person with an order of one line for each (age, line): every form tells what such a line cost."""
    plant = bed.plant(kind, note)
    for age, line in lines:
        bed.buy(plant, age, lines=[line])
    plant.expect(tag, inside=inside)
    return plant


def _price_sensitive(bed: Planting) -> None:
    item = bed.item("listed", 10_000)

    def bought(kind: str, note: str, *lines: tuple[int, int], inside: bool) -> Plant:
        """Lines as (age, discount on a list price of 100.00)."""
        return _tagged(
            bed, f"price_{kind}", note, [(age, bed.line(item, discount=off)) for age, off in lines],
            tag="price_sensitive", inside=inside,
        )  # fmt: skip

    bought("two_lines", "two lines a fifth below the list price", (50, 2_000), (40, 2_000), inside=True)
    bought("a_cent_short", "two lines a cent less than a fifth below", (50, 1_999), (40, 1_999), inside=False)
    bought("one_line", "one line is too few", (50, 9_000), inside=False)
    bought("half", "one line of two", (50, 2_000), (40, 0), inside=True)
    bought("below_half", "one line of three", (50, 2_000), (40, 0), (30, 0), inside=False)
    plant = bought("refunded", "the second line was given back: one is too few", (50, 2_000), (40, 2_000), inside=False)
    bed.refund(plant, 1, 20)
    for age in (TAG_DAYS - 1, TAG_DAYS):
        if bed.reaches(age, f"price_age_{age}"):
            bought(
                f"age_{age}", f"the first of two lines is of age {age}", (age, 2_000), (40, 2_000),
                inside=age < TAG_DAYS,
            )  # fmt: skip
    coupon = [(age, Line(item, 1, 10_000, 0, 8_000)) for age in (50, 40)]
    _tagged(
        bed, "price_coupon", "paid a fifth less, though no discount is told", coupon, tag="price_sensitive", inside=True
    )
    gift = [(50, bed.line(item, discount=2_000)), (40, bed.line(bed.item("listed_gift", price=0)))]
    _tagged(bed, "price_gift", "a gift has no list price, one line is left", gift, tag="price_sensitive", inside=False)


def _quality_seekers(bed: Planting) -> None:
    """What is dear: the top third of the category's lines of a year, by price.

    The plain lines are exactly two thirds of all. With one plain line fewer the dear price would be the one that two
    thirds do not exceed, nothing would lie above it, and nobody were a seeker.
    """
    dear, plain = bed.item("dear", 30_000, DEAR_CATEGORY), bed.item("plain", 10_000, DEAR_CATEGORY)
    _show_in_traffic(bed, "quality_window", dear, plain)
    counts = {dear.item_id: 0, plain.item_id: 0}

    def bought(kind: str, note: str, *lines: tuple[int, Item], inside: bool) -> None:
        _tagged(
            bed, f"quality_{kind}", note, [(age, bed.line(item)) for age, item in lines],
            tag="quality_seeker", inside=inside,
        )  # fmt: skip
        for age, item in lines:
            counts[item.item_id] += age < TAG_DAYS

    bought("two_lines", "two dear lines", (50, dear), (40, dear), inside=True)
    bought("one_line", "one line is too few", (50, dear), inside=False)
    bought("half", "one dear line of two", (50, dear), (40, plain), inside=True)
    bought("below_half", "one dear line of three", (50, dear), (40, plain), (30, plain), inside=False)
    for age in (TAG_DAYS - 1, TAG_DAYS):
        if bed.reaches(age, f"quality_age_{age}"):
            bought(
                f"age_{age}", f"the first of two dear lines is of age {age}", (age, dear), (40, dear),
                inside=age < TAG_DAYS,
            )  # fmt: skip
    rest = 2 * counts[dear.item_id] - counts[plain.item_id]
    bought("plain", "buys plain things only", *[(60, plain)] * rest, inside=False)


def _show_in_traffic(bed: Planting, kind: str, *items: Item) -> None:
    """Let a stranger look at items: a form whose orders name no category learns it from events."""
    plant = bed.plant(kind, "a stranger who looked at what others buy", is_visitor=True)
    bed.visit(plant, [(bed.at(5) + number, "view", item, False) for number, item in enumerate(items)])


def _trend_followers(bed: Planting) -> None:
    """What is new: bought at most 30 days after anybody bought it first, which here is at age 100."""
    first, last, over = 100, 100 - TREND_DAYS, 100 - TREND_DAYS - 1
    one, two = bed.item("novelty_one"), bed.item("novelty_two")

    def bought(kind: str, note: str, *lines: tuple[int, Item], inside: bool) -> Plant:
        return _tagged(
            bed, f"trend_{kind}", note, [(age, bed.line(item)) for age, item in lines],
            tag="trend_follower", inside=inside,
        )  # fmt: skip

    bought("first", "bought both on the first day", (first, one), (first, two), inside=True)
    bought("last_day", "bought both on the last day on which they are new", (last, one), (last, two), inside=True)
    bought("too_late", "bought both a day later", (over, one), (over, two), inside=False)
    bought("one_line", "one line is too few", (last, one), inside=False)
    bought("half", "one new line of two", (last, one), (over, two), inside=True)
    bought("below_half", "one new line of three", (last, one), (over, two), (over, two), inside=False)
    three, four = bed.item("novelty_three"), bed.item("novelty_four")
    plant = bought(
        "given_back", "bought two things first and gave them back", (first, three), (first, four), inside=False
    )
    for number in range(2):
        bed.refund(plant, number, first - 5)
    bought("first_to_keep", "the first who kept them", (over - 5, three), (over - 5, four), inside=True)
    # Others follow: half of them see a novelty in it only because the first deals were none.
    bought("after_the_first_to_keep", "their first deal was days ago", (over - 9, three), (over - 9, four), inside=True)
