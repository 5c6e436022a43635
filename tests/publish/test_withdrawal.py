"""A withdrawn version is out of use, and files say whom to undo downstream."""

from __future__ import annotations

import json

import pytest
from shop_of_marts import TestShop, audience, day, keys_in, tree

from renqun.errors import RequestError
from renqun.publish.catalog import list_audiences
from renqun.publish.differences import diff
from renqun.publish.history import AudienceFolder
from renqun.publish.verify import verify
from renqun.publish.withdrawal import release, withdraw

CHAMPIONS = [f"c{number:02}" for number in range(20)]


def two_days(shop: TestShop) -> tuple[str, str]:
    """On the second day c18 and c19 leave and "new" comes."""
    (first,) = (shop.audiences / "champions" / f"as_of={day(0)}").glob("[0-9a-f]*")
    shop.warehouse.set_members("champions", [*CHAMPIONS[:18], "new"], day(1))
    second = shop.version_of(shop.publish_day(day(1)))
    return first.name, second.name


def latest(shop: TestShop) -> str | None:
    found = AudienceFolder(shop.audiences / "champions").pointer()
    return found.version if found else None


def test_the_pointer_goes_back_and_recall_says_whom_to_undo(published_shop: TestShop) -> None:
    first, second = two_days(published_shop)
    folder = published_shop.audiences / "champions" / f"as_of={day(1)}" / second
    before = tree(folder)
    record = withdraw(published_shop.home, "default", "champions", withdrawn_by="ann", reason="wrong export")
    assert latest(published_shop) == first
    place = published_shop.audiences / "champions" / "withdrawn" / second
    assert (place / "recall.csv").read_text(encoding="utf-8") == "customer_key\nnew\n"
    assert keys_in(place / "restore.parquet") == {"c18", "c19"}
    assert (record.recalled, record.restored, record.pointer_after) == (1, 2, first)
    assert tree(folder) == before, "the version itself is as it was"
    assert [failure.id for failure in verify(folder).failures] == ["withdrawn"]


def test_the_next_day_leads_on_from_the_version_before(published_shop: TestShop) -> None:
    first, _ = two_days(published_shop)
    withdraw(published_shop.home, "default", "champions", withdrawn_by="ann", reason="-")
    folder = published_shop.version_of(published_shop.publish_day(day(2)))
    previous = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["previous"]
    assert previous["version"] == first
    assert keys_in(folder / "added.parquet") == {"new"}


def test_a_withdrawn_version_does_not_come_back_by_itself(published_shop: TestShop) -> None:
    first, second = two_days(published_shop)
    withdraw(published_shop.home, "default", "champions", withdrawn_by="ann", reason="-")
    report = published_shop.publish_day(day(1))
    assert report.outcomes[0].status == "held_back"
    assert second in (report.outcomes[0].reason or "")
    assert latest(published_shop) == first
    release(published_shop.home, "default", "champions", day(1), released_by="ann", reason="it was right after all")
    published_shop.publish_day(day(1)).require_none_held_back()
    assert latest(published_shop) == second
    assert verify(published_shop.audiences / "champions" / "latest.json").passed


def test_the_only_version_withdrawn_takes_the_pointer_away(published_shop: TestShop) -> None:
    record = withdraw(published_shop.home, "default", "champions", withdrawn_by="ann", reason="-")
    assert latest(published_shop) is None
    assert (record.recalled, record.pointer_after) == (20, None)
    assert keys_in(published_shop.version_of(published_shop.publish_day(day(1))) / "added.parquet") == set(CHAMPIONS)


def test_an_older_version_withdrawn_leaves_the_pointer(published_shop: TestShop) -> None:
    first, second = two_days(published_shop)
    record = withdraw(published_shop.home, "default", "champions", first, withdrawn_by="ann", reason="-")
    assert latest(published_shop) == second
    assert record.recalled == 2  # c18 and c19 are not in what stands
    withdraw(published_shop.home, "default", "champions", second, withdrawn_by="ann", reason="-")
    assert latest(published_shop) is None, "the version before was withdrawn too"


def test_a_killed_withdrawal_is_finished_by_the_next(published_shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = two_days(published_shop)
    with monkeypatch.context() as patched:

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(AudienceFolder, "point_to", killed)
        with pytest.raises(KeyboardInterrupt):
            withdraw(published_shop.home, "default", "champions", withdrawn_by="ann", reason="-")
    assert latest(published_shop) == second
    assert withdraw(published_shop.home, "default", "champions", withdrawn_by="ann", reason="-").version == second
    assert latest(published_shop) == first


def test_what_is_not_there_cannot_be_withdrawn(published_shop: TestShop) -> None:
    with pytest.raises(RequestError, match="has no published version"):
        withdraw(published_shop.home, "default", "interest", withdrawn_by="ann", reason="-")
    first, second = two_days(published_shop)
    withdraw(published_shop.home, "default", "champions", second, withdrawn_by="ann", reason="-")
    with pytest.raises(RequestError, match="is withdrawn already"):
        withdraw(published_shop.home, "default", "champions", second, withdrawn_by="ann", reason="-")
    assert latest(published_shop) == first


def test_the_list_says_what_stands_and_what_waits(published_shop: TestShop) -> None:
    two_days(published_shop)
    published_shop.warehouse.set_members("champions", [], day(2))
    published_shop.publish_day(day(2))
    (summary,) = list_audiences(published_shop.home, "default", audiences=[audience()])
    assert (summary.as_of, summary.members, summary.versions) == (day(1), 19, 2)
    assert (summary.last_tried, summary.status) == (day(2), "held_back")
    assert summary.expires_on == day(8)
    (nothing,) = list_audiences(published_shop.home, "default", audiences=[audience("interest")])
    assert (nothing.version, nothing.status, nothing.versions) == (None, None, 0)


def test_a_diff_names_who_came_and_who_left(published_shop: TestShop) -> None:
    first, second = two_days(published_shop)
    found = diff(published_shop.home, "default", "champions")
    assert (found.older, found.newer) == (first, second)
    assert (found.added, found.removed) == (("new",), ("c18", "c19"))
    back = diff(published_shop.home, "default", "champions", second, first)
    assert (back.added, back.removed) == (("c18", "c19"), ("new",))
    with pytest.raises(RequestError, match="has no version 0000"):
        diff(published_shop.home, "default", "champions", "0000")
