"""Persons planted at the boundaries of the segments, of RFM and of the cohorts."""

from __future__ import annotations

from renqun.simulate.facts import Refund
from renqun.simulate.planting import Plant, Planting
from renqun.simulate.wall import DAY, last_day_of_month

REPURCHASE_LOW, REPURCHASE_HIGH = 28, 35
"""The cycle that the gaps of the planted refill have by construction."""
_FREQUENT_ORDERS = 40
RFM_EXTREMES = {
    # class: (recent, frequent, rich)
    "champions": (True, True, True),
    "key_retain": (False, True, True),
    "key_develop": (True, False, True),
    "key_winback": (False, False, True),
    "general_value": (True, True, False),
    "general_retain": (False, True, False),
    "general_develop": (True, False, False),
    "general_winback": (False, False, False),
}


def plant_segments(bed: Planting) -> None:
    """All of them."""
    _interest(bed)
    _interest_after_purchase(bed)
    _interest_by_visitor(bed)
    _new_customer(bed)
    _repurchase(bed)
    _rfm(bed)
    _cohorts(bed)
    for word in ("withdrawn", "refused", "missing"):
        _bought(bed, f"consent_{word}", (30,), f"a new customer whose consent is {word}", inside=True)
    for word in ("blacklist", "complaint", "closed"):
        note = "a new customer whose complaint is closed" if word == "closed" else f"a new customer with a {word}"
        _bought(bed, f"suppressed_{word}", (30,), note, inside=True)


def _carted(bed: Planting, kind: str, age: int, note: str, *, inside: bool, event: str = "cart") -> Plant:
    plant = bed.plant(kind, note)
    bed.visit(plant, [(bed.at(age), event, plant.item, True)])
    plant.designed["interest"] = inside
    return plant


def _interest(bed: Planting) -> None:
    for age, inside in ((2, False), (3, True), (10, True), (11, False)):
        _carted(bed, f"interest_age_{age}", age, f"one cart event of age {age}", inside=inside)
    _carted(bed, "interest_favourite", 5, "a favourite counts like a cart", inside=True, event="favourite")
    _carted(bed, "interest_view_only", 5, "a view is no interest", inside=False, event="view")
    plant = _carted(bed, "interest_late_row", 5, "the cart event comes in the file of the next day", inside=True)
    plant.sessions[0].delay_days = 1
    plant = bed.plant("interest_in_utc", "age 10 in the shop's zone; the export writes the time in UTC")
    bed.visit(plant, [(bed.at(10, "00:30:00"), "cart", plant.item, True)]).time_style = "Z"
    plant.designed["interest"] = True
    if bed.hold_back:
        plant = _carted(bed, "interest_late_file", 5, "the cart event comes in a late file", inside=True)
        plant.sessions[0].is_late = plant.is_late = True


def _interest_after_purchase(bed: Planting) -> None:
    carted_at = bed.at(6)
    plant = _carted(bed, "interest_bought_same", 6, "bought the item two days later", inside=False)
    bed.order(plant, bed.at(4), bed.at(4, "12:05:00"))
    plant = _carted(bed, "interest_bought_at_once", 6, "paid in the very second of the cart event", inside=False)
    bed.order(plant, carted_at - 60, carted_at)
    plant = _carted(bed, "interest_bought_before", 6, "bought the item two days before the cart", inside=True)
    bed.order(plant, bed.at(8), bed.at(8, "12:05:00"))
    plant = _carted(bed, "interest_bought_other", 6, "bought another item", inside=True)
    bed.order(plant, bed.at(4), bed.at(4, "12:05:00"), [bed.line(bed.item("another"))])
    plant = _carted(bed, "interest_unpaid", 6, "ordered the item and never paid", inside=True)
    bed.order(plant, bed.at(4), None)
    plant = _carted(bed, "interest_returned", 6, "bought the item and gave it back: it was bought", inside=False)
    bed.order(plant, bed.at(5), bed.at(5, "12:05:00"), refunds=[(0, bed.at(2), 5000)])
    plant = _carted(bed, "interest_presale", 9, "deposit paid at age 8, balance at age 2", inside=False)
    bed.order(plant, bed.at(8), bed.at(2)).is_presale = True


def _interest_by_visitor(bed: Planting) -> None:
    plant = bed.plant("interest_before_login", "the cart came before the first login of the visitor")
    bed.visit(plant, [(bed.at(5), "cart", plant.item, False)])
    bed.visit(plant, [(bed.at(4), "view", plant.item, True)])
    plant.designed["interest"] = True
    shared = "pv-shared"
    for kind, age in (("shared_visitor_one", 7), ("shared_visitor_two", 6)):
        plant = bed.plant(kind, "used a visitor id that another customer used too: its anonymous events are nobody's")
        plant.visitor_ids = [shared]
        bed.visit(plant, [(bed.at(age), "view", plant.item, True)], visitor_id=shared)
        bed.visit(plant, [(bed.at(5, f"{age + 8:02d}:00:00"), "cart", plant.item, False)], visitor_id=shared)
        plant.designed["interest"] = False


def _bought(bed: Planting, kind: str, ages: tuple[int, ...], note: str, *, inside: bool | None = None) -> Plant:
    """A person with one order of 50.00 for each age, paid within minutes."""
    plant = bed.plant(kind, note)
    for age in ages:
        bed.order(plant, bed.at(age, "10:00:00"), bed.at(age, "10:05:00"))
    if inside is not None:
        plant.expect("new_customer", "lifecycle_new", inside=inside)
    return plant


