"""Where the lines of an in-process run go: into a file, so that the terminal stays readable."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog


def _without_noise(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop the fold marks of Airflow's log viewer, and objects that nobody reads."""
    if str(event.get("event", "")).startswith("::"):
        raise structlog.DropEvent
    for name in ("ti", "logger_name"):
        event.pop(name, None)
    return event


def _as_line(_logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    """The line as Python's own loggers write theirs."""
    text, trace = event.pop("event", ""), event.pop("exception", None)
    more = " ".join(f"{name}={value!r}" for name, value in event.items())
    now = datetime.now(UTC).astimezone()
    line = f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03d} {method.upper():<7} airflow: {text} {more}".rstrip()
    return line if trace is None else f"{line}\n{trace}"


@contextmanager
def logged_to(file: Path) -> Iterator[None]:
    """For the block, all log lines and everything printed go to `file`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with file.open("a", encoding="utf-8", buffering=1) as stream:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
        root.handlers[:] = [handler]
        root.setLevel(logging.INFO)
        for noisy in ("httpx", "great_expectations"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        structlog.configure(
            processors=[_without_noise, structlog.processors.format_exc_info, _as_line],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.PrintLoggerFactory(stream),
            cache_logger_on_first_use=False,
        )
        logging.captureWarnings(True)
        try:
            with redirect_stdout(stream), redirect_stderr(stream):
                yield
        finally:
            logging.captureWarnings(False)
            root.handlers[:] = handlers
            root.setLevel(level)
            structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
