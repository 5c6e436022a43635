"""Data Docs: the stored verdicts as the web pages that Great Expectations' users know.

The first page is our own: that of Great Expectations is empty in a browser without access to the internet.
The pages are made from result files alone, never from data: what is not in a result file (a person's data, above all)
cannot get into a page. A page that is there is not made again.
"""

from __future__ import annotations

import html
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from renqun.lock import exclusive
from renqun.quality.results import load, stored_results
from renqun.quality.suite import QUERY_TYPE
from renqun.quality.verdict import CheckResult, SuiteReport
from renqun.run import RunContext
from renqun.storage import write_text_atomically

PAGES_KEPT = 200
"""Result files, newest first, that the site shows; older ones stay on disk and in `quality_results`."""

_LOCK_SECONDS = 300.0
_STATIC = "static"
_FIRST_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Data Docs: {title}</title><style>
body {{ font: 15px/1.5 sans-serif; margin: 2rem }} table {{ border-collapse: collapse }}
th, td {{ text-align: left; padding: .3rem 1rem; border-bottom: 1px solid #ccc }}
.failed {{ color: #b00020; font-weight: bold }} .warned {{ color: #8a5a00 }}
</style></head><body><h1>Data Docs: {title}</h1>
<table><thead><tr><th>Date</th><th>Object</th><th>For</th><th>Verdict</th><th>Checks</th><th>Rows</th><th>Run</th></tr></thead>
<tbody>
{rows}
</tbody></table></body></html>
"""


def build_docs(ctx: RunContext) -> Path:
    """Render the shop's verdicts as a site of static pages.

    Returns:
        The site's first page, `<shop>/quality/docs/index.html`.
    """
    # A run of the scheduler and one of the operator may render at the same time, and would remove each other's pages.
    with exclusive(ctx.paths.quality / "docs.lock", "data docs", timeout_seconds=_LOCK_SECONDS):
        files = sorted(stored_results(ctx.paths), key=_newest_last)[-PAGES_KEPT:]
        return build_site(ctx.paths.quality / "docs", files, ctx.shop.name or ctx.shop.id)


def _newest_last(file: Path) -> tuple[str, float, str]:
    # The order of pages only; no verdict depends on a file's time.
    return file.parts[-3], file.stat().st_mtime, file.name


def build_site(site: Path, files: Sequence[Path], title: str) -> Path:
    """Render result files to a folder.

    Args:
        site: the folder of the pages.
        files: the result files that the site shows.
        title: shown in the page's head.
    """
    pages: dict[Path, SuiteReport] = {}
    for file in files:
        report = load(file)
        page = site / "validations" / _place(report, file)
        pages[page] = report
        if not page.exists():
            page.parent.mkdir(parents=True, exist_ok=True)
            write_text_atomically(page, _page(report, file))
    if pages and not (site / _STATIC).exists():
        _copy_static(site / _STATIC)
    _remove_other_pages(site, set(pages))
    rows = "\n".join(_row(site, page, report) for page, report in reversed(pages.items()))
    first = site / "index.html"
    write_text_atomically(first, _FIRST_PAGE.format(title=html.escape(title), rows=rows))
    return first


def _row(site: Path, page: Path, report: SuiteReport) -> str:
    bad = [check.id for check in report.checks if check.is_bad]
    verdict = "failed" if not report.passed else "warned" if bad else "passed"
    link = html.escape(page.relative_to(site).as_posix(), quote=True).replace("#", "%23").replace("+", "%2B")
    words = f"{verdict}: {', '.join(bad)}" if bad else verdict
    cells = [str(report.ds), "", report.subject or "", "", str(len(report.checks)), str(report.rows), report.run_id]
    filled = [f"<td>{html.escape(cell)}</td>" for cell in cells]
    filled[1] = f'<td><a href="{link}">{html.escape(report.name)}</a></td>'
    filled[3] = f'<td class="{verdict}">{html.escape(words)}</td>'
    return f"<tr>{''.join(filled)}</tr>"


def _remove_other_pages(site: Path, kept: set[Path]) -> None:
    for page in (site / "validations").rglob("*.html"):
        if page not in kept:
            page.unlink()
    for folder, _, _ in os.walk(site / "validations", topdown=False):
        if not os.listdir(folder):
            Path(folder).rmdir()


def _place(report: SuiteReport, file: Path) -> Path:
    """Where a verdict's page lies: as deep as Great Expectations puts it, for its pages lead to styles from there."""
    run, seen_at = _run_identifier(report, file).to_tuple()
    return Path(*report.name.split("."), run, seen_at, f"{report.subject or report.object}.html")


def _page(report: SuiteReport, file: Path) -> str:
    """A verdict as a page; the renderer and the view of Great Expectations' own sites."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

    rendered = ValidationResultsPageRenderer().render(_as_validation(report, _run_identifier(report, file)))
    return str(_view().render(rendered, show_how_to_buttons=False))


@cache
def _view() -> Any:
    """The templates, compiled once a process."""
    from great_expectations.render.view import DefaultJinjaPageView

    return DefaultJinjaPageView()


def _copy_static(target: Path) -> None:
    """The styles, fonts and images that the pages refer to."""
    from great_expectations.render import view

    shutil.copytree(Path(view.__file__).parent / _STATIC, target)


def _run_identifier(report: SuiteReport, file: Path) -> Any:
    from great_expectations.core.run_identifier import RunIdentifier

    seen = datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
    return RunIdentifier(run_name=f"{report.ds} {report.run_id}".replace("/", "_"), run_time=seen)


def _as_validation(report: SuiteReport, run: Any) -> Any:
    from great_expectations.core import ExpectationSuiteValidationResult

    good = sum(not check.is_bad for check in report.checks)
    return ExpectationSuiteValidationResult(
        success=report.passed,
        suite_name=report.name,
        results=[_as_result(check) for check in report.checks if check.type != "batch rule"],
        statistics={
            "evaluated_expectations": len(report.checks),
            "successful_expectations": good,
            "unsuccessful_expectations": len(report.checks) - good,
            "success_percent": 100.0 * good / len(report.checks),
        },
        meta={
            "run_id": run,
            "batch_spec": {"data_asset_name": report.name},
            "shop": report.shop_id,
            "date": report.ds.isoformat(),
            "run": report.run_id,
            "suite_hash": report.suite_hash,
            "rows": report.rows,
        },
    )


def _as_result(check: CheckResult) -> Any:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    words = [f"{check.why} ({check.id}, {check.severity})", check.note or ""]
    result: dict[str, Any] = dict(check.observed)
    if result.get("element_count"):
        result["unexpected_percent"] = 100.0 * result["unexpected_count"] / result["element_count"]
    if check.type == QUERY_TYPE:
        # What looked at no row has counted nothing; the renderer wants a number all the same.
        result = {"observed_value": result.get("unexpected_count", 0)}
    if check.type.startswith("expect_table_columns_to_match"):
        # The renderer takes the order of columns from here, whether or not there was a row to look at.
        result.setdefault("observed_value", [])
    return ExpectationValidationResult(
        success=not check.is_bad,
        expectation_config=ExpectationConfiguration(
            type=check.type,
            kwargs=check.kwargs,
            meta={"id": check.id, "severity": check.severity},
            description=" ".join(word for word in words if word),
            severity=check.severity,
        ),
        result=result,
        exception_info={
            "raised_exception": check.verdict == "error",
            "exception_message": check.note or "",
            "exception_traceback": "",
        },
    )
