"""A version of the marts is immutable, whole, the same for the same input, and visible only at the end."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from shop_of_marts import TestShop, day, rows_of, tree

from renqun.errors import RequestError, TechnicalError
from renqun.lock import exclusive
from renqun.publish import files, marts, parts, retention
from renqun.publish.manifest import VersionReference
from renqun.publish.reader import execute_query, open_marts
from renqun.publish.verify import verify
from renqun.publish.versions import find_marts, latest_marts, published_marts
from renqun.settings import Settings


def stable(root: Path) -> dict[str, bytes]:
    """Everything below a folder that must not depend on the run: all but `marts.duckdb` and the provenance."""
    found = {}
    for name, content in tree(root).items():
        if name.endswith("manifest.json"):
            manifest = json.loads(content)
            manifest.pop("provenance")
            found[name] = json.dumps(manifest).encode()
        elif not name.endswith("marts.duckdb"):
            found[name] = content
    return found


def test_a_version_holds_every_mart_and_verifies(shop: TestShop) -> None:
    version = shop.publish_marts(day(0))
    assert version.is_new
    assert version.is_latest
    assert {path.name for path in version.folder.iterdir()} == {
        "agg_segment_sizes__by_day.parquet",
        "customer_key_aliases.parquet",
        "dim_customers.parquet",
        "fct_orders.parquet",
        "fct_refunds.parquet",
        "fct_segment_memberships.parquet",
        "manifest.json",
        "marts.duckdb",
        "open.sql",
    }
    assert (shop.marts / "latest").resolve() == version.folder
    assert not os.path.isabs(os.readlink(shop.marts / "latest"))
    report = verify(shop.marts / "latest")
    assert report.passed, report.failures
    assert report.notes == []


def test_the_same_marts_are_published_once(shop: TestShop) -> None:
    shop.publish_marts(day(0))
    before = tree(shop.marts)
    again = shop.publish_marts(day(0), run_id="another run")
    assert not again.is_new
    assert tree(shop.marts) == before


@pytest.mark.parametrize("threads", [1, 4])
def test_bytes_depend_on_rows_only(
    tmp_path: Path, shop: TestShop, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.publish_marts(day(0))
    other = TestShop.at(tmp_path / "other")
    other.warehouse.spells = list(reversed(shop.warehouse.spells))
    other.warehouse.sessions = dict(reversed(shop.warehouse.sessions.items()))
    other.warehouse.paid_amounts = dict(reversed(shop.warehouse.paid_amounts.items()))
    monkeypatch.setenv("RENQUN_THREADS", str(threads))
    other.publish_marts(day(0), run_id="another run")
    assert stable(other.marts) == stable(shop.marts)


def test_another_amount_is_another_version(shop: TestShop) -> None:
    first = shop.publish_marts(day(0))
    shop.warehouse.paid_amounts["o1"] = "12.51"
    second = shop.publish_marts(day(0))
    assert second.version != first.version
    assert (shop.marts / "latest").resolve() == second.folder
    assert find_marts(shop.home.paths("default"), as_of=day(0)).version == second.version


def test_leftovers_of_dbt_are_not_published(shop: TestShop) -> None:
    manifest = shop.publish_marts(day(0)).manifest
    assert set(manifest.tables) == {
        "agg_segment_sizes__by_day",
        "customer_key_aliases",
        "dim_customers",
        "fct_orders",
        "fct_refunds",
        "fct_segment_memberships",
    }
    assert set(manifest.partitioned) == {"fct_events", "fct_sessions"}


def test_the_database_reads_as_an_analyst_reads_it(shop: TestShop) -> None:
    shop.publish_marts(day(0))
    file = shop.marts / "latest" / "marts.duckdb"
    readers = [duckdb.connect(str(file), read_only=True) for _ in range(2)]
    for reader in readers:
        expected = rows_of(reader, "select order_id, paid_amount from fct_orders order by order_id")
        assert [row[0] for row in expected] == ["o1", "o2"]
        assert rows_of(reader, "select order_id, paid_amount from marts.fct_orders order by order_id") == expected
        reader.close()
    with files.workbench() as connection:
        files.attach(connection, file, "published")
        tags = rows_of(connection, "select tags from duckdb_databases() where database_name = 'published'")
    assert tags[0][0]["storage_version"].startswith("v1.0.0")  # type: ignore[index]


def test_open_sql_works_from_the_folder_of_the_version(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    version = shop.publish_marts(day(0))
    monkeypatch.chdir(version.folder)
    with duckdb.connect() as connection:
        connection.execute(Path("open.sql").read_text(encoding="utf-8"))
        counts = rows_of(connection, "select session_date, count(*) from fct_sessions group by 1 order by 1")
        assert counts == [(day(-2), 3), (day(-1), 40), (day(0), 5)]
        assert rows_of(connection, "select count(*) from marts.fct_events") == [(0,)]
        assert len(rows_of(connection, "from marts.fct_orders")) == 2


def test_open_marts_reads_any_published_date_and_writes_nothing(shop: TestShop) -> None:
    shop.publish_marts(day(0))
    shop.warehouse.paid_amounts["o3"] = "1.00"
    shop.publish_marts(day(1))
    with open_marts(shop.home, "default") as latest, open_marts(shop.home, "default", day(0)) as first:
        assert rows_of(latest, "select count(*) from fct_orders") == [(3,)]
        assert rows_of(first, "select count(*) from marts.fct_orders") == [(2,)]
        assert rows_of(latest, "select count(*) from fct_sessions") == [(48,)]
        assert rows_of(latest, "select count(*) from quality_results") == [(0,)]
        with pytest.raises(duckdb.Error):
            latest.execute("delete from published.main.fct_orders")
    with pytest.raises(RequestError, match="were not published"):
        open_marts(shop.home, "default", day(9))


def test_a_reader_asks_one_query_and_nothing_else(shop: TestShop, tmp_path: Path) -> None:
    shop.publish_marts(day(0))
    target = tmp_path / "out.csv"
    with open_marts(shop.home, "default") as marts:
        assert execute_query(marts, "select 1 as one").fetchall() == [(1,)]
        assert execute_query(marts, "describe marts.fct_orders").fetchall()
        for text in (
            f"copy (select 1) to '{target}'",
            f"attach '{target}'",
            "select 1; select 2",
            "drop view fct_orders",
        ):
            with pytest.raises(RequestError, match="not one query"):
                execute_query(marts, text)
        with pytest.raises(RequestError, match="the query failed"):
            execute_query(marts, "select nothing from nowhere")
    assert not target.exists()


def test_nothing_published_says_so(shop: TestShop) -> None:
    with pytest.raises(RequestError, match="no version of the marts was published yet"):
        open_marts(shop.home, "default")


def test_only_touched_days_are_written_again(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.publish_marts(day(0))
    parts_before = {path.name: path.stat().st_ino for path in shop.marts.glob("parts/*/*.parquet")}
    written: list[date] = []
    original = parts._write_part

    def watched(connection, source, mart, at, *rest):  # type: ignore[no-untyped-def]
        written.append(at)
        return original(connection, source, mart, at, *rest)

    monkeypatch.setattr(parts, "_write_part", watched)
    shop.warehouse.sessions[day(1)] = 7
    version = shop.publish_marts(day(1), touched_dates={day(1)})
    assert written == [day(1)]
    parts_after = {path.name: path.stat().st_ino for path in shop.marts.glob("parts/*/*.parquet")}
    assert parts_before.items() <= parts_after.items()
    assert version.manifest.partitioned["fct_sessions"].rows == 55
    assert verify(version.folder).passed


def test_an_untouched_day_whose_rows_or_part_are_gone_is_written_again(shop: TestShop) -> None:
    shop.publish_marts(day(0))
    next(shop.marts.glob(f"parts/fct_sessions/{day(-1)}-*.parquet")).unlink()
    shop.warehouse.sessions[day(-2)] = 4
    version = shop.publish_marts(day(1), touched_dates=set())
    assert version.manifest.partitioned["fct_sessions"].rows == 49
    assert verify(version.folder).passed


def test_a_part_that_the_disk_has_damaged_is_not_handed_on(shop: TestShop) -> None:
    shop.publish_marts(day(0))
    part = next(shop.marts.glob(f"parts/fct_sessions/{day(-1)}-*.parquet"))
    sound = part.read_bytes()
    part.chmod(0o600)
    part.write_bytes(sound[:60] + bytes([sound[60] ^ 1]) + sound[61:])
    version = shop.publish_marts(day(1), touched_dates=set())
    assert part.read_bytes() == sound
    assert verify(version.folder).passed


def test_touched_days_and_all_days_give_the_same_parts(tmp_path: Path, shop: TestShop) -> None:
    shop.publish_marts(day(0))
    shop.warehouse.sessions[day(-1)] = 41
    touched = shop.publish_marts(day(1), touched_dates={day(-1), day(1)})
    other = TestShop.at(tmp_path / "other")
    other.warehouse = shop.warehouse
    other.warehouse.file = other.home.paths("default").warehouse
    everything = other.publish_marts(day(1))
    assert everything.manifest.partitioned == touched.manifest.partitioned
    assert everything.version == touched.version


def test_a_row_without_a_date_stops_the_publication(shop: TestShop) -> None:
    shop.warehouse.write(day(0))
    with duckdb.connect(str(shop.warehouse.file)) as connection:
        connection.execute("insert into marts.fct_events values ('default', 'e1', null, 'p')")
    with pytest.raises(TechnicalError, match="1 rows of fct_events have no event_date"):
        shop.publish_marts(day(0), write=False)
    assert latest_marts(shop.home.paths("default")) is None


def test_a_type_that_parquet_cannot_hold_stops_the_publication(shop: TestShop) -> None:
    shop.warehouse.write(day(0))
    with duckdb.connect(str(shop.warehouse.file)) as connection:
        connection.execute("create table marts.agg_new as select 1::hugeint as n")
    with pytest.raises(TechnicalError, match="columns of agg_new"):
        shop.publish_marts(day(0), write=False)


def test_a_past_build_leaves_latest_alone(shop: TestShop) -> None:
    newest = shop.publish_marts(day(3))
    on_purpose = shop.publish_marts(day(1), is_latest=False)
    late = shop.publish_marts(day(2))
    assert not on_purpose.is_latest
    assert not late.is_latest
    assert (shop.marts / "latest").resolve() == newest.folder


def test_first_version_of_a_past_build_makes_no_latest(shop: TestShop) -> None:
    shop.publish_marts(day(1), is_latest=False)
    assert not (shop.marts / "latest").exists()


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (parts, "_write_part"),
        (marts, "_write_table"),
        (marts, "write_database"),
        (marts, "open_script"),
        (marts, "to_text"),
        (files, "seal"),
        (marts, "point_link"),
    ],
)
def test_a_full_disk_at_any_step_leaves_latest_as_it_was(
    shop: TestShop, module: object, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shop.publish_marts(day(0))
    before = tree(first.folder)
    shop.warehouse.sessions[day(1)] = 2

    def full(*_: object, **__: object) -> None:
        raise FULL

    with monkeypatch.context() as patched:
        patched.setattr(module, step, full)
        with pytest.raises(TechnicalError, match="No space left on device"):
            shop.publish_marts(day(1))
    assert (shop.marts / "latest").resolve() == first.folder
    assert tree(first.folder) == before
    assert not list(shop.marts.rglob(".staging-*"))
    healed = shop.publish_marts(day(1))
    assert (shop.marts / "latest").resolve() == healed.folder
    assert verify(healed.folder).passed


KILLED_AT = """
import os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from shop_of_marts import TestShop, day
from renqun.publish import files, marts, parts
def die(*_, **__): os._exit(9)
module = dict(files=files, marts=marts, parts=parts)[sys.argv[2]]
setattr(module, sys.argv[3], die)
TestShop.at(Path(sys.argv[1])).publish_marts(day(1), write=False)
"""


@pytest.mark.parametrize(("module", "step"), [("marts", "write_database"), ("files", "seal"), ("marts", "point_link")])
def test_a_kill_leaves_nothing_half_published(shop: TestShop, module: str, step: str) -> None:
    first = shop.publish_marts(day(0))
    shop.warehouse.write(day(1))
    code = KILLED_AT.format(tests=str(Path(__file__).parent))
    killed = subprocess.run([sys.executable, "-c", code, str(shop.home.root), module, step], check=False)
    assert killed.returncode == 9
    assert (shop.marts / "latest").resolve() == first.folder
    for version in published_marts(shop.home.paths("default")):
        assert verify(version.folder).passed
    healed = shop.publish_marts(day(1))
    assert (shop.marts / "latest").resolve() == healed.folder
    assert not list(shop.marts.rglob(".staging-*"))


def test_a_busy_shop_is_left_alone(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENQUN_LOCK_TIMEOUT_SECONDS", "0")
    assert Settings().lock_timeout_seconds == 0
    with (
        exclusive(shop.home.paths("default").writer_lock, "a build"),
        pytest.raises(TechnicalError, match="another process is at work on this shop: a build"),
    ):
        shop.publish_marts(day(0))


def test_old_versions_expire_by_rule(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENQUN_KEEP_MARTS_VERSIONS", "2")
    shop.warehouse.sessions = {}
    days = [date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 2), date(2026, 2, 3)]
    for number, at in enumerate(days):
        shop.warehouse.sessions = {at: number + 1}
        shop.publish_marts(at)
    kept = [marts.as_of for marts in published_marts(shop.home.paths("default"))]
    # The two newest, and the last of January.
    assert kept == [date(2026, 1, 31), date(2026, 2, 2), date(2026, 2, 3)]
    assert {path.name[:10] for path in shop.marts.glob("parts/fct_sessions/*")} == {str(at) for at in kept}
    assert not (shop.marts / "as_of=2026-02-01").exists()


def test_a_version_in_use_does_not_expire(shop: TestShop) -> None:
    versions = [shop.publish_marts(day(number)) for number in range(4)]
    in_use = VersionReference(as_of=versions[1].as_of, version=versions[1].version)
    known = published_marts(shop.home.paths("default"))
    kept = retention.kept_versions(known, keep_newest=1, referenced={in_use})
    assert [marts.as_of for marts in kept] == [day(1), day(3)]


def test_marts_of_an_audience_in_use_are_kept_until_it_expires(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENQUN_KEEP_MARTS_VERSIONS", "1")
    shop.publish_day(day(0))
    shop.publish_marts(day(1))
    shop.publish_day(day(2))
    assert {marts.as_of for marts in published_marts(shop.home.paths("default"))} == {day(0), day(2)}
    # Seven days after day 0 its audience may be used for the last time.
    shop.publish_day(day(7))
    assert day(0) in {marts.as_of for marts in published_marts(shop.home.paths("default"))}
    shop.publish_marts(day(8))
    assert day(0) not in {marts.as_of for marts in published_marts(shop.home.paths("default"))}


def test_expiry_keeps_everything_while_a_manifest_is_unreadable(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RENQUN_KEEP_MARTS_VERSIONS", "1")
    folder = shop.version_of(shop.publish_day(day(0)))
    (folder / "manifest.json").chmod(0o644)
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    for number in (1, 2):
        shop.publish_marts(day(number))
    assert len(published_marts(shop.home.paths("default"))) == 3


def test_versions_cannot_be_written_by_mistake(shop: TestShop) -> None:
    version = shop.publish_marts(day(0))
    for file in [*version.folder.iterdir(), *shop.marts.glob("parts/*/*.parquet")]:
        assert file.stat().st_mode & 0o222 == 0, file


def test_a_newer_publication_keeps_an_open_reader(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENQUN_KEEP_MARTS_VERSIONS", "1")
    shop.publish_marts(day(0))
    with duckdb.connect(str((shop.marts / "latest").resolve() / "marts.duckdb"), read_only=True) as reader:
        shop.publish_marts(day(0) + timedelta(days=1))
        shop.publish_marts(day(0) + timedelta(days=2))
        assert len(rows_of(reader, "from fct_orders")) == 2
