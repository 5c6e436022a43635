"""Persons planted inside and just outside of every play's audience, and what its list tells them of.

Their messages are those of the list of the last day, where the whole history is built at once: a fact is told once, and
who builds day by day has told of the older ones before.
"""

from __future__ import annotations

from renqun.simulate.planting import Plant, Planting
from renqun.simulate.wall import day_text

UNPAID_GIVEN_UP_AGE = 2
"""A reminder of an order of this age was due more than 48 hours before the day's end."""
WELCOME_GIVEN_UP_AGE = 6
BIRTHDAY_AHEAD, BIRTHDAY_LAST = 7, 9
RECEIPT_LAST_AGE = 6
RECENT_BUYER_DAYS = 60
_LAUNCHED = "cat_planted_launch"


def plant_audiences(bed: Planting) -> None:
    """All of them; those of other families, too, whom an audience means."""
    _unpaid(bed)
    _carts(bed)
    _welcome(bed)
    _receipts(bed)
    _recent_buyers(bed)
    _launch(bed)
    if bed.lists_members("play_birthday"):
        _birthdays(bed)
    _of_other_families(bed)


def _unpaid(bed: Planting) -> None:
    for kind, age, clock, is_told in (
        ("today", 0, "10:00:00", True),
        ("at_night", 0, "23:30:00", True),
        ("yesterday_at_night", UNPAID_GIVEN_UP_AGE, "22:00:00", True),
        ("too_old", UNPAID_GIVEN_UP_AGE, "12:00:00", False),
    ):
        plant = bed.plant(f"play_unpaid_{kind}", f"an order of age {age}, {clock}, waits for its payment")
        order = bed.order(plant, bed.at(age, clock), None)
        plant.expect_audience("unpaid_orders", inside=True, message=f"order:{order.order_id}" if is_told else None)
    plant = bed.plant("play_unpaid_paid", "ordered today and paid: nothing to remind of")
    bed.buy(plant, 0)
    plant.expect_audience("unpaid_orders", inside=False)
    plant = bed.plant("play_unpaid_refunded", "an order waits, but money was given back two days ago: left in peace")
    bed.buy(plant, 40)
    bed.refund(plant, 0, 2)
    bed.order(plant, bed.at(0, "10:00:00"), None)
    plant.expect_audience("unpaid_orders", inside=False)


def _carts(bed: Planting) -> None:
    plant = bed.plant("play_cart", "a cart of this morning, and nothing since")
    bed.visit(plant, [(bed.at(0, "08:00:00"), "cart", plant.item, True)])
    told = f"item:{plant.item.item_id}@{day_text(bed.end)}"
    plant.expect_audience("cart_abandoners", inside=True, message=told)
    plant = bed.plant("play_cart_and_order", "a cart, and an order of something else that waits: reminded of the order")
    bed.visit(plant, [(bed.at(0, "08:00:00"), "cart", plant.item, True)])
    order = bed.order(plant, bed.at(0, "09:00:00"), None, [bed.line(bed.item("play_ordered"))])
    plant.expect_audience("cart_abandoners", inside=False)
    plant.expect_audience("unpaid_orders", inside=True, message=f"order:{order.order_id}")
    plant = bed.plant("play_cart_favourite", "a favourite is no cart")
    bed.visit(plant, [(bed.at(0, "08:00:00"), "favourite", plant.item, True)])
    plant.expect_audience("cart_abandoners", inside=False)
    plant = bed.plant("play_interest_and_cart", "an old cart makes interest, a fresh one is what the reminder is about")
    other = bed.item("play_fresh")
    bed.visit(plant, [(bed.at(5, "08:00:00"), "cart", plant.item, True)])
    bed.visit(plant, [(bed.at(0, "08:00:00"), "cart", other, True)])
    plant.expect("interest", inside=True)
    plant.expect_audience("interest_recall", inside=False)
    plant.expect_audience("cart_abandoners", inside=True, message=f"item:{other.item_id}@{day_text(bed.end)}")


def _welcome(bed: Planting) -> None:
    for age, is_told in ((0, True), (WELCOME_GIVEN_UP_AGE, False)):
        plant = bed.plant(f"play_welcome_age_{age}", f"the first purchase ever is of age {age}")
        bed.buy(plant, age)
        plant.expect_audience("welcome", inside=True, message="first" if is_told else None)
    plant = bed.plant("play_welcome_again", "bought today, but not for the first time")
    bed.buy(plant, 90, 0)
    plant.expect_audience("welcome", inside=False)


