"""An object that is not there stops the gate, whatever its suite says about rows: want of data is no pass."""

from __future__ import annotations

import duckdb
import pytest
from bench_of_checks import report_of

from renqun.quality import load_stage
from renqun.quality.suite import STAGES, gate_vars

SUITES = {suite.is_there_id: suite for stage in STAGES for suite in load_stage(stage)}


@pytest.mark.parametrize("check_id", sorted(SUITES))
def test_an_absent_object_stops_the_gate(check_id: str) -> None:
    with duckdb.connect() as connection:
        report = report_of(connection, SUITES[check_id], gate_vars())
    assert check_id in {check.id for check in report.checks if check.stops}
