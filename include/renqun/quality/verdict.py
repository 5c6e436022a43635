"""What a gate found: verdicts of checks, of suites, of the gate. Pure: it asks nobody and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from renqun.quality.suite import Expectation, Severity, Stage, Suite
from renqun.settings import Waiver

Verdict = Literal["passed", "failed", "error", "not_evaluated"]
_BAD: tuple[Verdict, ...] = ("failed", "error")


class Outcome(BaseModel):
    """What an engine observed for one expectation, before severities and waivers."""

    model_config = ConfigDict(frozen=True)

    id: str
    success: bool
    error: str | None = None
    evaluated_rows: int | None = None
    """Rows that the answer rests on; None where the question is about the table as a whole."""
    observed: dict[str, Any] = {}
    sample: tuple[dict[str, Any], ...] = ()
    batches: tuple[str, ...] = ()
    """Batches that hold a failing row, all of them; only known where rows carry their batch."""


class CheckResult(BaseModel):
    """The verdict on one expectation."""

    model_config = ConfigDict(frozen=True)

    id: str
    type: str
    severity: Severity
    """As it counts in this run; a waiver demotes critical to warning."""
    verdict: Verdict
    why: str
    runbook: str | None = None
    """The page of the check's own that says what to do."""
    kwargs: dict[str, Any] = {}
    note: str | None = None
    evaluated_rows: int | None = None
    observed: dict[str, Any] = {}
    sample: tuple[dict[str, Any], ...] = ()
    batches: tuple[str, ...] = ()

    @property
    def is_bad(self) -> bool:
        """Whether the answer was "no", or there was none."""
        return self.verdict in _BAD

    @property
    def stops(self) -> bool:
        """Whether the run stops here."""
        return self.is_bad and self.severity == "critical"


class SuiteReport(BaseModel):
    """The verdicts on one object; what a result file holds."""

    model_config = ConfigDict(frozen=True)

    stage: Stage
    object: str
    shop_id: str
    ds: date
    run_id: str
    subject: str | None = None
    """What of several the object was looked at for: the audience, or the group of exports."""
    suite_hash: str
    rows: int | None
    seconds: float
    checks: tuple[CheckResult, ...]

    @property
    def name(self) -> str:
        """`<stage>.<object>`."""
        return f"{self.stage}.{self.object}"

    @property
    def passed(self) -> bool:
        """Whether nothing here stops the run."""
        return not any(check.stops for check in self.checks)


class GateReport(BaseModel):
    """The verdicts of one gate."""

    model_config = ConfigDict(frozen=True)

    stage: Stage
    shop_id: str
    ds: date
    run_id: str
    subject: str | None = None
    suites: tuple[SuiteReport, ...]

    @property
    def passed(self) -> bool:
        """Whether the run may go on."""
        return all(suite.passed for suite in self.suites)

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """Everything that stops the run."""
        return tuple(check for suite in self.suites for check in suite.checks if check.stops)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        """What was found and does not stop the run."""
        return tuple(check for suite in self.suites for check in suite.checks if check.is_bad and not check.stops)

    def check(self, check_id: str) -> CheckResult:
        """The result with this id.

        Raises:
            KeyError: there is none.
        """
        for suite in self.suites:
            for check in suite.checks:
                if check.id == check_id:
                    return check
        raise KeyError(check_id)

    def summary(self) -> dict[str, Any]:
        """Counts for a task's return value and for logs."""
        checks = [check for suite in self.suites for check in suite.checks]
        return {
            "stage": self.stage,
            "checks": len(checks),
            "failed": [check.id for check in self.failures],
            "warned": [check.id for check in self.warnings],
        }


