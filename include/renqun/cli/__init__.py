"""The command `renqun`: what an operator asks, answered in words, tables or JSON."""

from __future__ import annotations

import atexit
import os
import sys


def main() -> None:
    """Entry point: errors become a message on stderr and one of the documented exit codes."""
    atexit.register(_end_quietly)
    from renqun.cli import failures
    from renqun.cli.app import app

    try:
        code = app(standalone_mode=False)
    except BaseException as error:
        sys.exit(failures.exit_code_of(error))
    if code == failures.INTERRUPTED:
        failures.say_interrupted()
    sys.exit(code if isinstance(code, int) else 0)


def _end_quietly() -> None:
    """At the very end DuckDB's binding prints what it calls leaks to stderr; it says nothing to an operator."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


if __name__ == "__main__":
    main()
