"""Persons planted at the boundaries of AIPL, of the lifecycle and of the risk of churn."""

from __future__ import annotations

from renqun.simulate.planting import Plant, Planting
from renqun.simulate.stages import LIFECYCLE, LOST_AFTER, OVERDUE_AFTER, Rhythm

RECENT_DAYS = 15
"""Days whose events make somebody aware or interested."""
PURCHASE_DAYS, LOYALTY_DAYS = 720, 365
AIPL = ("awareness", "interest", "purchase", "loyalty")
_OWN_GAP = 5
"""Days between the deals of those who are planted for their own rhythm."""


def plant_stages(bed: Planting) -> None:
    """All whose stage does not depend on the shop's rhythm."""
    _aware(bed)
    _interested(bed)
    _buying(bed)
    _overdue(bed)


def _staged(bed: Planting, kind: str, note: str, stage: str | None) -> Plant:
    plant = bed.plant(f"aipl_{kind}", note)
    plant.designed_stages["aipl_stage"] = stage
    plant.expect_one([f"aipl_{name}" for name in AIPL], f"aipl_{stage}")
    return plant


def _aware(bed: Planting) -> None:
    last, over = RECENT_DAYS - 1, RECENT_DAYS
    for age, stage in ((0, "awareness"), (last, "awareness"), (over, None)):
        plant = _staged(bed, f"view_age_{age}", f"one view of age {age}", stage)
        bed.visit(plant, [(bed.at(age, "08:00:00"), "view", plant.item, True)])
        plant.expect("lifecycle_prospect", inside=True)
    plant = _staged(bed, "checkout", "a checkout is no sign of interest by itself", "awareness")
    bed.visit(plant, [(bed.at(4), "checkout", plant.item, True)])
    plant = _staged(bed, "views_in_a_day", "many views on a single day", "awareness")
    bed.visit(plant, [(bed.at(4) + second, "view", plant.item, True) for second in range(0, 300, 60)])
    plant = _staged(bed, "views_two_days_one_old", f"views on two days, one of them of age {over}", "awareness")
    for age in (over, last):
        bed.visit(plant, [(bed.at(age), "view", plant.item, True)])


def _interested(bed: Planting) -> None:
    last, over = RECENT_DAYS - 1, RECENT_DAYS
    for event in ("cart", "favourite", "search", "follow", "member"):
        for age, stage in ((last, "interest"), (over, None)):
            plant = _staged(bed, f"{event}_age_{age}", f"a {event} event of age {age}", stage)
            bed.visit(plant, [(bed.at(age), event, plant.item if event in {"cart", "favourite"} else None, True)])
    plant = _staged(bed, "views_two_days", f"views on two days, one of them of age {last}", "interest")
    for age in (last, 3):
        bed.visit(plant, [(bed.at(age), "view", plant.item, True)])
    plant = _staged(bed, "views_before_login", "viewed as a visitor one day, logged in on another", "interest")
    for age, is_logged_in in ((9, False), (3, True)):
        bed.visit(plant, [(bed.at(age), "view", plant.item, is_logged_in)])


def _buying(bed: Planting) -> None:
    for age, stage in ((PURCHASE_DAYS - 1, "purchase"), (PURCHASE_DAYS, None)):
        if bed.reaches(age, f"aipl_deal_age_{age}"):
            bed.buy(_staged(bed, f"deal_age_{age}", f"the only deal is of age {age}", stage), age)
    for age, stage in ((LOYALTY_DAYS - 1, "loyalty"), (LOYALTY_DAYS, "purchase")):
        if bed.reaches(age, f"aipl_two_days_age_{age}"):
            note = f"deals on two days, the first of age {age}"
            bed.buy(_staged(bed, f"two_days_age_{age}", note, stage), age, 40)
    bed.buy(_staged(bed, "two_deals_a_day", "two deals on one day", "purchase"), 33, 33)
    plant = _staged(bed, "second_refunded", "the deal of the second day was given back", "purchase")
    bed.buy(plant, 60, 33)
    bed.refund(plant, 1, 25)
    plant = _staged(bed, "only_refunded", "the only order was given back, and there is no event", None)
    bed.buy(plant, 33)
    bed.refund(plant, 0, 25)
    plant = _staged(bed, "unpaid", "an order that was never paid", None)
    bed.order(plant, bed.at(20), None)
    plant = _staged(bed, "deal_and_cart", "put something into the cart after an old deal: the highest wins", "purchase")
    bed.buy(plant, 150)
    bed.visit(plant, [(bed.at(2), "cart", plant.item, True)])


def _overdue(bed: Planting) -> None:
    """Deals five days apart, the last one twice as long ago, or a day longer; nobody's stage is at risk so early."""
    due = OVERDUE_AFTER * _OWN_GAP
    for kind, ages, note, inside in (
        ("due", (due + 10, due + 5, due), "the last deal is twice the own gap of 5 days ago", False),
        ("overdue", (due + 11, due + 6, due + 1), "the last deal is a day longer ago than twice the own gap", True),
        ("overdue_two_days", (due + 6, due + 1), "overdue, but two deal days are no rhythm", False),
        ("overdue_smaller_gap", (due + 26, due + 6, due + 1), "gaps of 20 and 5 days: 5 is their median", True),
        ("overdue_same_day", (due + 6, due + 1, due + 1), "overdue, but three deals on two days", False),
    ):
        plant = bed.plant(f"churn_{kind}", note)
        bed.buy(plant, *ages)
        plant.expect("churn_risk", inside=inside)


LOST_GAPS = (_OWN_GAP, _OWN_GAP)
"""What `plant_lifecycle` adds to the shop's gaps."""


def plant_lifecycle(bed: Planting, shop: Rhythm) -> None:
    """Persons at the boundaries of the lifecycle, once all else is planted and the shop's rhythm is known.

    Each has two deals on one day: more than the one of somebody new, and no gap that would change the rhythm.
    """
    lost = LOST_AFTER * shop.p90
    boundaries = [
        ("at_median", shop.median, "active"),
        ("beyond_median", shop.median + 1, "cooling"),
        ("at_p90", shop.p90, "cooling"),
        ("beyond_p90", shop.p90 + 1, "at_risk"),
        ("at_twice_p90", lost, "at_risk"),
        ("beyond_twice_p90", lost + 1, "lost"),
    ]
    if shop.median == shop.p90:
        bed.left_out += [f"lifecycle_{kind}" for kind, _, _ in boundaries[1:3]]
        del boundaries[1:3]
    for kind, age, stage in boundaries:
        if bed.reaches(age, f"lifecycle_{kind}"):
            plant = bed.plant(f"lifecycle_{kind}", f"the last deals are of age {age}, in a shop with this rhythm")
            bed.buy(plant, age, age)
            _stand(plant, stage)
            plant.expect("churn_risk", inside=stage == "at_risk")
    kind, ages = "lifecycle_lost_and_overdue", [lost + 1 + sum(LOST_GAPS[:place]) for place in (2, 1, 0)]
    if bed.reaches(ages[0], kind):
        plant = bed.plant(kind, "far beyond the own rhythm, but lost: no risk is left")
        bed.buy(plant, *ages)
        _stand(plant, "lost")
        plant.expect("churn_risk", inside=False)


def _stand(plant: Plant, stage: str) -> None:
    plant.designed_stages["lifecycle_stage"] = stage
    plant.expect_one([f"lifecycle_{name}" for name in LIFECYCLE], f"lifecycle_{stage}")
