"""Persons planted for the funnels, and visitors planted for the sessions."""

from __future__ import annotations

from renqun.simulate.planting import Plant, Planting
from renqun.simulate.wall import elapsed

WINDOW_SECONDS = 7 * 86_400
GAP_SECONDS = 30 * 60


def plant_visits(bed: Planting) -> None:
    """All of them."""
    _funnel_in_time(bed)
    _funnel_ties(bed)
    _funnel_people(bed)
    _funnel_items(bed)
    _sessions(bed)


def _viewed_and_carted(bed: Planting, kind: str, note: str, start: int, cart_after: int) -> Plant:
    plant = bed.plant(kind, note)
    steps = [(start, "view", plant.item, True), (start + cart_after, "cart", plant.item, True)]
    if abs(cart_after) > GAP_SECONDS:
        bed.visit(plant, steps[:1])
        bed.visit(plant, steps[1:])
    else:
        bed.visit(plant, sorted(steps, key=lambda step: step[0]))
    return plant


def _funnel_in_time(bed: Planting) -> None:
    start = bed.at(9, "23:50:00")
    plant = _viewed_and_carted(bed, "funnel_across_midnight", "all steps, midnight between view and cart", start, 1200)
    bed.order(plant, start + 1300, start + 1400)
    bed.expect_attempt(plant, start, 4)

    start = bed.at(9, "10:00:00")
    window_end = elapsed(start, WINDOW_SECONDS, bed.zone)
    plant = _viewed_and_carted(bed, "funnel_at_window_end", "paid exactly seven days after the view", start, 3600)
    bed.order(plant, start + 7200, window_end)
    bed.expect_attempt(plant, start, 4)
    plant = _viewed_and_carted(bed, "funnel_beyond_window", "paid seven days and a second after the view", start, 3600)
    bed.order(plant, start + 7200, window_end + 1)
    bed.expect_attempt(plant, start, 3)
    plant = _viewed_and_carted(bed, "funnel_unpaid", "ordered, never paid", start, 600)
    bed.order(plant, start + 900, None)
    bed.expect_attempt(plant, start, 3)
    plant = _viewed_and_carted(bed, "funnel_order_before_cart", "ordered before the cart: no step after it", start, 600)
    bed.order(plant, start + 300, start + 400)
    bed.expect_attempt(plant, start, 2)

    recent = bed.at(3, "10:00:00")
    plant = _viewed_and_carted(bed, "funnel_incomplete", "too young to be judged", recent, 600)
    bed.expect_attempt(plant, recent, 2)

    plant = bed.plant("funnel_two_days", "viewed on two days, bought on the second: both attempts get there")
    first, second = bed.at(12, "10:00:00"), bed.at(10, "10:00:00")
    bed.visit(plant, [(first, "view", plant.item, True)])
    bed.visit(plant, [(second, "view", plant.item, True), (second + 60, "cart", plant.item, True)])
    bed.order(plant, second + 120, second + 180)
    bed.expect_attempt(plant, first, 4)
    bed.expect_attempt(plant, second, 4)


def _funnel_ties(bed: Planting) -> None:
    start = bed.at(9, "14:00:00")
    plant = _viewed_and_carted(bed, "funnel_all_at_once", "all four steps in one second", start, 0)
    bed.order(plant, start, start)
    bed.expect_attempt(plant, start, 4)
    plant = bed.plant("funnel_tie_reversed", "view and cart in one second, the cart's event id is the smaller")
    bed.visit(plant, [(start, "cart", plant.item, True), (start, "view", plant.item, True)])
    bed.expect_attempt(plant, start, 2)
    plant = _viewed_and_carted(bed, "funnel_cart_first", "the cart came a second before the view", start, -1)
    bed.expect_attempt(plant, start, 1)


def _funnel_people(bed: Planting) -> None:
    start = bed.at(9, "16:00:00")
    plant = bed.plant("funnel_visitor", "a visitor who never logged in", is_visitor=True)
    bed.visit(plant, [(start, "view", plant.item, False), (start + 60, "favourite", plant.item, False)])
    bed.expect_attempt(plant, start, 2)
    plant = bed.plant("funnel_login_late", "viewed before the login, bought after it")
    bed.visit(plant, [(start, "view", plant.item, False), (start + 60, "cart", plant.item, True)])
    bed.order(plant, start + 120, start + 180)
    bed.expect_attempt(plant, start, 4)


def _funnel_items(bed: Planting) -> None:
    start = bed.at(9, "18:00:00")
    other = bed.item("funnel_other")
    plant = bed.plant("funnel_other_item", "viewed one item, put another into the cart")
    bed.visit(plant, [(start, "view", plant.item, True), (start + 60, "cart", other, True)])
    bed.expect_attempt(plant, start, 2, item_step=1)
    plant = _viewed_and_carted(bed, "funnel_other_line", "bought another item than the one in the cart", start, 60)
    bed.order(plant, start + 120, start + 180, [bed.line(other)])
    bed.expect_attempt(plant, start, 4, item_step=2)


def _sessions(bed: Planting) -> None:
    def visitor(kind: str, note: str) -> Plant:
        return bed.plant(kind, note, is_visitor=True)

    midnight = bed.at(6, "00:00:00")
    plant = visitor("session_across_midnight", "one visit from 23:50 to 00:20, dated by its first event")
    bed.visit(plant, [(midnight + after, "view", plant.item, False) for after in (-600, 300, 1200)])
    noon = bed.at(6)
    plant = visitor("session_gap_30_minutes", "a gap of exactly 30 minutes keeps the visit together")
    bed.visit(plant, [(noon, "view", plant.item, False), (noon + GAP_SECONDS, "view", plant.item, False)])
    plant = visitor("session_gap_beyond", "a gap of 30 minutes and a second parts it")
    bed.visit(plant, [(noon, "view", plant.item, False)])
    bed.visit(plant, [(noon + GAP_SECONDS + 1, "view", plant.item, False)], source="直通车")
    plant = visitor("events_without_id", "three identical events without an id; a second file shows two of them")
    session = bed.visit(plant, [(noon, "view", plant.item, False)] * 3)
    session.events = [(at, "", *rest) for at, _, *rest in session.events]  # type: ignore[misc]
    plant = visitor("event_twice", "an event is exported twice in its file and once more a day later")
    bed.visit(plant, [(noon, "view", plant.item, False), (noon + 60, "search", None, False)])
