"""One run of dbt, in a process of its own.

dbt's own command line does things that cost a small shop more than its models do, and that nothing here reads: it
writes its description of the whole project twice a run, formats thousands of lines of debugging that no log takes,
and parses the project anew when the warehouse's file lies elsewhere. Here it writes what was run
(`run_results.json`): that is what `dbt retry` goes on from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from renqun.warehouse import dbt_economies

OPTIONS = ("--no-write-json", "--log-level", "none", "--log-level-file", "none")
_LOGGED = {"info", "warn", "error"}


def main(arguments: Sequence[str]) -> int:
    """Run dbt with these arguments, `--target-path` and `--log-path` among them.

    Returns:
        dbt's exit code: 0 all well, 1 a node failed, 2 dbt itself did.
    """
    from dbt.cli.main import dbtRunner

    parse_once_wherever_the_file_lies()
    dbt_economies.apply()
    logs = Path(arguments[arguments.index("--log-path") + 1])
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "dbt.log").open("a", encoding="utf-8") as log:
        outcome = dbtRunner(callbacks=[_says(log.write)]).invoke([*arguments, *OPTIONS])
    if hasattr(outcome.result, "write"):
        target = Path(arguments[arguments.index("--target-path") + 1])
        outcome.result.write(str(target / "run_results.json"))
    if outcome.exception is not None:
        print(outcome.exception, flush=True)
        return 2
    return 0 if outcome.success else 1


def parse_once_wherever_the_file_lies() -> None:
    """dbt parses a project anew when its connection has changed; no model of ours looks at the file's path."""
    from dbt.adapters.duckdb.credentials import DuckDBCredentials

    keys = DuckDBCredentials._connection_keys
    if keys.__module__ != __name__:
        DuckDBCredentials._connection_keys = lambda self: tuple(key for key in keys(self) if key != "path")


def _says(write: Callable[[str], object]) -> Callable[[Any], None]:
    """Tells whoever started dbt, and its log, what happens: a line an event."""

    def say(event: Any) -> None:
        if event.info.level in _LOGGED:
            at = event.info.ts.ToDatetime()
            print(f"{at:%H:%M:%S}  {event.info.msg}", flush=True)
            write(f"{at:%Y-%m-%d %H:%M:%S} [{event.info.level:<5}] {event.info.msg}\n")

    return say