def _receipts(bed: Planting) -> None:
    for age, inside, is_told in (
        (2, True, True),
        (RECEIPT_LAST_AGE, True, False),
        (RECEIPT_LAST_AGE + 1, False, False),
    ):
        plant = bed.plant(f"play_receipt_age_{age}", f"signed for the parcel {age} days ago")
        bed.buy(plant, 80)
        order = bed.order(plant, bed.at(12), bed.at(12, "12:05:00"), signed_at=bed.at(age, "15:00:00"))
        told = f"order:{order.order_id}" if is_told else None
        plant.expect_audience("post_receipt", inside=inside, message=told)
    plant = bed.plant("play_receipt_returned", "signed for the parcel, sent everything back")
    bed.buy(plant, 80)
    bed.order(plant, bed.at(12), bed.at(12, "12:05:00"), signed_at=bed.at(4, "15:00:00"))
    bed.refund(plant, 1, 3)
    plant.expect_audience("post_receipt", inside=False)
    plant = bed.plant("play_receipt_on_its_way", "the parcel is on its way")
    bed.buy(plant, 80, 12)
    plant.expect_audience("post_receipt", inside=False)


def _recent_buyers(bed: Planting) -> None:
    for age in (RECENT_BUYER_DAYS - 1, RECENT_BUYER_DAYS):
        plant = bed.plant(f"play_recent_buyer_age_{age}", f"bought last {age} days ago")
        bed.buy(plant, age)
        plant.expect_audience("recent_buyers", inside=age < RECENT_BUYER_DAYS)


def _launch(bed: Planting) -> None:
    """An item that was first seen yesterday, in a category with an older one."""
    new, old = bed.item("play_new", category_id=_LAUNCHED), bed.item("play_old", category_id=_LAUNCHED)
    if not bed.shows_visits(35, "play_launch"):
        return
    seen = bed.plant("play_launch_seen", "the first to see the new item", is_visitor=True, item=new)
    bed.visit(seen, [(bed.at(1, "08:00:00"), "view", new, False)])
    plant = bed.plant("play_launch_drawn", "has looked at nothing but this category", item=old)
    bed.visit(plant, [(bed.at(35, "08:00:00") + number, "view", old, True) for number in range(5)])
    plant.expect("category_affine", inside=True)
    plant.expect_audience("item_launch", inside=True, message=f"item:{new.item_id}")
    plant = bed.plant(
        "play_launch_elsewhere", "is drawn to another category", item=bed.item("play_far", 5000, "cat_far")
    )
    bed.visit(plant, [(bed.at(35, "08:00:00") + number, "view", plant.item, True) for number in range(5)])
    plant.expect("category_affine", inside=True)
    plant.expect_audience("item_launch", inside=True)


def _birthdays(bed: Planting) -> None:
    for ahead, inside, is_told in (
        (BIRTHDAY_AHEAD + 1, True, True),
        (BIRTHDAY_LAST, True, True),
        (BIRTHDAY_LAST + 1, False, False),
        (1, True, False),
    ):
        plant = bed.plant(f"play_birthday_in_{ahead}", f"a member whose birthday is in {ahead} days")
        on = day_text(bed.end + ahead)
        # A leap year: whatever the day is, somebody was born on it then.
        bed.enrol(plant, birthday=f"1992{on[4:]}")
        plant.expect_audience("birthday", inside=inside, message=f"birthday@{on}" if is_told else None)
    plant = bed.plant("play_birthday_untold", "a member whose birthday nobody told")
    bed.enrol(plant)
    plant.expect_audience("birthday", inside=False)


def _of_other_families(bed: Planting) -> None:
    """Whom the plays mean that go by a segment: planted for the segment already."""
    by_kind = {plant.kind: plant for plant in bed.plants}

    def expect(kind: str, audience: str, *, inside: bool, message: str | None = None) -> Plant | None:
        plant = by_kind.get(kind)
        if plant:
            plant.expect_audience(audience, inside=inside, message=message)
        return plant

    today = day_text(bed.end)
    expect("interest_age_3", "interest_recall", inside=True, message=f"segment:interest@{today}")
    expect("interest_age_11", "interest_recall", inside=False)
    expect("tier_moves_up", "tier_change", inside=True, message=f"segment:tier_upgrade_due@{today}")
    expect("tier_moves_down", "tier_change", inside=True, message=f"segment:tier_downgrade_due@{today}")
    expect("tier_moves_stays", "tier_change", inside=False)
    if refill := by_kind.get("repurchase_age_28"):
        told = f"item:{refill.item.item_id}@{day_text(bed.end - 28)}"
        expect("repurchase_age_28", "repurchase_due", inside=True, message=told)
    expect("repurchase_age_35", "repurchase_due", inside=True)
    expect("repurchase_age_36", "repurchase_due", inside=False)
    expect("rfm_key_winback", "winback_high_value", inside=True)
    expect("rfm_champions", "winback_high_value", inside=False)
    expect("churn_overdue", "churn_risk", inside=True)
    expect("churn_due", "churn_risk", inside=False)
