"""Lines of a log: for people, or one JSON object a line for programs; either way without personal data."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from renqun.redaction import redact

LogFormat = Literal["text", "json"]


class RedactedLines(logging.Formatter):
    """What Python's loggers say, as a line of the log."""

    def __init__(self, form: LogFormat, **context: str) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        self._form = form
        self._context = context

    def format(self, record: logging.LogRecord) -> str:
        if self._form == "text":
            return redact(super().format(record))
        trace = self.formatException(record.exc_info) if record.exc_info else None
        return json_line(record.levelname, record.name, record.getMessage(), trace=trace, **self._context)


class RedactedStream(io.TextIOBase):
    """What is printed beside the loggers, line by line into the log."""

    def __init__(self, stream: TextIO, form: LogFormat, **context: str) -> None:
        self._stream = stream
        self._form = form
        self._context = context
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, self._begun = (self._begun + text).split("\n")
        for line in whole:
            self._put(line)
        return len(text)

    def fileno(self) -> int:
        return self._stream.fileno()

    def flush(self) -> None:
        self._stream.flush()

    def end(self) -> None:
        """Write what no end of a line has followed."""
        if self._begun:
            self._put(self._begun)
            self._begun = ""

    def _put(self, line: str) -> None:
        if self._form == "json":
            if line.strip():
                self._stream.write(json_line("INFO", "printed", line, **self._context) + "\n")
        else:
            self._stream.write(redact(line) + "\n")


def json_line(level: str, logger: str, message: str, *, trace: str | None = None, **more: Any) -> str:
    """One line: when, how grave, who says it, what; and in which shop and run."""
    line: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": level.lower(),
        "logger": logger,
        "message": redact(message),
        **{name: redact(str(value)) for name, value in more.items()},
    }
    if trace:
        line["trace"] = redact(trace)
    return json.dumps(line, ensure_ascii=False)
