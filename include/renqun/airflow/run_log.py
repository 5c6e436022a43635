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

from renqun.log_lines import LogFormat, RedactedLines, RedactedStream, json_line
from renqun.redaction import redact
from renqun.settings import Settings


def _without_noise(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop the fold marks of Airflow's log viewer, and objects that nobody reads."""
    if str(event.get("event", "")).startswith("::"):
        raise structlog.DropEvent
    for name in ("ti", "logger_name"):
        event.pop(name, None)
    return event


class _AsLine:
    """Airflow's own lines as Python's loggers write theirs."""

    def __init__(self, form: LogFormat, context: dict[str, str]) -> None:
        self._form = form
        self._context = context

    def __call__(self, _logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        text, trace = str(event.pop("event", "")), event.pop("exception", None)
        if self._form == "json":
            more = {f"_{name}": value for name, value in event.items()}
            return json_line(method, "airflow", text, trace=trace, **self._context, **more)
        more_text = " ".join(f"{name}={value!r}" for name, value in event.items())
        now = datetime.now(UTC).astimezone()
        at = f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03d}"
        line = redact(f"{at} {method.upper():<7} airflow: {text} {more_text}".rstrip())
        return line if trace is None else f"{line}\n{redact(trace)}"


@contextmanager
def logged_to(file: Path, **context: str) -> Iterator[None]:
    """For the block, all log lines and everything printed go to `file`, without personal data.

    Args:
        file: the log.
        context: what every line of a log for programs (`RENQUN_LOG_FORMAT=json`) says beside its own: the shop.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    form = Settings().log_format
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with file.open("a", encoding="utf-8", buffering=1) as stream:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(RedactedLines(form, **context))
        root.handlers[:] = [handler]
        root.setLevel(logging.INFO)
        for noisy in ("httpx", "great_expectations"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        structlog.configure(
            processors=[_without_noise, structlog.processors.format_exc_info, _AsLine(form, context)],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.PrintLoggerFactory(stream),
            cache_logger_on_first_use=False,
        )
        logging.captureWarnings(True)
        printed = RedactedStream(stream, form, **context)
        try:
            with redirect_stdout(printed), redirect_stderr(printed):
                yield
        finally:
            printed.end()
            logging.captureWarnings(False)
            root.handlers[:] = handlers
            root.setLevel(level)
            structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
