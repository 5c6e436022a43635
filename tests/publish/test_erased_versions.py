"""Published versions without a person: sound, whole, with recalls for everybody who was given them."""

from __future__ import annotations

import base64
import copy
import hashlib
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow.fs import LocalFileSystem
from shop_of_marts import TestShop, audience, day, keys_in, tree

from renqun.erase import versions
from renqun.erase.audiences import erase_from_audiences, remove_recalls, write_recalls
from renqun.erase.marts import erase_from_marts
from renqun.erase.search import Words
from renqun.erase.tally import Tallies
from renqun.persons.identifiers import Identifiers, sha256
from renqun.publish.history import AudienceFolder
from renqun.publish.manifest import read_audience_manifest, read_marts_manifest
from renqun.publish.mirror import mirror_audiences
from renqun.publish.objects import ObjectStore
from renqun.publish.verify import VerifyReport, verify
from renqun.publish.verify_objects import verify_url
from renqun.publish.versions import published_marts
from renqun.publish.withdrawal import withdraw
from renqun.settings import Shop

PEOPLE = [f"c{number:02}" for number in range(25)]
GONE = "c05"
PHONE, EMAIL = "+8613800138005", "c05@example.com"
WORDS = Words(
    Identifiers(
        phone_hash=frozenset({sha256(PHONE)}),
        email_hash=frozenset({sha256(EMAIL)}),
        customer_key=frozenset({GONE}),
        visitor_id=frozenset({"v3"}),
        written=frozenset({PHONE, EMAIL}),
    )
)
DESTINATIONS = ["canonical", "tencent", "oceanengine", "qianchuan", "wechat_pay", "klaviyo", "braze", "sms"]

DEFINITION = audience(destinations=DESTINATIONS, holdout="0.1")


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """Three days: the person is in, stays, and is gone; the last version is withdrawn. Tests get copies."""
    shop = TestShop.at(tmp_path_factory.mktemp("three-days") / "home")
    shop.warehouse.sessions = {day(-2): 3, day(-1): 40, day(0): 5}
    for one in PEOPLE:
        shop.warehouse.contacts[one] = (f"+86138001380{one[1:]}", f"{one}@example.com")
    shop.warehouse.agree(PEOPLE, "sms", "email", "ads")
    shop.warehouse.consents[("c06", "ads", "marketing")] = False
    for number, people in enumerate((PEOPLE[:20], PEOPLE[1:22], [one for one in PEOPLE[2:23] if one != GONE])):
        shop.warehouse.set_members("champions", people, day(number))
        shop.publish_day(day(number), [DEFINITION])
    latest = AudienceFolder(shop.audiences / "champions").latest()
    assert latest is not None
    withdraw(shop.home, "default", "champions", latest.version, withdrawn_by="ann", reason="-")
    return shop


@pytest.fixture
def shop(three_days: TestShop, tmp_path: Path) -> TestShop:
    """A copy of that shop."""
    shutil.copytree(three_days.home.root, tmp_path / "home", symlinks=True)
    copied = TestShop.at(tmp_path / "home")
    return TestShop(copied.home, replace(copy.deepcopy(three_days.warehouse), file=copied.warehouse.file))


def _erase(shop: TestShop) -> Tallies:
    tallies, paths = Tallies(), shop.home.paths("default")
    write_recalls(paths, WORDS, "f" * 16)
    erase_from_marts(paths, WORDS, "f" * 16, tallies)
    erase_from_audiences(paths, "default", WORDS, "f" * 16, tallies)
    return tallies


def _reports(shop: TestShop) -> list[VerifyReport]:
    folders = [one.folder for one in AudienceFolder(shop.audiences / "champions").versions()]
    folders += [one.folder for one in published_marts(shop.home.paths("default"))]
    return [verify(folder) for folder in folders]


def _faults(shop: TestShop) -> set[str]:
    """What is wrong with any version, but that one was withdrawn."""
    faults = [fault for one in _reports(shop) for fault in one.failures]
    return {f"{fault.id} {fault.subject}" for fault in faults if fault.id != "withdrawn"}


def _naming(shop: TestShop) -> list[str]:
    files = [path for path in shop.home.paths("default").root.joinpath("published").rglob("*") if path.is_file()]
    return [str(path) for path in files if "erasures" not in path.parts and WORDS.count_in(path)]


def test_the_object_store_follows(shop: TestShop, tmp_path: Path) -> None:
    store = ObjectStore(LocalFileSystem(), str(tmp_path / "bucket"), "s3://bucket")
    paths = shop.home.paths("default")
    mirror_audiences(paths, Shop(id="default"), store=store)
    there = [path for path in (tmp_path / "bucket").rglob("*") if path.is_file()]
    assert len([path for path in there if WORDS.count_in(path)]) > 10
    _erase(shop)
    remove_recalls(paths, "f" * 16)
    mirror_audiences(paths, Shop(id="default"), store=store, after_erasure=True)
    assert [path for path in (tmp_path / "bucket").rglob("*") if path.is_file() and WORDS.count_in(path)] == []
    found = verify_url("s3://bucket/default/audiences/champions/latest.json", store=store)
    assert found.failures == [], found.failures


