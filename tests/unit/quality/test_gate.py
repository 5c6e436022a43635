"""A gate keeps its verdicts, shows them, and stops with one error that says what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from renqun.errors import GateFailed, RequestError
from renqun.quality.engine import gx_context, without_values
from renqun.quality.gate import GateInput, render_docs, run_gate, runbook_of, workbench
from renqun.quality.results import attach_quality_results, stored_results
from renqun.quality.suite import Expectation, Suite
from renqun.quality.verdict import GateReport
from renqun.run import RunContext
from renqun.settings import Home, Shop, Waiver

SECRET = "13800138000"


def _query(rule: str, query: str, severity: str = "critical") -> Expectation:
    return Expectation.model_validate(
        {
            "id": f"dim_customers-{rule}", "type": "unexpected_rows_expectation", "severity": severity,
            "kwargs": {"unexpected_rows_query": query}, "why": "It is asked for in a test.",
        }
    )  # fmt: skip


def _suite(*expectations: Expectation) -> Suite:
    return Suite(
        object="dim_customers", stage="marts", owner="tests", batch="all rows of the test",
        on_critical_failure="the test stops", key=("customer_key",), expectations=expectations,
    )  # fmt: skip


BAD = _query("key_unique", "select customer_key from {batch} where length(customer_key) > length('12')")
BROKEN = _query("broken", "select cast(customer_key as date) from {batch}")
GOOD = _query("good", "select customer_key from {batch} where customer_key is null")
WARNING = _query("warned", "select customer_key from {batch}", severity="warning")


@pytest.fixture
def ctx(tmp_path: Path) -> RunContext:
    return RunContext.of("default", "2026-03-10", home=Home(tmp_path), run_id="manual__2026-03-10T00:00:00+00:00")


def _run(ctx: RunContext, suite: Suite, rows: str = f"('{SECRET}'), ('c2')") -> GateReport:
    with workbench() as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.dim_customers as from (values {rows}) as t (customer_key)")
        return run_gate("marts", ctx, GateInput(connection, (suite,)))


def _waived(ctx: RunContext, check: str, until: str) -> RunContext:
    waiver = Waiver(check=check, owner="li", reason="the platform repairs it", until=date.fromisoformat(until))
    return RunContext(ctx.home, Shop(id="default", waivers=(waiver,)), ctx.ds, ctx.run_id)


def test_a_failed_gate_says_what_where_and_what_to_do(ctx: RunContext) -> None:
    with pytest.raises(GateFailed) as raised:
        _run(ctx, _suite(BAD, GOOD, WARNING))
    message = str(raised.value)
    assert "dim_customers-key_unique" in message
    assert "(1 failing)" in message
    assert "1 critical check failed" in message
    assert "dim_customers-warned" not in message
    assert runbook_of("marts") in message
    assert str(ctx.paths.quality / "results" / "2026-03-10") in message


def test_a_failed_check_names_the_runbook_of_its_own(ctx: RunContext) -> None:
    page = "docs/runbooks/customer-coverage.md"
    with pytest.raises(GateFailed) as raised:
        _run(ctx, _suite(BAD.model_copy(update={"runbook": page}), GOOD))
    (line,) = [line for line in str(raised.value).splitlines() if "dim_customers-key_unique" in line]
    assert page in line
    assert runbook_of("marts") in str(raised.value)


def test_nothing_of_a_person_is_kept(ctx: RunContext) -> None:
    with pytest.raises(GateFailed) as raised:
        _run(ctx, _suite(BROKEN, WARNING))
    assert SECRET not in str(raised.value)
    kept = [file for file in ctx.paths.quality.rglob("*") if file.suffix in {".json", ".html"}]
    assert kept, "nothing was kept"
    assert [file for file in kept if SECRET in file.read_text(encoding="utf-8")] == []


def test_an_exception_inside_a_check_is_a_failure(ctx: RunContext) -> None:
    with pytest.raises(GateFailed, match="dim_customers-broken"):
        _run(ctx, _suite(BROKEN))
    (file,) = stored_results(ctx.paths)
    checks = {check["id"]: check["verdict"] for check in json.loads(file.read_text(encoding="utf-8"))["checks"]}
    assert checks == {"dim_customers-is_there": "passed", "dim_customers-broken": "error"}


def test_an_empty_object_fails_and_its_checks_say_that_they_saw_nothing(ctx: RunContext) -> None:
    suite = _suite(GOOD)
    with pytest.raises(GateFailed, match="has no rows"):
        _run(ctx, suite, "('x') limit 0")
    report = _run(ctx, suite.model_copy(update={"may_be_empty": "a new shop has none"}), "('x') limit 0")
    assert report.check("dim_customers-good").verdict == "not_evaluated"
    assert "zero rows" in (report.check("dim_customers-good").note or "")
    assert "a new shop has none" in (report.check("dim_customers-is_there").note or "")


def test_a_check_on_nothing_but_nulls_says_so(ctx: RunContext) -> None:
    unique = Expectation(
        id="dim_customers-unique", type="expect_column_values_to_be_unique", kwargs={"column": "customer_key"},
        severity="critical", why="One customer is one row.",
    )  # fmt: skip
    assert _run(ctx, _suite(unique), "(null::varchar)").check(unique.id).note == "looked at zero rows"


def test_a_waiver_demotes_until_its_date_and_fails_after_it(ctx: RunContext) -> None:
    report = _run(_waived(ctx, BAD.id, "2026-03-10"), _suite(BAD))
    assert [check.id for check in report.warnings] == [BAD.id]
    assert "waived until 2026-03-10 by li" in (report.check(BAD.id).note or "")
    with pytest.raises(GateFailed, match="waiver by li ended on 2026-03-09"):
        _run(_waived(ctx, BAD.id, "2026-03-09"), _suite(BAD))
    with pytest.raises(GateFailed, match="waiver by li ended on 2026-03-09"):
        # Even where the check passes again: a waiver that nobody removes hides the next fault.
        _run(_waived(ctx, BAD.id, "2026-03-09"), _suite(BAD), "('c1')")


def test_a_waiver_of_an_unknown_check_is_an_error(ctx: RunContext) -> None:
    with pytest.raises(RequestError, match="dim_customers-slip"):
        _run(_waived(ctx, "dim_customers-slip", "2026-12-31"), _suite(GOOD))


def test_results_are_a_relation(ctx: RunContext) -> None:
    with duckdb.connect() as connection:
        attach_quality_results(connection, ctx.paths)
        assert connection.execute("select count(*) from quality_results").fetchone() == (0,)
    with pytest.raises(GateFailed):
        _run(ctx, _suite(BAD, GOOD, WARNING))
    with duckdb.connect() as connection:
        attach_quality_results(connection, ctx.paths)
        found = connection.execute(
            "select stage, object, ds, expectation_id, severity, verdict, evaluated_rows,"
            " observed ->> 'unexpected_count' from quality_results order by expectation_id"
        ).fetchall()
    place = ("marts", "dim_customers", date(2026, 3, 10))
    assert found == [
        (*place, "dim_customers-good", "critical", "passed", 2, "0"),
        (*place, "dim_customers-is_there", "critical", "passed", 2, None),
        (*place, "dim_customers-key_unique", "critical", "failed", 2, "1"),
        (*place, "dim_customers-warned", "warning", "failed", 2, "2"),
    ]


def test_a_repeated_run_replaces_its_results(ctx: RunContext) -> None:
    _run(ctx, _suite(GOOD))
    _run(ctx, _suite(GOOD))
    assert len(list(stored_results(ctx.paths))) == 1


def test_data_docs_show_ids_reasons_and_verdicts(ctx: RunContext) -> None:
    with pytest.raises(GateFailed):
        _run(ctx, _suite(BAD, GOOD))
    render_docs(ctx)
    docs = ctx.paths.quality / "docs"
    index = (docs / "index.html").read_text(encoding="utf-8")
    (page,) = docs.glob("validations/**/*.html")
    assert page.relative_to(docs).parts[1] in index
    text = page.read_text(encoding="utf-8")
    assert "dim_customers-key_unique" in text
    assert "It is asked for in a test." in text
    assert "Failed" in text


def test_verdicts_that_have_their_page_are_not_stored_for_rendering_again(ctx: RunContext) -> None:
    _run(ctx, _suite(GOOD))
    render_docs(ctx)
    (page,) = (ctx.paths.quality / "docs").glob("validations/**/*.html")
    before = page.stat().st_mtime_ns
    render_docs(ctx)
    assert page.stat().st_mtime_ns == before
    assert gx_context().validation_results_store.list_keys() == []


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        (f'(_duckdb.ConversionException) invalid date: "{SECRET}" when casting', "Conversion error (its text"),
        (f"Conversion Error: could not convert {SECRET}", "Conversion error (its text"),
        ('Binder Error: column "key" not found', 'Binder Error: column "key" not found'),
        (f"Binder Error: cannot compare '{SECRET}'", "Binder Error: cannot compare '…'"),
        (SECRET, "unknown error (its text"),
    ],
)
def test_messages_of_the_engine_lose_their_values(message: str, kept: str) -> None:
    assert without_values(message).startswith(kept)
    assert SECRET not in without_values(message)


def test_statistics_that_no_check_needs_are_imported_by_whoever_uses_them() -> None:
    script = (
        "import sys; from renqun.quality.engine import gx_context; gx_context();"
        "assert 'scipy.stats' not in sys.modules;"
        "from scipy import stats; print(stats.norm.cdf(0)); import scipy.stats; print(scipy.stats.entropy([1, 1]))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert [round(float(number), 3) for number in said] == [0.5, 0.693]
