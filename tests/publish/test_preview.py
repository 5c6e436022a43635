"""A preview chooses as publishing does: every step is counted, down to the rows of each destination."""

from __future__ import annotations

from pathlib import Path

import pytest
from shop_of_marts import TestShop, audience, day, tree

from renqun.errors import GateFailed
from renqun.publish.definitions import Audience
from renqun.publish.manifest import read_audience_manifest
from renqun.publish.preview import Preview, preview

CHAMPIONS = [f"c{number:02}" for number in range(20)]


def look(shop: TestShop, definition: Audience, *others: Audience) -> Preview:
    return preview(shop.home, "default", definition.id, audience=definition, audiences=others)


def steps(found: Preview) -> list[tuple[str, int, int]]:
    return [(step.name, step.dropped, step.people) for step in found.steps]


def content(shop: TestShop) -> dict[str, bytes]:
    return {name: what for name, what in tree(shop.home.root).items() if Path(name).name != "writer.lock"}


@pytest.fixture
def people(published_shop: TestShop) -> TestShop:
    """Twenty champions, one blacklisted; all but three agreed to text messages, two of those have no phone."""
    warehouse = published_shop.warehouse
    for one in CHAMPIONS[:18]:
        warehouse.contacts[one] = (f"+86138001380{one[1:]}", f"{one}@example.com")
    warehouse.agree(CHAMPIONS[3:], "sms")
    warehouse.suppressions = [("c19", "blacklisted")]
    published_shop.publish_marts(day(1))
    return published_shop


def test_every_rule_is_counted_and_nothing_is_written(published_shop: TestShop) -> None:
    published_shop.warehouse.enter("new_customer", ["c00", "c01", "x"], day(1))
    published_shop.warehouse.set_members("champions", CHAMPIONS[:6], day(1))
    published_shop.publish_marts(day(1))
    before = content(published_shop)
    shown = look(published_shop, audience(exclude=[{"segment": "new_customer"}]))
    assert steps(shown) == [
        ("customers of the shop", 0, 21),
        ("in champions", 15, 6),
        ("not in new_customer", 2, 4),
    ]
    assert (shown.members, shown.previous_members, shown.added, shown.removed) == (4, 20, 0, 16)
    assert shown.state == "held_back"
    assert "from 20 to 4 members" in (shown.reason or "")
    assert content(published_shop) == before


def test_whoever_is_held_back_is_taken_off_cause_by_cause(people: TestShop) -> None:
    shown = look(people, audience(destinations=["canonical", "sms"]))
    assert steps(shown)[-2:] == [("in champions", 0, 20), ("without blacklisted", 1, 19)]
    (text_messages,) = shown.destinations
    assert [(step.name, step.dropped, step.people) for step in text_messages.steps] == [
        ("members", 0, 19),
        ("without no_consent", 3, 16),
        ("without unreachable", 1, 15),
    ]
    assert (text_messages.rows, text_messages.refused) == (15, None)


def test_the_preview_says_what_publishing_then_does(people: TestShop) -> None:
    definition = audience(destinations=["canonical", "sms", "meta"], holdout="0.3")
    shown = look(people, definition)
    manifest = read_audience_manifest(people.version_of(people.publish_audiences(day(1), [definition])))
    assert shown.members == manifest.counts.members < 19
    assert (shown.added, shown.removed) == (manifest.counts.added, manifest.counts.removed)
    dropped = {step.name.removeprefix("without "): step.dropped for step in shown.steps if "without" in step.name}
    assert dropped == manifest.held_back
    assert dropped.keys() == {"blacklisted", "holdout"}
    for one in shown.destinations:
        delivery = manifest.deliveries[one.destination]
        assert (one.steps[-1].people, one.rows, one.refused) == (delivery.people, delivery.rows, delivery.refused)
        assert {step.name.removeprefix("without "): step.dropped for step in one.steps[1:]} == delivery.held_back
    assert shown.destinations[1].refused == "0 people can be reached there; it takes 100 or more"
    assert look(people, definition).state == "unchanged"


def test_an_audience_of_higher_priority_takes_its_people(people: TestShop) -> None:
    people.warehouse.set_members("interest", CHAMPIONS[3:8], day(1))
    people.publish_marts(day(1))
    first = audience("interest", destinations=["sms"], priority=10)
    shown = look(people, audience(destinations=["sms"]), first)
    (text_messages,) = shown.destinations
    assert ("without other_audience", 5) in [(step.name, step.dropped) for step in text_messages.steps]
    # Who writes to nobody has no rivals: their definitions may be unsound, nobody asks them.
    unsound = audience("interest", destinations=["sms"], include={"segment": "nowhere"})
    assert look(people, audience(), unsound).members == 19


def test_an_audience_that_does_not_apply_shows_its_rules(people: TestShop) -> None:
    shown = look(people, audience(needs=["profiles"]))
    assert shown.state == "not_applicable"
    assert shown.reason == "the shop has no export of: profiles"
    assert steps(shown)[-1] == ("in champions", 0, 20)
    assert (shown.members, shown.added, shown.removed, shown.destinations) == (0, 0, 0, ())


def test_consent_that_no_build_has_read_stops_the_preview_as_it_stops_publishing(
    people: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from renqun.publish import directory

    class Newer:
        batch_id, source, ds = "b" * 16, "consent", day(1)

    monkeypatch.setattr(directory, "accepted_batches", lambda _: [Newer])
    with pytest.raises(GateFailed, match="since the warehouse was built 1 exports of consent"):
        look(people, audience(destinations=["sms"]))
    assert not list((people.home.root / "default" / "warehouse" / "publish").glob(".preview-*"))
