"""What was published is read once, in any order, and only as long as it stands."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published_lists import Published, write_list

from renqun.settings import Home, ShopPaths
from renqun.warehouse import exposures
from renqun.warehouse.exposures import load_exposures


@pytest.fixture
def paths(tmp_path: Path) -> ShopPaths:
    return Home(tmp_path).paths("default")


@pytest.fixture
def published(paths: ShopPaths) -> Published:
    return Published(paths.published_audiences)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def exposed(warehouse: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    """(audience, customer, exposed on) → (entered on, is holdout, share)."""
    rows = warehouse.execute(
        "select audience_id, customer_key, cast(exposed_on as varchar), cast(entered_on as varchar), is_holdout,"
        " cast(holdout_share as double) from ops.audience_exposures"
    ).fetchall()
    found = {row[:3]: row[3:] for row in rows}
    assert len(found) == len(rows), "somebody is exposed twice on a date"
    return found


def test_a_person_is_exposed_on_the_first_date_and_again_after_an_absence(
    warehouse: duckdb.DuckDBPyConnection, paths: ShopPaths, published: Published
) -> None:
    published.version("a", "2026-03-01", [("p", "2026-02-20")])
    published.version("a", "2026-03-02", [("p", "2026-02-20"), ("q", "2026-03-02")])
    published.version("a", "2026-03-03", [("q", "2026-03-02")])
    published.version("a", "2026-03-04", [("p", "2026-03-04"), ("q", "2026-03-04")])  # q's rule knows no date
    assert load_exposures(warehouse, paths) == 4
    assert exposed(warehouse) == {
        ("a", "p", "2026-03-01"): ("2026-02-20", False, 0),
        ("a", "q", "2026-03-02"): ("2026-03-02", False, 0),
        ("a", "p", "2026-03-04"): ("2026-03-04", False, 0),
    }
    assert load_exposures(warehouse, paths) == 0


def test_who_is_held_out_is_told_with_the_planned_share(
    warehouse: duckdb.DuckDBPyConnection, paths: ShopPaths, published: Published
) -> None:
    published.version("a", "2026-03-01", [("p", "2026-03-01")], [("h", "2026-03-01")], share="0.1")
    load_exposures(warehouse, paths)
    assert exposed(warehouse) == {
        ("a", "p", "2026-03-01"): ("2026-03-01", False, 0.1),
        ("a", "h", "2026-03-01"): ("2026-03-01", True, 0.1),
    }


def test_a_holdout_that_comes_later_measures_nobody_who_was_in_before(
    warehouse: duckdb.DuckDBPyConnection, paths: ShopPaths, published: Published
) -> None:
    published.version("a", "2026-03-01", [("p", "2026-03-01"), ("h", "2026-03-01")])
    published.version(
        "a", "2026-03-02", [("p", "2026-03-01")], [("h", "2026-03-01"), ("new", "2026-03-02")], share="0.5"
    )
    load_exposures(warehouse, paths)
    # h was in the list of 1 March: what came of that is not the work of having been left alone.
    assert exposed(warehouse)[("a", "h", "2026-03-01")] == ("2026-03-01", False, 0)
    assert exposed(warehouse)[("a", "new", "2026-03-02")] == ("2026-03-02", True, 0.5)
    assert len(exposed(warehouse)) == 3


def test_two_versions_of_a_date_are_one_list_and_the_holdout_wins(
    warehouse: duckdb.DuckDBPyConnection, paths: ShopPaths, published: Published
) -> None:
    published.version("a", "2026-03-01", [("p", "2026-03-01"), ("h", "2026-03-01")])
    published.version("a", "2026-03-01", [("p", "2026-03-01")], [("h", "2026-03-01")], share="0.5")
    load_exposures(warehouse, paths)
    assert exposed(warehouse)[("a", "h", "2026-03-01")] == ("2026-03-01", True, 0.5)


def test_audiences_do_not_meet_and_exclusion_lists_expose_nobody(
    warehouse: duckdb.DuckDBPyConnection, paths: ShopPaths, published: Published
) -> None:
    published.version("a", "2026-03-01", [("p", "2026-03-01")])
    published.version("b", "2026-03-02", [("p", "2026-03-02")])
    published.version("buyers", "2026-03-02", [("p", "2026-03-02")], purpose_kind="exclusion")
    assert load_exposures(warehouse, paths) == 3
    assert set(exposed(warehouse)) == {("a", "p", "2026-03-01"), ("b", "p", "2026-03-02")}
    assert load_exposures(warehouse, paths) == 0, "an exclusion list is not read again every day"


def test_an_older_version_published_late_moves_the_exposure_back(
    warehouse: duckdb.DuckDBPyConnection, paths: ShopPaths, published: Published
) -> None:
    published.version("a", "2026-03-01", [("p", "2026-03-01")])
    published.version("a", "2026-03-03", [("p", "2026-03-01"), ("q", "2026-03-02")])
    load_exposures(warehouse, paths)
    assert ("a", "q", "2026-03-03") in exposed(warehouse)
    published.version("a", "2026-03-02", [("p", "2026-03-01"), ("q", "2026-03-02")])
    assert load_exposures(warehouse, paths) == 1
    assert set(exposed(warehouse)) == {("a", "p", "2026-03-01"), ("a", "q", "2026-03-02")}


def test_what_a_withdrawn_version_exposed_is_taken_back(
    warehouse: duckdb.DuckDBPyConnection, paths: ShopPaths, published: Published
) -> None:
    published.version("a", "2026-03-01", [("p", "2026-03-01")])
    wrong = published.version("a", "2026-03-02", [("p", "2026-03-01"), ("q", "2026-03-02"), ("r", "2026-03-02")])
    published.version("a", "2026-03-03", [("p", "2026-03-01"), ("r", "2026-03-02")])
    load_exposures(warehouse, paths)
    published.withdraw(wrong)
    assert load_exposures(warehouse, paths) == 1
    # r is in the list of 3 March as well; q is in none that stands.
    assert set(exposed(warehouse)) == {("a", "p", "2026-03-01"), ("a", "r", "2026-03-03")}
    assert load_exposures(warehouse, paths) == 0
    shutil.rmtree(wrong.parents[1] / "withdrawn")  # released, it goes out again
    assert load_exposures(warehouse, paths) == 1
    assert ("a", "q", "2026-03-02") in exposed(warehouse)


def test_removed_folders_take_nothing_along(
    warehouse: duckdb.DuckDBPyConnection, paths: ShopPaths, published: Published
) -> None:
    for day in (1, 2):
        published.version("a", f"2026-03-0{day}", [("p", "2026-03-01")])
    load_exposures(warehouse, paths)
    shutil.rmtree(paths.published_audiences / "a")
    published.version("a", "2026-03-03", [("p", "2026-03-01"), ("q", "2026-03-03")])
    load_exposures(warehouse, paths)
    # With no list left to compare with, whoever was exposed before goes on.
    assert set(exposed(warehouse)) == {("a", "p", "2026-03-01"), ("a", "q", "2026-03-03")}


def _alter_members(folder: Path) -> None:
    write_list(folder / "members.parquet", [("stranger", "2026-03-02")])


def _lose_members(folder: Path) -> None:
    (folder / "members.parquet").unlink()


def _lose_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _break_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"audience_id": "a"', encoding="utf-8")


def _borrow_manifest(folder: Path) -> None:
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    (folder / "manifest.json").write_text(text.replace("2026-03-02", "2026-03-01"), encoding="utf-8")


@pytest.mark.parametrize("damage", [_alter_members, _lose_members, _lose_manifest, _break_manifest, _borrow_manifest])
def test_a_damaged_version_is_left_out_with_a_warning_until_it_is_mended(
    warehouse: duckdb.DuckDBPyConnection,
    paths: ShopPaths,
    published: Published,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Path], None],
) -> None:
    published.version("a", "2026-03-01", [("p", "2026-03-01")])
    bad = published.version("a", "2026-03-02", [("p", "2026-03-01"), ("q", "2026-03-02")])
    damage(bad)
    with caplog.at_level(logging.WARNING):
        assert load_exposures(warehouse, paths) == 1
    assert [record.message for record in caplog.records if "is not measured" in record.message]
    assert set(exposed(warehouse)) == {("a", "p", "2026-03-01")}
    shutil.rmtree(bad)
    published.version("a", "2026-03-02", [("p", "2026-03-01"), ("q", "2026-03-02")])
    assert load_exposures(warehouse, paths) == 1
    assert ("a", "q", "2026-03-02") in exposed(warehouse)


def test_no_manifest_is_opened_twice(
    warehouse: duckdb.DuckDBPyConnection, paths: ShopPaths, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(1, 8):
        published.version("a", f"2026-03-0{day}", [("p", "2026-03-01")])
    load_exposures(warehouse, paths)
    opened: list[str] = []
    read = exposures._read_lists
    monkeypatch.setattr(
        exposures, "_read_lists", lambda root, version: opened.append(str(version.as_of)) or read(root, version)
    )
    load_exposures(warehouse, paths)
    assert opened == []
    published.version("a", "2026-03-08", [("p", "2026-03-01")])
    load_exposures(warehouse, paths)
    assert sorted(opened) == ["2026-03-07", "2026-03-08"], "the new one, and the one before that it is compared with"


def test_what_else_lies_in_the_folder_is_no_version(
    warehouse: duckdb.DuckDBPyConnection, paths: ShopPaths, published: Published
) -> None:
    folder = published.version("a", "2026-03-01", [("p", "2026-03-01")])
    (folder.parent / "outcome.json").write_text("{}", encoding="utf-8")
    shutil.copytree(folder, folder.parents[1] / ".staging-2026-03-02-abc")
    (paths.published_audiences / "catalogue.json").write_text("{}", encoding="utf-8")
    assert load_exposures(warehouse, paths) == 1


def test_a_shop_that_never_published_has_empty_tables(warehouse: duckdb.DuckDBPyConnection, paths: ShopPaths) -> None:
    assert load_exposures(warehouse, paths) == 0
    assert exposed(warehouse) == {}


PEOPLE = st.dictionaries(st.sampled_from("pqr"), st.booleans())
"""Who is in a list, and whether held out."""


@settings(max_examples=25, deadline=None)
@given(
    days=st.dictionaries(st.integers(1, 6), PEOPLE, min_size=1, max_size=6),
    order=st.permutations(range(1, 7)),
    withdrawn=st.sets(st.integers(1, 6)),
    at_once=st.sampled_from([1, 2, 60]),
)
def test_the_order_of_publishing_and_withdrawing_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory,
    days: dict[int, dict[str, bool]],
    order: list[int],
    withdrawn: set[int],
    at_once: int,
) -> None:
    paths = Home(tmp_path_factory.mktemp("lists")).paths("default")
    published = Published(paths.published_audiences)
    with duckdb.connect() as warehouse, pytest.MonkeyPatch.context() as patch:
        patch.setattr(exposures, "_DATES_AT_ONCE", at_once)
        for number in order:
            if number in days:
                of_arm = [
                    [(key, "2026-03-01") for key, held in days[number].items() if held is arm] for arm in (False, True)
                ]
                folder = published.version("a", f"2026-03-0{number}", *of_arm, share="0.5")
                load_exposures(warehouse, paths)
                if number in withdrawn:
                    published.withdraw(folder)
        load_exposures(warehouse, paths)
        standing = [({}, 0), *((days[number], number) for number in sorted(days.keys() - withdrawn))]
        expected = {
            ("a", key, str(date(2026, 3, number))): ("2026-03-01", held, 0.5)
            for (before, _), (now, number) in pairwise(standing)
            for key, held in now.items()
            if key not in before
        }
        assert exposed(warehouse) == expected