def test_every_version_is_sound_without_the_person_and_keeps_its_name(shop: TestShop) -> None:
    names = sorted(path.name for path in shop.audiences.glob("champions/as_of=*/*"))
    members = {one.folder: keys_in(one.members_file) for one in AudienceFolder(shop.audiences / "champions").versions()}
    assert len(_naming(shop)) > 10
    assert _faults(shop) == set()
    tallies = _erase(shop)
    assert _naming(shop) == []
    assert _faults(shop) == set()
    assert sorted(path.name for path in shop.audiences.glob("champions/as_of=*/*")) == names
    for folder, before in members.items():
        assert keys_in(folder / "members.parquet") == before - {GONE}
    assert all(tally.found == tally.removed > 0 for tally in tallies.of.values())
    assert {note for one in _reports(shop) for note in one.notes if "erased" in note}


def test_the_manifest_says_how_many_rows_of_which_file(shop: TestShop) -> None:
    _erase(shop)
    first = read_audience_manifest(AudienceFolder(shop.audiences / "champions").versions()[0].folder)
    assert first.erasure is not None
    assert first.erasure.erasures == ("f" * 16,)
    once = set(first.files) - {"holdout.parquet", "removed.csv", "removed.parquet"}
    # Three of the destinations write to people.
    assert first.erasure.rows == dict.fromkeys(once, 1) | {"contacted.parquet": 3}
    marts = read_marts_manifest(published_marts(shop.home.paths("default"))[0].folder)
    assert marts.erasure is not None
    # One session of visitor v3 on every day that has more than three.
    assert marts.erasure.rows == {
        "dim_customers.parquet": 1, "fct_segment_memberships.parquet": 1, "fct_sessions": 2,
    }  # fmt: skip


def test_everybody_who_was_given_the_person_gets_a_recall(shop: TestShop) -> None:
    _erase(shop)
    place = shop.audiences / "champions" / "erasures" / ("f" * 16)
    mainland = PHONE[3:].encode()
    told = {path.name.partition("_recall")[0]: path for path in place.iterdir()}
    assert set(told) == set(DESTINATIONS)
    assert told["sms"].read_text().split() == [mainland.decode()]
    assert told["qianchuan"].read_text().split() == [hashlib.sha256(mainland).hexdigest()]
    with zipfile.ZipFile(told["tencent"]) as archive:
        assert archive.read(archive.namelist()[0]).split() == [hashlib.md5(mainland).hexdigest().encode()]
    assert hashlib.sha256(mainland).hexdigest().encode() in base64.b64decode(told["oceanengine"].read_bytes())
    assert GONE in told["canonical"].read_text()
    assert all(path.stat().st_mode & 0o077 == 0 for path in told.values())
    # Erasing again keeps them: they are there until somebody has served them.
    _erase(shop)
    assert {path.name for path in place.iterdir()} == {path.name for path in told.values()}
    assert remove_recalls(shop.home.paths("default"), "f" * 16) == 1
    assert not place.parent.exists()


def test_the_next_version_leads_on_from_what_is_left(shop: TestShop) -> None:
    _erase(shop)
    shop.warehouse.spells = [one for one in shop.warehouse.spells if one.customer != GONE]
    del shop.warehouse.contacts[GONE]
    shop.warehouse.set_members("champions", [one for one in PEOPLE[3:24] if one != GONE], day(3))
    folder = shop.version_of(shop.publish_day(day(3), [DEFINITION]))
    found = verify(folder)
    assert found.passed, found.failures
    assert GONE not in keys_in(folder / "removed.parquet")
    assert not WORDS.count_in(folder / "tencent_reduce.zip")


@pytest.mark.parametrize("place", [0, 2, 4])
def test_killed_in_the_middle_the_same_call_ends_what_was_begun(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    exchange, done = versions.exchange, []

    def killed_at_one(one: Path, other: Path) -> None:
        if len(done) == place:
            raise KeyboardInterrupt
        done.append(other)
        exchange(one, other)

    with monkeypatch.context() as patched:
        patched.setattr(versions, "exchange", killed_at_one)
        with pytest.raises(KeyboardInterrupt):
            _erase(shop)
    _erase(shop)
    assert _naming(shop) == []
    assert _faults(shop) == set()
    assert [name for name in tree(shop.home.root) if ".erased-" in name or ".staging-" in name] == []


def test_where_folders_cannot_change_places_a_killed_move_is_ended(shop: TestShop) -> None:
    version = AudienceFolder(shop.audiences / "champions").versions()[0].folder
    version.rename(version.with_name(f".erased-{version.name}"))
    _erase(shop)
    assert version.is_dir()
    assert _faults(shop) == set()


def test_a_note_of_an_erasure_hides_no_forgery(shop: TestShop) -> None:
    _erase(shop)
    folder = AudienceFolder(shop.audiences / "champions").versions()[0].folder
    file = folder / "manifest.json"
    text = file.read_text(encoding="utf-8")
    file.chmod(0o644)
    file.write_text(text.replace('"members": 18', '"members": 17').replace('"marketing"', '"service"'))
    assert {fault.id for fault in verify(folder).failures} >= {"wrong_version"}
