"""Every critical check on the marts catches its fault, and only that."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import gates_world
import pytest
from bench_of_checks import bad_ids, bad_ids_by_sql, report_of
from marts_faults import FAULTS, WARNINGS

from renqun.quality import load_stage

SUITES = {suite.object: suite for suite in load_stage("marts")}


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    gates_world.build(connection)
    yield connection
    connection.close()


@pytest.mark.parametrize("name", sorted(SUITES))
def test_good_marts_pass_every_check(marts: duckdb.DuckDBPyConnection, name: str) -> None:
    assert bad_ids(report_of(marts, SUITES[name], {})) == set()


@pytest.mark.parametrize("check_id", sorted(FAULTS))
def test_a_fault_fails_its_check_and_no_other(marts: duckdb.DuckDBPyConnection, check_id: str) -> None:
    fault, implied = FAULTS[check_id]
    marts.execute(fault)
    suite = SUITES[check_id.partition("-")[0]]
    others = [other for other in SUITES.values() if other is not suite]
    found = bad_ids(report_of(marts, suite, {})) | bad_ids_by_sql(marts, others, {}, fault)
    assert found == {check_id, *implied}


def test_whom_a_platform_lists_is_a_customer_without_an_order(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute("update marts.dim_customers set order_count = 0, is_member = false where customer_key = 'c2'")
    assert bad_ids(report_of(marts, SUITES["dim_customers"], {})) == set()


@pytest.mark.parametrize("check_id", sorted(WARNINGS))
def test_what_only_a_person_can_judge_is_a_warning(marts: duckdb.DuckDBPyConnection, check_id: str) -> None:
    marts.execute(WARNINGS[check_id])
    assert bad_ids_by_sql(marts, list(SUITES.values()), {}, WARNINGS[check_id]) == {check_id}


@pytest.mark.parametrize("name", sorted(SUITES))
def test_an_empty_mart_fails_unless_its_suite_says_why(marts: duckdb.DuckDBPyConnection, name: str) -> None:
    marts.execute(f"delete from marts.{name}")
    suite = SUITES[name]
    expected = set() if suite.may_be_empty else {suite.is_there_id}
    assert bad_ids(report_of(marts, suite, {})) == expected


@pytest.mark.parametrize("name", sorted(SUITES))
def test_an_absent_mart_fails_whatever_its_suite_says(marts: duckdb.DuckDBPyConnection, name: str) -> None:
    marts.execute(f"drop table marts.{name}")
    assert SUITES[name].is_there_id in bad_ids(report_of(marts, SUITES[name], {}))
