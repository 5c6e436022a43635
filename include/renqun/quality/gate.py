"""A gate: ask the suites of a stage, keep the verdicts, stop the run where one is critical."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import duckdb

from renqun.errors import GateFailed, RequestError
from renqun.quality import results
from renqun.quality.suite import STAGES, Stage, Suite, load_stage, resolve
from renqun.quality.verdict import CheckResult, GateReport, SuiteReport, judge
from renqun.run import RunContext
from renqun.settings import Settings, Shop
from renqun.thresholds import shop_vars

_TOP_FAILURES = 5

logger = logging.getLogger(__name__)


def runbook_of(stage: Stage) -> str:
    """The page about a gate; a check may name one of its own."""
    return f"docs/runbooks/gate-{stage}.md"


@dataclass(frozen=True)
class GateInput:
    """What a gate looks at: a connection in which every object is a relation `<stage>.<object>`."""

    connection: duckdb.DuckDBPyConnection
    suites: tuple[Suite, ...]
    empty_is_fine: Mapping[str, str] = field(default_factory=dict)
    """Object → why it may have no rows in this run, beyond what its suite says."""
    subject: str | None = None


@contextmanager
def workbench() -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB for a gate: relations are views over files, nothing is written anywhere."""
    settings = Settings()
    connection = duckdb.connect(config={"memory_limit": settings.memory_limit, "threads": settings.threads})
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def run_gate(stage: Stage, ctx: RunContext, given: GateInput) -> GateReport:
    """Ask, keep the verdicts, and stop where a critical check failed.

    Raises:
        GateFailed: after the verdicts were stored.
    """
    report = ask(stage, ctx, given)
    conclude(ctx, report)
    return report


def ask(stage: Stage, ctx: RunContext, given: GateInput) -> GateReport:
    """Ask the suites and keep the verdicts.

    Raises:
        RequestError: a waiver of the shop names an unknown check, or a suite an unknown var.
    """
    check_waivers(ctx.shop)
    variables = shop_vars(ctx.shop)
    report = GateReport(
        stage=stage,
        shop_id=ctx.shop.id,
        ds=ctx.ds,
        run_id=ctx.run_id,
        subject=given.subject,
        suites=examine_all(ctx, given, variables),
    )
    results.store(ctx.paths, report)
    for check in report.warnings:
        logger.warning("%s", _line(check, {}))
    logger.info("gate %s: %s", stage, report.summary())
    return report


def examine_all(ctx: RunContext, given: GateInput, variables: Mapping[str, Any]) -> tuple[SuiteReport, ...]:
    """The verdicts on all objects of a gate; writes nothing."""
    from renqun.quality.engine import Examiner

    examiner = Examiner(given.connection, given.suites)
    reports = []
    for suite in given.suites:
        started = time.monotonic()
        expectations = [resolve(expectation, variables) for expectation in suite.expectations]
        rows = examiner.row_count(f"{suite.stage}.{suite.object}")
        outcomes = examiner.examine(suite, expectations, rows) if rows else []
        reports.append(
            judge(
                suite,
                expectations,
                outcomes,
                rows=rows,
                # What is known about this run says more than what may be so in general.
                empty_is_fine=given.empty_is_fine.get(suite.object) or suite.may_be_empty,
                waivers=ctx.shop.waivers,
                shop_id=ctx.shop.id,
                ds=ctx.ds,
                run_id=ctx.run_id,
                subject=given.subject,
                seconds=time.monotonic() - started,
            )
        )
    examiner.close()
    return tuple(reports)


def conclude(ctx: RunContext, report: GateReport, files: Mapping[str, str] = MappingProxyType({})) -> None:
    """Raise where the gate found something critical.

    Args:
        ctx: the run.
        report: what the gate found.
        files: the file that each batch is, so that an operator need not look it up.

    Raises:
        GateFailed: names the failed checks, where their results are, and the runbook.
    """
    if report.passed:
        return
    failures = report.failures
    of = f" ({report.subject})" if report.subject else ""
    head = (
        f"gate {report.stage}{of} stopped shop {report.shop_id} on {report.ds}:"
        f" {len(failures)} critical check{'s' if len(failures) > 1 else ''} failed"
    )
    lines = [head, *(f"  - {_line(check, files)}" for check in failures[:_TOP_FAILURES])]
    if len(failures) > _TOP_FAILURES:
        lines.append(f"  - and {len(failures) - _TOP_FAILURES} more")
    own = {check.runbook for check in failures}
    raise GateFailed(
        "\n".join(lines),
        where=str(results.result_file(ctx.paths, next(one for one in report.suites if not one.passed)).parent),
        remedy="what was published before is untouched;"
        f" {runbook_of(report.stage)} says how to find and repair the cause",
        gate=report.stage,
        subject=report.subject,
        checks=tuple(check.id for check in failures),
        runbook=own.pop() if len(own) == 1 else None,
    )


def check_waivers(shop: Shop) -> None:
    """A waiver demotes a check that exists and is critical.

    Raises:
        RequestError: it names another.
    """
    if not shop.waivers:
        return
    known = {check_id for stage in STAGES for suite in load_stage(stage) for check_id in suite.critical_ids}
    unknown = sorted({waiver.check for waiver in shop.waivers} - known)
    if unknown:
        raise RequestError(
            f"shop {shop.id} waives what is no critical check: {', '.join(unknown)}",
            where="shops.yml",
            remedy="write the check's id as in expectations/ and in the gate's message, or remove the waiver",
        )


def _line(check: CheckResult, files: Mapping[str, str]) -> str:
    parts = [f"{check.id}: {check.why}"]
    count = check.observed.get("unexpected_count")
    if count:
        parts.append(f"({count} failing)")
    elif "observed_value" in check.observed:
        parts.append(f"(found {check.observed['observed_value']})")
    if check.note:
        parts.append(f"[{check.note}]")
    if check.batches:
        more = f" and {len(check.batches) - _TOP_FAILURES} more" if len(check.batches) > _TOP_FAILURES else ""
        named = (f"{files[one]} ({one})" if one in files else one for one in check.batches[:_TOP_FAILURES])
        parts.append(f"in batches {', '.join(named)}{more}")
    if check.runbook:
        parts.append(f"(what to do: {check.runbook})")
    return " ".join(parts)


def render_docs(ctx: RunContext) -> None:
    """Data Docs are for readers: where they cannot be made, the verdicts stand all the same."""
    from renqun.quality.docs import build_docs

    try:
        build_docs(ctx)
    except Exception:
        logger.exception("Data Docs could not be rendered; the verdicts are in %s", results.results_folder(ctx.paths))
