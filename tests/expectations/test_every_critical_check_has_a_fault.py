"""The list of faults is the list of critical checks: a new critical check without its fault turns this red."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import marts_faults
import pytest
import test_audience_faults
import test_published_faults
import test_raw_faults
import test_raw_platforms_faults
import test_staging_faults
import test_staging_platforms_faults
from bench_of_checks import INJECTED
from mutation import Count, score_of

from renqun.quality import load_stage
from renqun.quality.suite import KNOWN_TYPES, STAGES, Stage, gate_vars
from renqun.settings import PROJECT_ROOT

FAULTS: dict[Stage, set[str]] = {
    "raw": {*test_raw_faults.FAULTS, *test_raw_platforms_faults.FAULTS},
    "staging": {*test_staging_faults.FAULTS, *test_staging_platforms_faults.FAULTS},
    "marts": set(marts_faults.FAULTS),
    "audience": set(test_audience_faults.FAULTS),
    "published": set(test_published_faults.FAULTS),
}
SUITES = [suite for stage in STAGES for suite in load_stage(stage)]


@pytest.mark.parametrize("stage", STAGES)
def test_every_critical_check_has_its_fault(stage: Stage) -> None:
    # The rule that an object is there has a fault of its own in each stage's tests: the object without its rows.
    critical = {
        check_id for suite in SUITES if suite.stage == stage for check_id in suite.critical_ids
        if check_id != suite.is_there_id
    }  # fmt: skip
    assert critical, "no critical check is listed"
    assert critical == FAULTS[stage]


def test_ids_are_unique_over_all_stages() -> None:
    ids = [one.id for suite in SUITES for one in suite.expectations] + [suite.is_there_id for suite in SUITES]
    assert len(ids) == len(set(ids))


def test_known_types_are_types_of_great_expectations() -> None:
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    assert set(list_registered_expectation_implementations()) >= KNOWN_TYPES


def test_every_suite_asks_what_great_expectations_can_answer() -> None:
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    from renqun.quality.suite import resolve

    for suite in SUITES:
        for expectation in suite.expectations:
            kwargs = resolve(expectation, gate_vars()).kwargs
            assert ExpectationConfiguration(type=expectation.type, kwargs=kwargs).to_domain_obj()


def test_the_page_of_the_score_lists_exactly_the_critical_checks() -> None:
    text = (PROJECT_ROOT / "docs" / "mutation.md").read_text(encoding="utf-8")
    listed = re.findall(r"`([a-z][a-z0-9_]*-[a-z0-9_]+)`", text)
    assert sorted(listed) == sorted(check_id for suite in SUITES for check_id in suite.critical_ids), "make mutation"
    assert "missed" not in text


def test_a_fault_that_one_test_missed_is_not_caught() -> None:
    def report(check_id: str, outcome: str) -> Any:
        return SimpleNamespace(
            user_properties=[(INJECTED, check_id)], when="call", failed=outcome == "failed", skipped=False
        )

    count = Count()
    for check_id, outcome in (("a-seen", "passed"), ("a-seen", "passed"), ("a-half", "passed"), ("a-half", "failed")):
        count.pytest_runtest_logreport(report(check_id, outcome))
    score = score_of(["a-seen", "a-half", "a-never"], count)
    assert (score.critical, score.injected, score.caught) == (3, 2, 1)
