"""How the tests ask: the suite under test through Great Expectations, all others of the stage as plain SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import duckdb

from renqun.quality.engine import Examiner
from renqun.quality.samples import failing_rows
from renqun.quality.suite import Suite, resolve
from renqun.quality.verdict import SuiteReport, judge
from renqun.run import parse_date

_TABLE = re.compile(r"(?:marts|whole|run)[.](\w+)")
Vars = Mapping[str, Any]
Record = Callable[[str, object], None]
INJECTED = "injected"
"""The property in a test's report that names the check whose fault it injected."""


def report_of(connection: duckdb.DuckDBPyConnection, suite: Suite, variables: Vars, **options: Any) -> SuiteReport:
    """The verdicts of one suite, as a gate gets them."""
    examiner = Examiner(connection, [suite])
    expectations = [resolve(one, variables) for one in suite.expectations]
    rows = examiner.row_count(f"{suite.stage}.{suite.object}")
    outcomes = examiner.examine(suite, expectations, rows) if rows else []
    examiner.close()
    settings: dict[str, Any] = {
        "empty_is_fine": suite.may_be_empty, "waivers": (), "shop_id": "shop", "ds": parse_date("2026-03-10"),
        "run_id": "test", "subject": None, "seconds": 0.0,
    }  # fmt: skip
    return judge(suite, expectations, outcomes, rows=rows, **(settings | options))


def bad_ids(report: SuiteReport) -> set[str]:
    """Checks that said no, whatever their severity."""
    return {check.id for check in report.checks if check.is_bad}


def bad_ids_by_sql(
    connection: duckdb.DuckDBPyConnection, suites: Sequence[Suite], variables: Vars, fault: str = ""
) -> set[str]:
    """Checks of these suites that find a failing row; fast, for the suites that a fault should leave alone.

    With the fault's SQL, only checks that read a table which the fault has changed are asked.
    """
    changed = set(_TABLE.findall(fault))
    bad = set()
    for suite in suites:
        for expectation in suite.expectations:
            if "mostly" in expectation.kwargs:
                continue  # a share: single failing rows are no fault
            failing = failing_rows(suite, resolve(expectation, variables))
            if failing is None or (changed and not changed & set(_TABLE.findall(failing))):
                continue
            if connection.execute(f"select 1 from ({failing}) limit 1").fetchone():
                bad.add(expectation.id)
    return bad
