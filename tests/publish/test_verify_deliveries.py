"""A forger who takes care of every digest still contradicts himself in what destinations got."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shop_of_marts import TestShop, audience, day

from renqun.publish import files, verify_deliveries
from renqun.publish.delivering import entry_of
from renqun.publish.destinations import DESTINATIONS
from renqun.publish.manifest import AudienceManifest, read_audience_manifest, to_text, with_version
from renqun.publish.verify import verify

PEOPLE = [f"c{number:02}" for number in range(20)]
GOES_TO = ["canonical", "tencent", "sms", "braze", "meta"]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second day of champions: two left and two came; meta takes no list of twenty."""
    shop = TestShop.at(tmp_path_factory.mktemp("home"))
    shop.warehouse.sessions = {day(0): 1}
    everybody = [*PEOPLE, "c20", "c21"]
    for one in everybody:
        shop.warehouse.contacts[one] = (f"+86138001380{one[1:]}", f"{one}@example.com")
    shop.warehouse.agree(everybody, "sms", "email", "ads")
    for number, people in enumerate((PEOPLE, everybody[2:])):
        shop.warehouse.set_members("champions", people, day(number))
        report = shop.publish_day(day(number), [audience(destinations=GOES_TO)])
    return shop.version_of(report)


@pytest.fixture
def version(published: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "copied"
    shutil.copytree(published, copied)
    for path in copied.rglob("*"):
        path.chmod(0o600)
    return copied


def forge(folder: Path, edit: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
    """Bring the manifest into accord with the files, after an edit of what it says of deliveries."""
    manifest = read_audience_manifest(folder)
    content = manifest.model_dump(mode="json")
    owners = {
        name: one
        for one, delivery in content["deliveries"].items()
        for name in (*delivery["full"], *delivery["append"], *delivery["reduce"])
    }
    edit(content)
    with files.workbench() as connection:
        for name in list(content["files"]):
            file = folder / name
            if not file.exists():
                del content["files"][name]
            elif owners.get(name) in DESTINATIONS:
                content["files"][name] = entry_of(connection, DESTINATIONS[owners[name]], file).model_dump(mode="json")
            elif file.suffix in (".csv", ".parquet"):
                facts = dataclasses.asdict(files.facts_of(connection, file))
                content["files"][name] = facts
    forged = with_version(AudienceManifest.model_validate(content))
    (folder / "manifest.json").write_text(to_text(forged), encoding="utf-8")


def told(**changes: Any) -> Callable[[Path], object]:
    """Only the manifest's words on the text messages change."""
    return lambda folder: forge(folder, lambda content: content["deliveries"]["sms"].update(changes))


def text(name: str, edit: Callable[[str], str], **changes: Any) -> Callable[[Path], object]:
    """A file changes, and the manifest with it."""

    def tamper(folder: Path) -> None:
        file = folder / name
        file.write_text(edit(file.read_text(encoding="utf-8")), encoding="utf-8")
        to = name.partition(".")[0].partition("_")[0]
        forge(folder, lambda content: content["deliveries"].get(to, {}).update(changes))

    return tamper


def contacted(query: str) -> Callable[[Path], object]:
    def tamper(folder: Path) -> None:
        file = folder / "contacted.parquet"
        with files.workbench() as connection:
            connection.execute(f"create table t as from read_parquet('{file}', hive_partitioning = false)")
            files.write_parquet(connection.sql(query), file)
        forge(folder)

    return tamper


def edited(edit: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    return lambda folder: forge(folder, edit)


def stowaway(folder: Path) -> None:
    (folder / "more.csv").write_text("phone\n13800138000\n", encoding="utf-8")
    forge(folder, lambda content: content["files"].update({"more.csv": content["files"]["added.csv"]}))


def without_changes(folder: Path) -> None:
    (folder / "tencent_append.zip").unlink()
    forge(folder, lambda content: content["deliveries"]["tencent"].update(append=[]))


def no_contacted(folder: Path) -> None:
    (folder / "contacted.parquet").unlink()
    forge(folder)


FORGERIES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a number more": (text("sms.txt", lambda it: it + "13900000000\n"), "counts_inconsistent"),
    "a number more, told": (
        text("sms.txt", lambda it: it + "13900000000\n", rows=21),
        "counts_inconsistent",
    ),
    "a number twice": (text("sms.txt", lambda it: it + it.splitlines()[-1] + "\n", rows=21), "duplicate_members"),
    "a stranger's key": (text("braze.csv", lambda it: it.replace("c05,", "x05,")), "delivery_inconsistent"),
    "another header": (text("braze.csv", lambda it: it.replace("external_id", "id")), "wrong_columns"),
    "fewer people": (told(people=19), "counts_inconsistent"),
    "fewer people, told": (told(people=19, held_back={"no_consent": 1}), "counts_inconsistent"),
    "a list and a refusal": (told(refused="too few"), "delivery_inconsistent"),
    "neither list nor refusal": (told(full=[]), "delivery_inconsistent"),
    "another destination's file": (told(full=["sms.txt", "braze.csv"]), "delivery_inconsistent"),
    "the members as a list": (told(full=["members.parquet"]), "delivery_inconsistent"),
    "a file that is not there": (told(full=["sms_001.txt"]), "missing_file"),
    "a longer name than allowed": (
        edited(lambda content: content["deliveries"]["tencent"].update(name="人" * 11)),
        "delivery_inconsistent",
    ),
    "a name that tells": (
        edited(lambda content: content["deliveries"]["meta"].update(name="champions")),
        "delivery_inconsistent",
    ),
    "changes that nobody is told of": (
        edited(lambda content: content["deliveries"]["tencent"].update(append=[])),
        "unexpected_file",
    ),
    "changes that are not there": (without_changes, "counts_inconsistent"),
    "changes the other way round": (
        edited(
            lambda content: content["deliveries"]["tencent"].update(
                append=["tencent_reduce.zip"], reduce=["tencent_append.zip"]
            )
        ),
        "removed_inconsistent",
    ),
    "an addition to no list": (
        edited(lambda content: content["deliveries"]["tencent"].update(full=[], refused="no more", rows=0)),
        "delivery_inconsistent",
    ),
    "changes of a first version": (edited(lambda content: content.update(previous=None)), "delivery_inconsistent"),
    "a destination that nobody speaks of": (
        edited(lambda content: content["deliveries"].pop("meta")),
        "delivery_inconsistent",
    ),
    "a destination that nobody knows": (
        edited(lambda content: content["deliveries"].update(fax=content["deliveries"].pop("meta"))),
        "delivery_inconsistent",
    ),
    "a destination that the audience lacks": (
        edited(lambda content: content.update(destinations=["canonical", "tencent", "braze", "meta"])),
        "delivery_inconsistent",
    ),
    "an exclusion list that writes": (
        edited(lambda content: content.update(purpose_kind="exclusion")),
        "delivery_inconsistent",
    ),
    "a file more": (stowaway, "unexpected_file"),
    "no word on who is written to": (no_contacted, "missing_file"),
    "somebody not counted": (contacted("from t where customer_key <> 'c07'"), "counts_inconsistent"),
    "a destination not counted": (contacted("from t where destination <> 'sms'"), "counts_inconsistent"),
    "a stranger counted": (
        contacted("select replace(customer_key, 'c07', 'x') as customer_key, destination from t"),
        "delivery_inconsistent",
    ),
    "somebody counted for another": (
        contacted("select replace(customer_key, 'c07', 'c08') as customer_key, destination from t"),
        "duplicate_members",
    ),
}


def test_an_untouched_copy_is_sound(version: Path) -> None:
    assert verify(version).failures == []
    forge(version)
    assert verify(version).failures == [], "the forger's tool alone leaves no trace"


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_delivery_contradicts_itself(version: Path, kind: str) -> None:
    tamper, expected = FORGERIES[kind]
    tamper(version)
    assert expected in {failure.id for failure in verify(version).failures}


def test_a_file_beyond_the_limits_of_its_destination_is_found(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = {
        "braze": dataclasses.replace(DESTINATIONS["braze"], bytes_per_file=100),
        "sms": dataclasses.replace(DESTINATIONS["sms"], rows_per_file=19),
    }
    monkeypatch.setattr(verify_deliveries, "DESTINATIONS", DESTINATIONS | limited)
    found = {(failure.subject, failure.message) for failure in verify(version).failures}
    assert found == {
        ("braze.csv", "the destination takes 100 bytes a file"),
        ("sms.txt", "the destination takes 19 rows a file"),
    }