def judge(
    suite: Suite,
    expectations: Sequence[Expectation],
    outcomes: Sequence[Outcome],
    *,
    rows: int | None,
    empty_is_fine: str | None,
    waivers: Sequence[Waiver],
    shop_id: str,
    ds: date,
    run_id: str,
    subject: str | None,
    seconds: float,
) -> SuiteReport:
    """Turn observations into verdicts.

    Args:
        suite: the suite.
        expectations: its questions with the shop's vars filled in.
        outcomes: the answers; a question without one counts as an error, or as not evaluated where no row was there.
        rows: rows of the object; None where it does not exist.
        empty_is_fine: why no rows are no fault in this run, if so.
        waivers: the shop's demotions.
        shop_id: the shop.
        ds: the run's date, against which waivers expire.
        run_id: the run.
        subject: the audience or group, where the object exists once for each.
        seconds: what the suite took.
    """
    answers = {outcome.id: outcome for outcome in outcomes}
    checks = [_is_there(suite, rows, empty_is_fine)]
    for expectation in expectations:
        checks.append(_verdict(expectation, answers.get(expectation.id), rows, empty_is_fine))
    return SuiteReport(
        stage=suite.stage,
        object=suite.object,
        shop_id=shop_id,
        ds=ds,
        run_id=run_id,
        subject=subject,
        suite_hash=suite.digest(),
        rows=rows,
        seconds=round(seconds, 3),
        checks=tuple(_waived(check, waivers, ds) for check in checks),
    )


def _is_there(suite: Suite, rows: int | None, empty_is_fine: str | None) -> CheckResult:
    verdict: Verdict = "passed"
    note = None
    if rows is None:
        verdict, note = "error", f"{suite.name} does not exist"
    elif rows == 0 and empty_is_fine is None:
        verdict, note = "failed", f"{suite.name} has no rows"
    elif rows == 0:
        note = f"no rows, which is no fault: {empty_is_fine}"
    return CheckResult(
        id=suite.is_there_id,
        type="batch rule",
        severity="critical",
        verdict=verdict,
        why="Nothing can be said about data that is not there.",
        note=note,
        evaluated_rows=rows,
        observed={"rows": rows},
    )


def _verdict(
    expectation: Expectation, outcome: Outcome | None, rows: int | None, empty_is_fine: str | None
) -> CheckResult:
    verdict: Verdict
    note: str | None
    if rows == 0 and empty_is_fine is not None:
        verdict, note, outcome = "not_evaluated", f"not applicable, looked at zero rows: {empty_is_fine}", None
    elif not rows:
        verdict, note, outcome = "not_evaluated", "looked at zero rows: the object is empty or absent", None
    elif outcome is None:
        verdict, note = "error", "the check gave no answer"
    elif outcome.error is not None:
        verdict, note = "error", outcome.error
    else:
        verdict = "passed" if outcome.success else "failed"
        note = "looked at zero rows" if outcome.evaluated_rows == 0 else None
    return CheckResult(
        id=expectation.id,
        type=expectation.type,
        severity=expectation.severity,
        verdict=verdict,
        why=expectation.why,
        runbook=expectation.runbook,
        kwargs=expectation.kwargs,
        note=note,
        evaluated_rows=outcome.evaluated_rows if outcome else 0,
        observed=outcome.observed if outcome else {},
        sample=outcome.sample if outcome else (),
        batches=outcome.batches if outcome else (),
    )


def _waived(check: CheckResult, waivers: Sequence[Waiver], ds: date) -> CheckResult:
    waiver = next((one for one in waivers if one.check == check.id), None)
    if waiver is None or check.severity != "critical":
        return check
    if ds <= waiver.until:
        note = f"waived until {waiver.until} by {waiver.owner}: {waiver.reason}"
        return check.model_copy(update={"severity": "warning", "note": _joined(check.note, note)})
    note = f"its waiver by {waiver.owner} ended on {waiver.until}: repair the cause and remove the waiver"
    return check.model_copy(update={"verdict": "failed", "note": _joined(check.note, note)})


def _joined(*notes: str | None) -> str:
    return "; ".join(note for note in notes if note)
