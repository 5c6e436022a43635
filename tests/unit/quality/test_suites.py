"""Suites are parsed strictly: what a check asks, why, and where its numbers come from is never left open."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from renqun.errors import RequestError
from renqun.quality.suite import STAGES, load_stage, load_suite, resolve
from renqun.settings import PROJECT_ROOT

NOWHERE = "/".join(["docs", "runbooks", "nowhere.md"])
COVERAGE = (PROJECT_ROOT / "docs" / "runbooks" / "customer-coverage.md").read_text(encoding="utf-8").split("##")[0]

HEAD = """
object: things
stage: marts
owner: analytics
batch: all things as of the run's date
on_critical_failure: nothing is published
expectations:
"""
CHECK = """
  - id: things-key_unique
    type: expect_column_values_to_be_unique
    kwargs: {column: thing_id}
    severity: critical
    why: One thing is one row.
"""


def _load(folder: Path, text: str) -> None:
    target = folder / "marts"
    target.mkdir(parents=True, exist_ok=True)
    (target / "things.yml").write_text(text, encoding="utf-8")
    load_suite("marts", "things", folder)


def test_a_sound_suite_is_loaded(tmp_path: Path) -> None:
    _load(tmp_path, HEAD + CHECK)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD + CHECK + "    colour: red\n", "colour"),
        ("surprise: 1\n" + HEAD + CHECK, "surprise"),
        ((HEAD + CHECK).replace("values_to_be_unique", "values_to_be_nice"), "unknown expectation type"),
        (HEAD + CHECK + CHECK, "duplicate ids"),
        (HEAD + CHECK.replace("    why: One thing is one row.\n", ""), "why"),
        (HEAD + CHECK.replace("why: One thing is one row.", 'why: ""'), "why"),
        (HEAD + CHECK.replace("{column: thing_id}", "{column: thing_id, mostly: 0.9}"), "no evidence"),
        (
            HEAD
            + CHECK.replace("expect_column_values_to_be_unique", "unexpected_rows_expectation").replace(
                "{column: thing_id}", "{unexpected_rows_query: 'select 1 from {batch} where size > 7'}"
            ),
            "no evidence",
        ),
        (
            HEAD
            + CHECK.replace("expect_column_values_to_be_unique", "unexpected_rows_expectation").replace(
                "{column: thing_id}", "{unexpected_rows_query: 'select 1 from marts.things'}"
            ),
            "has to read",
        ),
        ((HEAD + CHECK).replace("severity: critical", "severity: info"), "severity"),
        ((HEAD + CHECK).replace("id: things-", "id: people-"), "begin with"),
        (HEAD + CHECK + "    severity: warning\n", "key twice"),
        ((HEAD + CHECK).replace("object: things", "object: things\nmay_be_empty: ''"), "may_be_empty"),
        ((HEAD + CHECK).replace("stage: marts", "stage: staging"), "calls itself"),
        (HEAD + "  []\n", "expectations"),
        (HEAD + CHECK + f"    runbook: {NOWHERE}\n", f"not there: {NOWHERE}"),
        (HEAD + CHECK + "    runbook: README.md\n", "runbook"),
    ],
)
def test_a_slip_is_an_error_with_the_file(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(RequestError, match=complaint) as raised:
        _load(tmp_path, text)
    assert "things.yml" in str(raised.value)


def test_a_runbook_of_a_checks_own_is_linked_from_the_page_about_gates() -> None:
    """Who follows the general page must get to the special one."""
    page = (PROJECT_ROOT / "docs" / "runbooks" / "gate-stopped.md").read_text(encoding="utf-8")
    named = {
        expectation.runbook
        for stage in STAGES
        for suite in load_stage(stage)
        for expectation in suite.expectations
        if expectation.runbook
    }
    assert "docs/runbooks/customer-coverage.md" in named
    assert [runbook for runbook in named if f"]({Path(runbook).name}" not in page] == []


@pytest.mark.parametrize("check", re.findall(r"(\w+-\w+?)(?:_critical)?  ", COVERAGE))
def test_the_checks_that_a_runbook_names_name_it(check: str) -> None:
    suite = load_suite("marts", check.partition("-")[0])
    named = [one for one in suite.expectations if one.id.startswith(check)]
    assert named
    assert {one.runbook for one in named} == {"docs/runbooks/customer-coverage.md"}


def test_a_suite_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no suite"):
        load_suite("marts", "nothing", tmp_path)


def test_a_var_becomes_the_shops_value_and_an_unknown_one_is_an_error() -> None:
    check = next(one for one in load_suite("raw", "orders").expectations if one.id == "orders-customer_known")
    assert resolve(check, {"customer_coverage_rate_warning": 0.3}).kwargs["mostly"] == 0.3
    with pytest.raises(RequestError, match="names no var"):
        resolve(check, {})
