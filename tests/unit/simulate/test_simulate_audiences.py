"""The made-up shops have somebody for every play, and the demo is large enough for every destination."""

from __future__ import annotations

from collections import defaultdict

from renqun.publish.definitions import load_audience, load_audiences
from renqun.publish.destinations import DESTINATIONS
from renqun.publish.rules import MeasureRule
from renqun.simulate.config import demo_config, small_config
from renqun.simulate.planting import Planting
from renqun.simulate.plants import plant_all
from renqun.simulate.trade import trade
from renqun.simulate.wall import DAY, day_number


def test_every_play_has_somebody_inside_and_somebody_just_outside() -> None:
    bed = Planting(small_config())
    plant_all(bed)
    sides: dict[str, set[bool]] = defaultdict(set)
    told: dict[str, set[bool]] = defaultdict(set)
    for plant in bed.plants:
        for audience, inside in plant.designed_audiences.items():
            sides[audience].add(inside)
            told[audience].add(plant.designed_messages[audience] is not None)
    plays = {one.id for one in load_audiences() if one.trigger or one.priority or one.purpose.kind == "exclusion"}
    assert len(plays) == 12
    # Whoever is drawn to no category is planted for the segment.
    assert {play for play in plays if sides[play] != {True, False}} == {"item_launch"}
    assert {one.id for one in load_audiences() if one.trigger and told[one.id] != {True, False}} == set()


def test_the_demo_reaches_the_minimum_of_every_destination() -> None:
    exclusion = load_audience("recent_buyers")
    assert isinstance(exclusion.include, MeasureRule)
    assert exclusion.include.at_most is not None
    config = demo_config()
    first_day = day_number(config.end) - int(exclusion.include.at_most)
    buyers = {
        order.person.phone
        for order in trade(config).orders
        if order.person and order.identity and order.paid_at and order.paid_at // DAY >= first_day
    }
    asked = {one: DESTINATIONS[one].minimum for audience in load_audiences() for one in audience.destinations}
    assert asked.keys() == DESTINATIONS.keys(), "every destination has an audience"
    large = {one for one, minimum in asked.items() if minimum > 100}
    # An exclusion list needs nobody's consent: all of them are in the files.
    assert large <= set(exclusion.destinations)
    assert len(buyers) > max(asked.values())
