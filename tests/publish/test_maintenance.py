"""What has had its time goes, by rule; what stands, what a withdrawal goes back to and what was sent stay."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from shop_of_marts import TestShop, day, tree

from renqun.publish.history import AudienceFolder
from renqun.publish.verify import verify
from renqun.publish.versions import published_marts
from renqun.publish.withdrawal import withdraw
from renqun.settings import Keeping, Shop
from renqun.upkeep.compaction import compact, free_share
from renqun.upkeep.maintenance import MaintenanceReport, maintain

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEEPING = Keeping(marts_versions=2, audience_days=31, results_days=30, log_days=10, rejected_days=10)


def _maintained(shop: TestShop, *, dry_run: bool = False, keeping: Keeping = KEEPING) -> MaintenanceReport:
    return maintain(shop.home, Shop(id="default", keeping=keeping), now=NOW, dry_run=dry_run)


def _grow(shop: TestShop, *numbers: int, measured: bool = True) -> list[str]:
    """Publish some dates, somebody new on each; the names of the versions."""
    names = []
    for number in numbers:
        shop.warehouse.enter("champions", [f"n{number}"], day(number))
        names.append(shop.version_of(shop.publish_day(day(number))).name)
    if measured:
        _measure(shop, names)
    return names


def _measure(shop: TestShop, names: list[str]) -> None:
    """What a build notes of the versions whose people it has read."""
    with duckdb.connect(str(shop.home.paths("default").warehouse)) as connection:
        connection.execute("create table if not exists ops.audience_versions (audience_id varchar, version varchar)")
        for name in names:
            connection.execute("insert into ops.audience_versions values ('champions', ?)", [name])


def _standing(shop: TestShop) -> list[str]:
    return [one.version for one in AudienceFolder(shop.audiences / "champions").versions()]


def test_old_versions_go_and_what_is_needed_stays(shop: TestShop) -> None:
    names = _grow(shop, 0, 1, 60, 61)
    before = tree(shop.home.root)
    planned = _maintained(shop, dry_run=True)
    # Lock files say who held them last.
    after = tree(shop.home.root)
    assert {name for name in before if before[name] != after.get(name) and not name.endswith(".lock")} <= {
        "default/warehouse/renqun.duckdb"
    }
    done = _maintained(shop)
    assert [one.path for one in planned.removals] == [one.path for one in done.removals]
    # Of the two old dates none is latest, nor what the latest would go back to.
    assert _standing(shop) == names[2:]
    assert [one.as_of for one in published_marts(shop.home.paths("default"))] == [day(1), day(60), day(61)]
    assert {one.rule for one in done.removals} == {"audience_days", "marts_versions"}
    assert all(verify(folder.folder).passed for folder in AudienceFolder(shop.audiences / "champions").versions())
    assert _maintained(shop).removals == []


def test_a_withdrawal_still_finds_what_it_goes_back_to(shop: TestShop) -> None:
    names = _grow(shop, 0, 1, 90)
    shop.publish_marts(day(91))
    _measure(shop, names)
    _maintained(shop)
    assert _standing(shop) == names[1:]
    withdraw(shop.home, "default", "champions", withdrawn_by="ming", reason="test")
    pointer = AudienceFolder(shop.audiences / "champions").pointer()
    assert pointer is not None
    assert pointer.version == names[1]
    # Now the old one stands, and is kept however old it is.
    _maintained(shop)
    assert names[1] in _standing(shop)


def test_a_version_that_no_build_has_read_stays(shop: TestShop) -> None:
    names = _grow(shop, 0, 1, 90, 91, measured=False)
    _maintained(shop)
    assert _standing(shop) == names


def test_what_was_sent_is_remembered_for_ever(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    names = _grow(shop, 0, 1, 90, 91)
    first = AudienceFolder(shop.audiences / "champions").load(day(0), names[0])
    entry = first.manifest.model_copy(update={"trigger": _Rows(1)})
    load = AudienceFolder._load

    def with_a_list(self: AudienceFolder, folder: Path):
        found = load(self, folder)
        return type(found)(found.folder, entry, found.is_withdrawn) if folder.name == names[0] else found

    monkeypatch.setattr(AudienceFolder, "_load", with_a_list)
    _maintained(shop)
    assert _standing(shop) == [names[0], *names[2:]]


class _Rows:
    """A list of messages, as far as maintenance looks at it."""

    def __init__(self, rows: int) -> None:
        self.rows = rows


def test_results_logs_and_leftovers_go_by_their_age(published_shop: TestShop) -> None:
    paths = published_shop.home.paths("default")
    old, new = (paths.quality / "results" / str(day(-one)) / "run" / "a.json" for one in (31, 30))
    logs = published_shop.home.airflow / "embedded" / "logs" / "default"
    aged = {
        logs / "old.log": 11,
        logs / "new.log": 9,
        paths.raw / "rejected" / "aaa" / "x.csv": 11,
        paths.raw / "rejected" / "bbb" / "x.csv": 9,
        paths.raw / "incoming" / "ccc.parquet": 15,
        paths.raw / "incoming" / "ddd.parquet": 13,
        paths.warehouse_dir / "scratch" / "eee" / "renqun.duckdb": 8,
        paths.warehouse_dir / "publish" / str(day(-9)) / "recipients.parquet": 0,
        paths.quality / "erasures" / "f.json": 999,
    }
    for file in (old, new, *aged):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
    for name in ("ccc", "ddd"):
        (paths.raw / "incoming" / f"{name}.json").write_text("{}")
    for file, days in aged.items():
        then = (NOW - timedelta(days=days)).timestamp()
        os.utime(file, (then, then))
        os.utime(file.parent, (then, then))
    _maintained(published_shop)
    assert [file.exists() for file in (old, new)] == [False, True]
    assert [file.exists() for file in aged] == [False, True, False, True, False, True, False, False, True]


def test_files_of_the_drop_folder_that_hold_erased_people_go(
    published_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = published_shop.home.paths("default").landing / "orders" / "2026-03-01"
    landing.mkdir(parents=True)
    (landing / "with.csv").write_text("somebody")
    (landing / "without.csv").write_text("nobody")
    lost = {hashlib.sha256(b"somebody").hexdigest()[:16]}
    monkeypatch.setattr("renqun.upkeep.maintenance.batches_that_lost_rows", lambda paths: lost)
    done = _maintained(published_shop)
    assert [path.name for path in landing.iterdir()] == ["without.csv"]
    assert [one.rule for one in done.removals] == ["erased_people"]


def test_the_warehouse_gives_its_free_pages_back_and_keeps_its_rows(tmp_path: Path) -> None:
    warehouse = tmp_path / "renqun.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.kept as select i, md5(i::varchar) as t from range(9) as r(i)")
        connection.execute("create table gone as select md5(i::varchar) as a from range(500000) as r(i)")
        connection.execute("create view seen as select * from renqun.marts.kept")
        connection.execute("checkpoint; drop table gone; checkpoint")
    before = warehouse.stat().st_size
    assert free_share(warehouse) > 0.5
    assert compact(warehouse) < before / 2
    assert free_share(warehouse) < 0.1
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        assert connection.execute("select count(*), max(i) from seen").fetchall() == [(9, 8)]
    assert [path.name for path in tmp_path.iterdir()] == ["renqun.duckdb"]


def test_a_rule_that_would_forget_too_soon_is_refused() -> None:
    with pytest.raises(ValueError, match="audience_days"):
        Keeping(audience_days=30)