def _new_customer(bed: Planting) -> None:
    plant = bed.plant("new_customer_today", "paid in the last second of the as-of date")
    bed.order(plant, bed.at(0, "23:50:00"), bed.at(0, "23:59:59"))
    plant.designed["new_customer"] = True
    for age, inside in ((179, True), (180, False), (719, False)):
        if bed.reaches(age, f"new_customer_age_{age}"):
            _bought(bed, f"new_customer_age_{age}", (age,), f"the only deal is of age {age}", inside=inside)
    for age, inside in ((719, False), (720, True)):
        kind = f"new_customer_before_{age}"
        if bed.reaches(age, kind):
            _bought(bed, kind, (age, 100), f"a deal of age 100 after one of age {age}", inside=inside)
    _bought(bed, "new_customer_twice_a_day", (50, 50), "two deals on one day are two", inside=False)
    plant = _bought(bed, "new_customer_other_refunded", (100, 50), "the other order was refunded", inside=True)
    plant.orders[1].refunds = [_whole(plant, 1, bed.at(3))]
    plant = _bought(bed, "new_customer_refunded", (50,), "the only order was refunded", inside=False)
    plant.expect("lifecycle_prospect", inside=True)
    plant.orders[0].refunds = [_whole(plant, 0, bed.at(3))]
    plant = bed.plant("new_customer_free", "an order paid with 0 is a deal")
    free = bed.line(bed.item("free", price=0))
    bed.order(plant, bed.at(20), bed.at(20, "12:01:00"), [free])
    plant.designed["new_customer"] = True
    plant = bed.plant("new_customer_unpaid", "an order that was never paid is no deal")
    bed.order(plant, bed.at(20), None)
    plant.designed["new_customer"] = False
    plant = bed.plant("new_customer_presale", "ordered at age 185, balance paid at age 179: the pay date counts")
    bed.order(plant, bed.at(185), bed.at(179)).is_presale = True
    plant.designed["new_customer"] = True
    if bed.hold_back:
        plant = _bought(bed, "new_customer_late_file", (6,), "the order comes in a late file", inside=True)
        plant.orders[0].is_late = plant.is_late = True


def _whole(plant: Plant, order: int, at: int) -> Refund:
    return Refund(0, at, plant.orders[order].paid)


def _repurchase(bed: Planting) -> None:
    """The refill: 53 buyers, everyone twice, so its rate is 1; gaps 15 × 28, 23 × 30, 15 × 35 days.

    A quarter of the 53 gaps (13.25) is passed by the 15 of 28 days, three quarters (39.75) only by those of 35.
    """
    refill = bed.item("refill", 9900)

    def buyer(kind: str, note: str, ages: tuple[int, ...]) -> Plant:
        plant = bed.plant(kind, note, item=refill)
        for age in ages:
            bed.order(plant, bed.at(age, "20:00:00"), bed.at(age, "20:03:00"))
        plant.designed["repurchase"] = False
        return plant

    if not bed.reaches(220, "repurchase"):
        return
    for number, gap in enumerate([28] * 15 + [30] * 18 + [35] * 15, start=1):
        last = 100 + number
        buyer(f"repurchase_background_{number:02d}", f"bought the refill twice, {gap} days apart", (last + gap, last))
    for age, inside in ((27, False), (28, True), (35, True), (36, False)):
        plant = buyer(f"repurchase_age_{age}", f"bought the refill last {age} days ago", (age + 30, age))
        last_day = bed.end - age
        plant.repurchase_days = range(last_day + REPURCHASE_LOW, last_day + REPURCHASE_HIGH + 1)
        plant.designed["repurchase"] = inside
    plant = buyer("repurchase_refunded", "the purchase inside the cycle was refunded", (95, 65, 32))
    plant.orders[2].refunds = [_whole(plant, 2, bed.at(20))]


def _rfm(bed: Planting) -> None:
    """Each class from three extremes: nobody is more recent, more frequent or richer, or nobody less."""
    if not bed.reaches(719, "rfm"):
        return
    for rfm_class, (recent, frequent, rich) in RFM_EXTREMES.items():
        count = _FREQUENT_ORDERS if frequent else 1
        item = bed.item(f"rfm_{rfm_class}", (24_000_000 // count) if rich else 1)
        plant = bed.plant(f"rfm_{rfm_class}", "an extreme in recency, frequency and money", item=item)
        for number in range(count):
            age = (number // 4) if recent else 719 - number // 4
            at = bed.at(age, f"{9 + number % 4:02d}:00:00")
            bed.order(plant, at, at + 30)
        plant.rfm_class = rfm_class
        plant.expect_one(RFM_EXTREMES, rfm_class)
        # The highest score of money; and no shop's rhythm is as slow as two years.
        plant.expect("high_value", inside=rich)
        plant.expect("lapsed_high_value", inside=rich and not recent)
    if bed.reaches(720, "rfm_outside"):
        _bought(bed, "rfm_outside", (720,), "the only deal is a day older than the window of RFM")


def _cohorts(bed: Planting) -> None:
    if not bed.reaches(150, "cohort"):
        return
    _bought(bed, "cohort_again_after_30", (70, 40), "bought again 30 days after the first deal")
    _bought(bed, "cohort_again_after_31", (70, 39), "bought again 31 days after the first deal")
    _bought(bed, "cohort_again_same_day", (70, 70), "bought twice on the first day, never later")
    _bought(bed, "cohort_not_observable", (29, 24), "bought again after 5 days, but the first deal is of age 29")
    plant = _bought(
        bed, "cohort_first_refunded", (140, 60), "the first order was refunded: the second is the first deal"
    )
    plant.orders[0].refunds = [_whole(plant, 0, bed.at(135))]
    plant = bed.plant("cohort_paid_next_month", "ordered on the last day of a month, paid on the first of the next")
    ordered = last_day_of_month(bed.end - 100) * DAY + 23 * 3600
    bed.order(plant, ordered, ordered + 2 * 3600)
