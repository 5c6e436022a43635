"""Audiences become visible one by one, whole, audited, and lead on from what was published before."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop_of_marts import TestShop, audience, day, keys_in, pass_gate, tree

from renqun.errors import GateFailed, RequestError, TechnicalError
from renqun.publish import promotion, writing
from renqun.publish.definitions import DEFINITIONS_FOLDER, load_audience, load_audiences
from renqun.publish.history import AudienceFolder, Outcome
from renqun.publish.promotion import PromotionReport, promote
from renqun.publish.selection import WorkFolder, select_members, size_alarm
from renqun.publish.verify import verify
from renqun.publish.withdrawal import release, withdraw
from renqun.publish.writing import write_files

CHAMPIONS = [f"c{number:02}" for number in range(20)]


def outcome_of(report: PromotionReport, audience_id: str = "champions") -> Outcome:
    return next(one for one in report.outcomes if one.audience_id == audience_id)


def pointer(shop: TestShop, audience_id: str = "champions") -> dict[str, str] | None:
    file = shop.audiences / audience_id / "latest.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def manifest(folder: Path) -> dict[str, object]:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_the_project_defines_its_audiences_with_sound_names() -> None:
    groups = {"champions", "interest", "key_operating", "key_winback", "new_customer", "repurchase"}
    timed = {
        "birthday", "cart_abandoners", "interest_recall", "item_launch", "post_receipt", "repurchase_due",
        "tier_change", "unpaid_orders", "welcome",
    }  # fmt: skip
    others = {"churn_risk", "recent_buyers", "winback_high_value"}
    defined = load_audiences()
    assert {one.id for one in defined} == groups | timed | others
    assert {one.id for one in defined if one.trigger} == timed
    assert [one.id for one in defined if one.purpose.kind == "exclusion"] == ["recent_buyers"]
    assert load_audience("interest").needs == ("traffic",)
    # Of two plays that could write to a person, one comes first: no two share a rank.
    ranks = [one.priority for one in defined if one.id in timed | others - {"recent_buyers"}]
    assert len(set(ranks)) == len(ranks) == 11


def test_every_audience_of_the_project_says_its_holdout() -> None:
    groups = {"interest", "new_customer", "repurchase", "key_operating", "champions", "key_winback"}
    for one in load_audiences():
        text = (DEFINITIONS_FOLDER / f"{one.id}.yml").read_text(encoding="utf-8")
        if one.purpose.kind == "exclusion":
            assert "holdout" not in text, one.id
        else:
            assert "\nholdout: " in text, one.id
            assert (one.holdout == 0) == (one.id in groups), one.id


def test_a_first_version_adds_everybody(shop: TestShop) -> None:
    folder = shop.version_of(shop.publish_day(day(0)))
    assert {path.name for path in folder.iterdir()} == {
        "members.parquet",
        "canonical.csv",
        "added.parquet",
        "added.csv",
        "removed.parquet",
        "removed.csv",
        "holdout.parquet",
        "manifest.json",
    }
    lines = (folder / "canonical.csv").read_bytes().decode("utf-8").split("\n")
    assert lines[:2] == ["customer_key,entered_on", "c00,2026-03-01"]
    assert len(lines) == 22  # header, twenty people, and the end of the last line
    assert keys_in(folder / "added.parquet") == set(CHAMPIONS)
    assert keys_in(folder / "removed.parquet") == set()
    found = pointer(shop)
    assert found is not None
    assert found["path"] == f"as_of={day(0)}/{folder.name}"
    report = verify(shop.audiences / "champions" / "latest.json")
    assert report.passed, report.failures


def test_an_identical_rerun_creates_nothing(published_shop: TestShop) -> None:
    before = tree(published_shop.home.paths("default").root / "published")
    again = published_shop.publish_day(day(0))
    assert again.new_versions == ()
    assert tree(published_shop.home.paths("default").root / "published") == before


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, shop: TestShop) -> None:
    other = TestShop.at(tmp_path / "other")
    other.warehouse.spells = list(reversed(shop.warehouse.spells))
    other.warehouse.sessions = shop.warehouse.sessions
    left, right = shop.version_of(shop.publish_day(day(0))), other.version_of(other.publish_day(day(0)))
    assert left.name == right.name
    assert tree(left) == tree(right)


def test_the_members_are_those_inside_on_the_date_without_the_excluded(shop: TestShop) -> None:
    shop.warehouse.leave("champions", ["c00"], day(1))
    shop.warehouse.enter("champions", ["late"], day(5))
    shop.warehouse.enter("new_customer", ["c01", "other"], day(0))
    definition = audience(exclude=[{"segment": "new_customer"}])
    shop.publish_marts(day(1))
    folder = shop.version_of(shop.publish_audiences(day(1), [definition]))
    # c00 has left, c01 is excluded, "late" has not come yet.
    assert keys_in(folder / "members.parquet") == set(CHAMPIONS) - {"c00", "c01"}


def test_a_segment_that_the_marts_do_not_have_is_an_error(shop: TestShop) -> None:
    shop.publish_marts(day(0))
    with pytest.raises(RequestError, match="the marts do not have: champion"):
        select_members(shop.ctx(day(0)), audiences=[audience("a", include={"segment": "champion"})])


def test_a_date_without_marts_is_an_error(shop: TestShop) -> None:
    shop.publish_marts(day(0))
    with pytest.raises(RequestError, match="marts as of 2026-03-02 were not published"):
        select_members(shop.ctx(day(1)))


PEOPLE = st.frozensets(st.sampled_from([f"p{number}" for number in range(6)]), min_size=1)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(PEOPLE, min_size=3, max_size=3))
def test_added_and_removed_lead_from_one_day_to_the_next(
    days: list[frozenset[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    shop = TestShop.at(tmp_path_factory.mktemp("days"))
    published: set[str] = set()
    for number, people in enumerate(days):
        shop.warehouse.set_members("champions", people, day(number))
        folder = shop.version_of(shop.publish_day(day(number)))
        added, removed = keys_in(folder / "added.parquet"), keys_in(folder / "removed.parquet")
        assert removed <= published, "only people published before are removed"
        published = (published - removed) | added
        assert published == set(people) == keys_in(folder / "members.parquet")
        assert verify(folder).passed


def test_a_corrected_day_leads_on_from_what_was_delivered(shop: TestShop) -> None:
    first = shop.publish_day(day(0))
    shop.warehouse.set_members("champions", [*CHAMPIONS[1:], "new"], day(0))
    corrected = shop.version_of(shop.publish_day(day(0)))
    assert corrected.name != outcome_of(first).version
    assert keys_in(corrected / "added.parquet") == {"new"}
    assert keys_in(corrected / "removed.parquet") == {"c00"}
    assert pointer(shop)["version"] == corrected.name  # type: ignore[index]
    # Back to the first content: its old version leads on from nothing, so that a new one is needed.
    shop.warehouse.set_members("champions", CHAMPIONS, day(0))
    back = shop.version_of(shop.publish_day(day(0)))
    assert back.name not in {outcome_of(first).version, corrected.name}
    assert keys_in(back / "removed.parquet") == {"new"}


def test_the_pointer_never_moves_back(shop: TestShop) -> None:
    shop.publish_day(day(3))
    newest = pointer(shop)
    shop.warehouse.set_members("champions", CHAMPIONS[:15], day(0))
    shop.publish_marts(day(1), is_latest=False)
    report = shop.publish_audiences(day(1), [audience()])
    assert outcome_of(report).status == "published"
    assert pointer(shop) == newest
    assert manifest(shop.version_of(report))["previous"] is None
    before = tree(shop.audiences)
    again = shop.publish_audiences(day(1), [audience()])
    assert again.new_versions == ()
    assert tree(shop.audiences) == before


def test_a_past_build_on_purpose_makes_no_pointer(shop: TestShop) -> None:
    shop.publish_marts(day(1), is_latest=False)
    shop.publish_audiences(day(1), [audience()], move_pointer=False)
    assert pointer(shop) is None


def test_an_audience_without_its_export_does_not_apply(shop: TestShop) -> None:
    shop.warehouse.groups = ("orders",)
    report = shop.publish_day(day(0), [audience(), audience("interest", needs=["traffic"])])
    outcome = outcome_of(report, "interest")
    assert (outcome.status, outcome.reason) == ("not_applicable", "the shop has no export of: traffic")
    assert pointer(shop, "interest") is None
    assert pointer(shop) is not None
    report.require_none_held_back()


def test_an_audience_that_never_had_members_is_published_empty(shop: TestShop) -> None:
    report = shop.publish_day(day(0), [audience("key_winback")])
    outcome = outcome_of(report, "key_winback")
    assert (outcome.status, outcome.members, outcome.reason) == ("empty", 0, "nobody is in it")
    folder = shop.version_of(report, "key_winback")
    assert manifest(folder)["status"] == "empty"
    assert (folder / "canonical.csv").read_text(encoding="utf-8") == "customer_key,entered_on\n"
    assert verify(folder).passed
    report.require_none_held_back()


@pytest.mark.parametrize(
    ("previous", "current", "alarm"),
    [
        (0, 0, None),
        (0, 999, None),
        (9, 90, None),  # below min_previous the share says nothing
        (1, 0, "had 1 members and is suddenly empty"),
        (10, 15, None),  # exactly the window
        (10, 16, "more than its window of 50% allows"),
        (10, 5, None),
        (10, 4, "more than its window of 50% allows"),
    ],
)
def test_a_change_beyond_the_window_is_an_alarm(previous: int, current: int, alarm: str | None) -> None:
    found = size_alarm(audience(), previous, current)
    assert (found is None) if alarm is None else (alarm in (found or ""))


@pytest.mark.parametrize("left", [[], CHAMPIONS[:3]])
def test_a_sudden_change_is_held_back_until_it_is_released(shop: TestShop, left: list[str]) -> None:
    definitions = [audience(), audience("interest")]
    shop.warehouse.enter("interest", ["i1"], day(0))
    shop.publish_day(day(0), definitions)
    before = pointer(shop)
    shop.warehouse.set_members("champions", left, day(1))
    report = shop.publish_day(day(1), definitions)
    held = outcome_of(report)
    assert held.status == "held_back"
    assert held.members == len(left)
    assert pointer(shop) == before
    assert outcome_of(report, "interest").status == "published", "the others go out"
    with pytest.raises(GateFailed, match="champions: it") as stopped:
        report.require_none_held_back()
    assert stopped.value.exit_code == 1
    assert not list(shop.audiences.rglob(".staging-*"))

    with pytest.raises(RequestError, match="nothing of the audience"):
        release(shop.home, "default", "champions", day(0), released_by="ann", reason="-")
    release(shop.home, "default", "champions", day(1), released_by="ann", reason="end of a campaign")
    released = shop.publish_day(day(1), definitions)
    released.require_none_held_back()
    folder = shop.version_of(released)
    assert keys_in(folder / "removed.parquet") == set(CHAMPIONS) - set(left)
    assert outcome_of(released).status == ("published" if left else "empty")
    assert verify(folder).passed


def test_a_release_holds_for_the_people_that_were_looked_at_only(published_shop: TestShop) -> None:
    published_shop.warehouse.set_members("champions", CHAMPIONS[:3], day(1))
    published_shop.publish_day(day(1))
    release(published_shop.home, "default", "champions", day(1), released_by="ann", reason="-")
    published_shop.warehouse.set_members("champions", CHAMPIONS[:1], day(1))
    assert outcome_of(published_shop.publish_day(day(1))).status == "held_back"


def test_a_failed_gate_holds_back_its_audience_only(shop: TestShop) -> None:
    shop.warehouse.enter("interest", ["i1"], day(0))
    shop.publish_marts(day(0))
    report = shop.publish_audiences(day(0), [audience(), audience("interest")], failing=["champions"])
    assert outcome_of(report).reason == "the gate found something"
    assert pointer(shop) is None
    assert pointer(shop, "interest") is not None


@pytest.mark.parametrize("skipped", ["audience", "published"])
def test_nothing_is_published_when_a_gate_is_skipped(shop: TestShop, skipped: str) -> None:
    shop.publish_marts(day(0))
    ctx = shop.ctx(day(0))
    select_members(ctx, audiences=[audience()])
    if skipped != "audience":
        pass_gate(ctx, "audience")
    write_files(ctx)
    if skipped != "published":
        pass_gate(ctx, "published")
    report = promote(ctx)
    assert outcome_of(report).status == "held_back"
    assert "was not asked" in (outcome_of(report).reason or "")
    assert pointer(shop) is None


def test_files_changed_after_their_gate_are_not_published(shop: TestShop) -> None:
    shop.publish_marts(day(0))
    ctx = shop.ctx(day(0))
    select_members(ctx, audiences=[audience()])
    pass_gate(ctx, "audience")
    staging = write_files(ctx).written["champions"]
    pass_gate(ctx, "published")
    with (staging / "canonical.csv").open("a", encoding="utf-8") as stream:
        stream.write("intruder,2026-03-01\n")
    with pytest.raises(TechnicalError, match="files of champions"):
        promote(ctx)
    assert pointer(shop) is None


def test_a_pointer_moved_by_somebody_else_stops_the_promotion(published_shop: TestShop) -> None:
    published_shop.warehouse.set_members("champions", CHAMPIONS[:18], day(1))
    published_shop.publish_marts(day(1))
    ctx = published_shop.ctx(day(1))
    select_members(ctx, audiences=[audience()])
    pass_gate(ctx, "audience")
    write_files(ctx)
    pass_gate(ctx, "published")
    withdraw(published_shop.home, "default", "champions", withdrawn_by="ann", reason="-")
    with pytest.raises(TechnicalError, match="published or withdrawn by somebody else"):
        promote(ctx)


def test_promotion_can_be_cleared_and_run_again(published_shop: TestShop) -> None:
    before = tree(published_shop.audiences)
    again = promote(published_shop.ctx(day(0)))
    assert outcome_of(again).status == "published"
    assert tree(published_shop.audiences) == before


def test_steps_out_of_order_say_so(shop: TestShop) -> None:
    shop.publish_marts(day(0))
    with pytest.raises(RequestError, match="no members were selected for this date"):
        write_files(shop.ctx(day(0)))


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (writing, "write_list"),
        (writing, "to_text"),
        (promotion, "to_text"),
        (promotion.files, "seal"),
        (AudienceFolder, "record"),
        (AudienceFolder, "point_to"),
    ],
)
def test_a_full_disk_at_any_step_leaves_the_pointer_as_it_was(
    published_shop: TestShop, module: object, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pointer(published_shop)
    published_shop.warehouse.set_members("champions", CHAMPIONS[:18], day(1))
    published_shop.publish_marts(day(1))

    def full(*_: object, **__: object) -> None:
        raise FULL

    with monkeypatch.context() as patched:
        patched.setattr(module, step, full)
        with pytest.raises(TechnicalError, match="No space left on device"):
            published_shop.publish_audiences(day(1), [audience()])
    assert pointer(published_shop) == before
    assert verify(published_shop.audiences / "champions" / "latest.json").passed
    healed = published_shop.version_of(published_shop.publish_audiences(day(1), [audience()]))
    assert pointer(published_shop)["version"] == healed.name  # type: ignore[index]
    assert verify(healed).passed
    assert not list(published_shop.audiences.rglob(".staging-*"))


KILLED_AT = """
import os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from shop_of_marts import TestShop, audience, day
from renqun.publish import promotion, writing
from renqun.publish.history import AudienceFolder
def die(*_, **__): os._exit(9)
setattr(dict(promotion=promotion, writing=writing, folder=AudienceFolder)[sys.argv[2]], sys.argv[3], die)
TestShop.at(Path(sys.argv[1])).publish_audiences(day(1), [audience()])
"""


@pytest.mark.parametrize(
    ("module", "step"), [("writing", "with_version"), ("promotion", "to_text"), ("folder", "point_to")]
)
def test_a_kill_leaves_nothing_half_published(published_shop: TestShop, module: str, step: str) -> None:
    before = pointer(published_shop)
    published_shop.warehouse.set_members("champions", CHAMPIONS[:18], day(1))
    published_shop.publish_marts(day(1))
    code = KILLED_AT.format(tests=str(Path(__file__).parent))
    killed = subprocess.run([sys.executable, "-c", code, str(published_shop.home.root), module, step], check=False)
    assert killed.returncode == 9
    assert pointer(published_shop) == before
    healed = published_shop.version_of(published_shop.publish_audiences(day(1), [audience()]))
    assert pointer(published_shop)["version"] == healed.name  # type: ignore[index]
    assert keys_in(healed / "removed.parquet") == {"c18", "c19"}
    assert verify(healed).passed
    assert not list(published_shop.audiences.rglob(".staging-*"))


def test_the_work_folder_forgets_older_dates(published_shop: TestShop) -> None:
    published_shop.publish_day(day(1))
    assert not WorkFolder.of(published_shop.ctx(day(0))).root.exists()
