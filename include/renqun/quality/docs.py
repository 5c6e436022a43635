"""Data Docs: the stored verdicts as the web pages that Great Expectations' users know.

The pages are made from result files alone, never from data: what is not in a result file (a person's data, above all)
cannot get into a page. A page that is there is not made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from renqun.errors import TechnicalError
from renqun.quality.results import load, stored_results
from renqun.quality.suite import QUERY_TYPE
from renqun.quality.verdict import CheckResult, SuiteReport
from renqun.run import RunContext

PAGES_KEPT = 200
"""Result files, newest first, that the site shows; older ones stay on disk and in `quality_results`."""

_STATIC = "static"


def build_docs(ctx: RunContext) -> Path:
    """Render the shop's verdicts as a site of static pages.

    Returns:
        The site's first page, `<shop>/quality/docs/index.html`.
    """
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
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )
    from great_expectations.render.renderer.site_builder import SiteBuilder

    from renqun.quality.engine import gx_context

    context = gx_context()
    store = context.validation_results_store
    for key in store.list_keys():
        store.remove_key(key)
    stale: dict[Any, Path] = {}
    for file in files:
        report = load(file)
        key = ValidationResultIdentifier(
            expectation_suite_identifier=ExpectationSuiteIdentifier(name=report.name),
            run_id=_run_identifier(report, file),
            batch_identifier=report.subject or report.object,
        )
        store.set(key, _as_validation(report))
        page = site / "validations" / Path(*key.to_tuple()).with_suffix(".html")
        if not page.exists():
            stale[key] = page
    builder = SiteBuilder(
        data_context=context,
        store_backend={"class_name": "TupleFilesystemStoreBackend", "base_directory": str(site)},
        site_name=title,
        show_how_to_buttons=False,
        site_section_builders={
            "validations": {
                "class_name": "DefaultSiteSectionBuilder",
                "source_store_name": context.validation_results_store_name,
                "renderer": {"class_name": "ValidationResultsPageRenderer"},
            },
            "expectations": "None",
            "profiling": "None",
        },
        site_index_builder={"class_name": "DefaultSiteIndexBuilder"},
    )
    if stale:
        builder.site_section_builders["validations"].build(resource_identifiers=list(stale))
        # The builder logs what it cannot render and goes on.
        missing = [str(page) for page in stale.values() if not page.exists()]
        if missing:
            raise TechnicalError(f"{len(missing)} pages could not be rendered", where=missing[0])
    if not (site / _STATIC).exists():
        builder.target_store.copy_static_assets()
    builder.site_index_builder.build()
    return site / "index.html"


def _run_identifier(report: SuiteReport, file: Path) -> Any:
    from great_expectations.core.run_identifier import RunIdentifier

    seen = datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
    return RunIdentifier(run_name=f"{report.ds} {report.run_id}".replace("/", "_"), run_time=seen)


def _as_validation(report: SuiteReport) -> Any:
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
    if check.type == QUERY_TYPE and "unexpected_count" in result:
        result = {"observed_value": result["unexpected_count"]}
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
