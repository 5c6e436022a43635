"""Changes, recalls and limits of destinations, from version to version."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from shop_of_marts import TestShop, audience, day

from renqun.publish.definitions import Audience
from renqun.publish.delivering import name_at, neutral_name
from renqun.publish.destinations import DESTINATIONS
from renqun.publish.manifest import AudienceManifest, read_audience_manifest
from renqun.publish.verify import verify
from renqun.publish.withdrawal import withdraw

CHAMPIONS = [f"c{number:02}" for number in range(20)]


@pytest.fixture
def shop(shop: TestShop) -> TestShop:
    """Champions who can be reached everywhere, and five more who may become some."""
    everybody = [*CHAMPIONS, *(f"c{number}" for number in range(20, 25))]
    for one in everybody:
        shop.warehouse.contacts[one] = (f"+86138001380{one[1:]}", f"{one}@example.com")
    shop.warehouse.agree(everybody, "sms", "email", "ads")
    return shop


def publish(shop: TestShop, number: int, people: list[str], **changes: object) -> tuple[Path, AudienceManifest]:
    shop.warehouse.set_members("champions", people, day(number))
    definition = audience(**({"destinations": ["canonical", "tencent", "sms"]} | changes))
    folder = shop.version_of(shop.publish_day(day(number), [definition]))
    found = verify(folder)
    assert found.passed, found.failures
    return folder, read_audience_manifest(folder)


def rows(file: Path) -> set[str]:
    if file.suffix == ".zip":
        with zipfile.ZipFile(file) as archive:
            return set(archive.read(archive.namelist()[0]).decode().split())
    return set(file.read_text(encoding="utf-8").split())


def test_the_list_before_with_its_changes_is_the_list_now(shop: TestShop) -> None:
    first, _ = publish(shop, 0, CHAMPIONS)
    second, manifest = publish(shop, 1, [*CHAMPIONS[2:], "c20", "c21", "c22"])
    delivery = manifest.deliveries["tencent"]
    assert (delivery.appended, delivery.reduced) == (3, 2)
    before, now = rows(first / "tencent.zip"), rows(second / "tencent.zip")
    assert now == (before - rows(second / "tencent_reduce.zip")) | rows(second / "tencent_append.zip")
    # Text messages are sent by the list of the day: there is nothing to change.
    assert (manifest.deliveries["sms"].append, manifest.deliveries["sms"].reduce) == ((), ())


def test_who_revokes_is_taken_out_of_the_destination(shop: TestShop) -> None:
    publish(shop, 0, CHAMPIONS)
    shop.warehouse.consents[("c00", "ads", "marketing")] = False
    _, manifest = publish(shop, 1, CHAMPIONS)
    delivery = manifest.deliveries["tencent"]
    assert (delivery.reduced, delivery.held_back, manifest.counts.members) == (1, {"no_consent": 1}, 20)


def test_a_destination_that_is_left_gets_its_list_back(shop: TestShop) -> None:
    first, _ = publish(shop, 0, CHAMPIONS)
    second, manifest = publish(shop, 1, CHAMPIONS, destinations=["canonical"])
    assert manifest.deliveries["tencent"].refused == "the audience does not go there any more"
    assert rows(second / "tencent_reduce.zip") == rows(first / "tencent.zip")
    _, manifest = publish(shop, 2, CHAMPIONS, destinations=["canonical"])
    assert manifest.deliveries == {}


def test_a_withdrawn_version_is_recalled_from_every_destination(shop: TestShop) -> None:
    first, _ = publish(shop, 0, CHAMPIONS)
    second, _ = publish(shop, 1, [*CHAMPIONS[2:], "c20", "c21", "c22"])
    record = withdraw(shop.home, "default", "champions", withdrawn_by="ann", reason="wrong export")
    place = shop.audiences / "champions" / "withdrawn" / second.name
    assert record.recalled_rows == {"sms": 3, "tencent": 3}
    assert rows(place / "tencent_recall.zip") == rows(second / "tencent.zip") - rows(first / "tencent.zip")
    assert rows(place / "sms_recall.txt") == {"13800138020", "13800138021", "13800138022"}
    assert (place / "sms_recall.txt").stat().st_mode & 0o077 == 0
    # c00 and c01 were taken out by the withdrawn version, and nobody gave them back: the next one appends all.
    third, _ = publish(shop, 2, CHAMPIONS)
    assert rows(third / "tencent_append.zip") == rows(third / "tencent.zip")


def test_a_withdrawn_first_version_is_recalled_whole(shop: TestShop) -> None:
    publish(shop, 0, CHAMPIONS)
    record = withdraw(shop.home, "default", "champions", withdrawn_by="ann", reason="-")
    assert record.recalled_rows == {"sms": 20, "tencent": 20}


@pytest.mark.parametrize("destination", sorted(DESTINATIONS))
def test_names_fit_every_destination(destination: str) -> None:
    to = DESTINATIONS[destination]
    long_one = Audience.model_validate(audience().model_dump() | {"id": "a" * 61})
    for one in (audience(), long_one):
        name = name_at(to, one, day(0))
        assert to.name_limit is None or to.name_limit.allows(name)
        assert not (to.screens_names and "champions" in name)


def test_a_neutral_name_stays_for_a_week() -> None:
    # 2026-03-01 is a Sunday, the last day of its ISO week.
    assert neutral_name(audience(), day(1)) == neutral_name(audience(), day(7)) != neutral_name(audience(), day(0))
    assert neutral_name(audience(), day(0)).endswith("_2026W09")
    assert neutral_name(audience(), day(0)) != neutral_name(audience("interest"), day(0))
