"""Watching a task at work: its time, rows, memory and end go into the ledger, the metrics and the lineage.

Nothing here fails a task: what cannot be noted is logged.
"""

from __future__ import annotations

import functools
import logging
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import metadata
from typing import Any

from renqun.errors import GateFailed, RequestError
from renqun.observe import lineage, runs
from renqun.observe.memory import PeakMemory
from renqun.observe.runs import StageRun, Verdict
from renqun.redaction import redact
from renqun.settings import PROJECT_ROOT, Home, Shop

_ENGINES = ("dbt-core", "duckdb", "great-expectations", "apache-airflow")
_LONGEST_ERROR = 300

logger = logging.getLogger(__name__)


@dataclass
class Watched:
    """A task at work."""

    home: Home
    shop: Shop
    ds: date
    run_id: str
    dag: str
    stage: str
    returned: Mapping[str, Any] | None = field(default=None)
    """What the task returned; null: it had nothing to do."""


@contextmanager
def watch(watched: Watched) -> Iterator[Watched]:
    """Watch a task for a block; its error goes on as it is."""
    began, clock, peak = datetime.now(UTC), time.monotonic(), PeakMemory()
    lineage.begins(watched.home, watched.shop, watched.dag, watched.stage, watched.run_id, began)
    error: BaseException | None = None
    try:
        with peak:
            yield watched
    except BaseException as raised:
        error = raised
        raise
    finally:
        if not isinstance(error, GeneratorExit):
            _note(watched, began, time.monotonic() - clock, peak.bytes, error)


def verdict_of(error: BaseException | None, returned: Mapping[str, Any] | None) -> Verdict:
    """How a task ended, in a word."""
    if error is None:
        return "skipped" if returned is None else "done"
    if type(error).__name__ == "AirflowSkipException":
        return "skipped"
    if isinstance(error, GateFailed):
        return "stopped"
    return "refused" if isinstance(error, RequestError) else "failed"


@functools.cache
def versions() -> dict[str, str]:
    """Of the code and its engines, as installed."""
    found = {name: _version(name) for name in _ENGINES} | {"revision": code_revision() or ""}
    return {name: value for name, value in found.items() if value}


@functools.cache
def code_revision() -> str | None:
    """The revision of the code: what the image says, else git's."""
    if revision := os.environ.get("RENQUN_REVISION"):
        return revision
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True, timeout=5
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _note(watched: Watched, began: datetime, seconds: float, peak: int | None, error: BaseException | None) -> None:
    for write in (_into_ledger, _into_metrics, _into_lineage):
        try:
            write(watched, _record(watched, began, seconds, peak, error))
        except Exception as failure:
            logger.error("%s: %s", write.__name__.strip("_").replace("_", " "), type(failure).__name__)


def _record(
    watched: Watched, began: datetime, seconds: float, peak: int | None, error: BaseException | None
) -> StageRun:
    returned = watched.returned or {}
    numbers = {name: value for name, value in returned.items() if type(value) is int}
    rows = numbers.pop("rows", None)
    as_of = returned.get("as_of")
    return StageRun(
        shop_id=watched.shop.id,
        ds=watched.ds,
        run_id=watched.run_id,
        dag=watched.dag,
        stage=watched.stage,
        began_at=began.isoformat(timespec="milliseconds"),
        seconds=round(seconds, 3),
        verdict=verdict_of(error, watched.returned),
        rows=rows,
        peak_memory_bytes=peak,
        counts=numbers,
        error=_in_words(error, watched),
        checks=error.checks if isinstance(error, GateFailed) else (),
        as_of=date.fromisoformat(as_of) if isinstance(as_of, str) else None,
        version=returned.get("version"),
        versions=versions(),
    )


def _in_words(error: BaseException | None, watched: Watched) -> str | None:
    from renqun.alerts.causes import cause_of
    from renqun.errors import RenqunError

    if error is None or type(error).__name__ == "AirflowSkipException":
        return None
    if not isinstance(error, RenqunError):
        # Its words may quote a cell.
        return cause_of(error, watched.dag, watched.stage)
    first = redact(error.what).strip().splitlines()[0]
    return f"{type(error).__name__}: {first}"[:_LONGEST_ERROR]


def _into_ledger(watched: Watched, record: StageRun) -> None:
    runs.append(watched.home.paths(watched.shop.id), record)


def _into_metrics(watched: Watched, record: StageRun) -> None:
    from renqun.observe import metrics

    metrics.refresh_file(watched.home)


def _into_lineage(watched: Watched, record: StageRun) -> None:
    lineage.ended(watched.home, watched.shop, record)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
