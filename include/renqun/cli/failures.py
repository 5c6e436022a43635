"""How an error leaves the program: a text on stderr, and an exit code that a scheduler can tell apart."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from renqun.errors import ExitCode, RenqunError

INTERRUPTED = 130

log_file: Path | None = None
"""Where the running command writes its log, once it has one."""


def exit_code_of(error: BaseException) -> int:
    """Tell the operator, and say with which code the program ends."""
    from typer.exceptions import Abort, TyperException

    code = int(ExitCode.DONE)
    match error:
        case SystemExit():
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        case RenqunError():
            code = int(error.exit_code)
            _say(str(error))
            if "--json" in sys.argv:
                _answer(error)
            if error.exit_code is not ExitCode.BAD_REQUEST:
                _say_where_the_log_is()
        case KeyboardInterrupt() | Abort():
            code = INTERRUPTED
            say_interrupted()
        case TyperException():
            code = int(ExitCode.BAD_REQUEST)
            if callable(show := getattr(error, "show", None)):
                show()
        case _:
            code = int(ExitCode.TECHNICAL)
            _say(f"{type(error).__name__}: {error}")
            _say_where_the_log_is()
            if log_file is None:
                traceback.print_exception(error)
    return code


def say_interrupted() -> None:
    """Tell the operator that stopping did no harm."""
    _say("stopped; what was published before is untouched, and running again goes on")


def _answer(error: RenqunError) -> None:
    """A program that asked for JSON gets its answer as JSON, whatever it is."""
    from renqun.cli.output import print_json

    said = {"what": error.what, "where": error.where, "to_do": error.remedy, "exit_code": int(error.exit_code)}
    print_json({"error": said})


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _say_where_the_log_is() -> None:
    if log_file is not None:
        _say(f"  log:     {log_file}")
