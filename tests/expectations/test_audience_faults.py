"""Every critical check on an audience's rows catches its fault, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from bench_of_checks import bad_ids, bad_ids_by_sql, report_of

from renqun.quality import load_stage
from renqun.quality.audience_files import make_audience

SUITES = {suite.object: suite for suite in load_stage("audience")}

_MARTS = """
create schema marts; create schema run; create schema made;
create table run.context as select 'shop' as shop_id, date '2026-03-10' as as_of_date;
create table marts.dim_customers as select unnest(['c1', 'c2', 'c3', 'c4']) as customer_key;
create table marts.fct_segment_memberships as select *, 'interest' as segment_id, null::date as exited_on from (values
    ('c1', date '2026-03-09'), ('c2', date '2026-03-10'), ('c3', date '2026-03-10'), ('stranger', date '2026-03-10'),
    (null, date '2026-03-10'), ('c3', date '2026-03-11')
) as t (customer_key, entered_on);
create table made.members as select *, '{"days": 3}' as reason from (values
    ('c1', date '2026-03-09'), ('c2', date '2026-03-10')
) as t (customer_key, entered_on);
create table made.previous as from made.members;
"""

FAULTS: dict[str, tuple[str, set[str]]] = {
    "audience_members-columns": ("alter table made.members add column phone varchar", set()),
    "audience_members-key_present": (
        "insert into made.members values (null, '2026-03-10', '{}')",
        {"audience_members-are_customers", "audience_members-are_inside_a_segment"}),
    "audience_members-key_unique": ("insert into made.members from made.members where customer_key = 'c1'", set()),
    "audience_members-are_customers": ("insert into made.members values ('stranger', '2026-03-10', '{}')", set()),
    "audience_members-are_inside_a_segment": ("insert into made.members values ('c4', '2026-03-10', '{}')", set()),
    "audience_members-entered_by_as_of": ("insert into made.members values ('c3', '2026-03-11', '{}')", set()),
    "audience_members-reason_given": ("update made.members set reason = null where customer_key = 'c1'", set()),
    "audience_members-reason_names_nobody": (
        'update made.members set reason = \'{"mail": "li@example.com"}\' where customer_key = \'c1\'', set()),
    "size-not_suddenly_empty": ("delete from made.members", set()),
    "size-within_window": ("delete from made.members where customer_key = 'c1'", set()),
}  # fmt: skip


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    opened = duckdb.connect()
    opened.execute(_MARTS)
    yield opened
    opened.close()


def _make(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    *,
    share: float | None = 0.5,
    previous: bool = True,
    segment: str | None = "interest",
) -> None:
    for name in ("members", "previous"):
        connection.execute(f"copy made.{name} to '{folder / name}.parquet'")
    make_audience(
        connection,
        "interest",
        folder / "members.parquet",
        folder / "previous.parquet" if previous else None,
        share,
        2,
        segment,
    )


@pytest.mark.parametrize("name", sorted(SUITES))
def test_good_members_pass_every_check(connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    _make(connection, tmp_path)
    assert bad_ids(report_of(connection, SUITES[name], {})) == set()


@pytest.mark.parametrize("check_id", sorted(FAULTS))
def test_a_fault_fails_its_check_and_no_other(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, check_id: str
) -> None:
    fault, implied = FAULTS[check_id]
    connection.execute(fault)
    # Half of two may come or go; a person more is within the window, a window of 0.4 is for the check on it.
    _make(connection, tmp_path, share=0.4 if check_id == "size-within_window" else 0.5)
    suite = SUITES[check_id.partition("-")[0]]
    others = [other for other in SUITES.values() if other is not suite]
    found = bad_ids(report_of(connection, suite, {})) | bad_ids_by_sql(connection, others, {})
    assert found == {check_id, *implied}


@pytest.mark.parametrize(("share", "previous"), [(None, True), (0.5, False)])
def test_an_empty_audience_passes_when_released_or_never_published(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, share: float | None, previous: bool
) -> None:
    connection.execute("delete from made.members")
    _make(connection, tmp_path, share=share, previous=previous)
    assert [bad_ids(report_of(connection, suite, {})) for suite in SUITES.values()] == [set(), set()]


def test_the_size_is_always_there(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    _make(connection, tmp_path)
    connection.execute("delete from audience.size")
    assert bad_ids(report_of(connection, SUITES["size"], {})) == {"size-is_there"}


def test_an_audience_of_rules_is_made_of_people_in_whatever_segment(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    # c4 is in no segment: rules over numbers may mean somebody all the same.
    connection.execute("insert into made.members values ('c4', '2026-03-10', '{}')")
    _make(connection, tmp_path, segment=None)
    assert bad_ids(report_of(connection, SUITES["audience_members"], {})) == set()
    _make(connection, tmp_path, segment="another")
    assert bad_ids(report_of(connection, SUITES["audience_members"], {})) == {"audience_members-are_inside_a_segment"}
