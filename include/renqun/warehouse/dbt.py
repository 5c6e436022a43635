"""dbt as one process a layer: what it is told, how it resumes, what it says of each model."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renqun.errors import GateFailed, TechnicalError
from renqun.ingest.ledger import sources_with_older_columns
from renqun.run import RunContext
from renqun.settings import Settings
from renqun.thresholds import DBT_PROJECT, project_vars
from renqun.warehouse.connection import connect
from renqun.warehouse.dbt_client import start_dbt

logger = logging.getLogger(__name__)

_TAIL_LINES = 40
_OF_THE_MACHINE = ("PATH", "HOME", "LANG", "LC_", "TMP", "TEMP", "LD_", "PYTHON", "VIRTUAL_ENV", "SYSTEMROOT")
"""Beginnings of the names in the environment that any process needs."""


@dataclass(frozen=True)
class NodeResult:
    """One seed, model or test of a dbt run: its state (dbt's word), seconds, and rows where it is a table."""

    name: str
    kind: str
    state: str
    seconds: float
    rows: int | None = None
    message: str = ""

    @property
    def failed(self) -> bool:
        """Whether it stops the layer."""
        return self.state in {"error", "fail", "runtime error"}


def run_dbt(
    ctx: RunContext,
    *,
    warehouse: Path,
    work: Path,
    command: Sequence[str],
    lock: int | None = None,
) -> list[NodeResult]:
    """Run one dbt command on a warehouse file; the caller holds the shop's writer lock.

    Args:
        ctx: the run, for its shop and folders.
        warehouse: the DuckDB file to build in; its ledger holds the dates of the build.
        work: dbt's working folder (target and logs); two layers never share one.
        command: dbt's subcommand and its selection; vars and folders are added here.
        lock: descriptor of the held lock; dbt inherits it, so that the warehouse stays protected if only this
            process is killed.

    Returns:
        A result for every node that dbt ran or skipped.

    Raises:
        GateFailed: only tests failed.
        TechnicalError: a model failed, or dbt itself did.
    """
    target = work / "target"
    target.mkdir(parents=True, exist_ok=True)
    arguments = [*command, "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    arguments += ["--target-path", str(target), "--log-path", str(work / "logs"), "--no-use-colors"]
    parsed = work.parent / "partial_parse.msgpack"
    if parsed.exists():
        arguments += ["--partial-parse-file-path", str(parsed)]
    if command[0] != "retry":  # a retry keeps the vars of the run that it resumes
        arguments += ["--vars", json.dumps(run_vars(ctx), sort_keys=True)]
        (target / "run_results.json").unlink(missing_ok=True)
    run = start_dbt(arguments, _environment(ctx, warehouse), lock)
    tail: list[str] = []
    try:
        for line in run.lines():
            logger.info("dbt: %s", line)
            tail = [*tail[-_TAIL_LINES:], line]
        exit_code = run.wait()
    except BaseException:
        run.kill()
        raise
    _share_parsed_project(target, parsed)
    results = read_results(target, warehouse)
    _raise_for(results, exit_code, tail, work)
    return results


def run_vars(ctx: RunContext) -> dict[str, Any]:
    """The vars of a shop's builds: the shop, and its overrides of thresholds. The same every day, on purpose:
    dbt parses the project anew when they differ, which costs more than a small shop's day."""
    of_models = project_vars()
    return {
        **{name: value for name, value in ctx.shop.vars.items() if name in of_models},
        "dates_from": "warehouse",
        "shop_id": ctx.shop.id,
        "time_zone": ctx.shop.time_zone,
        "currency": ctx.shop.currency,
    }


def read_results(target: Path, warehouse: Path) -> list[NodeResult]:
    """What dbt wrote of its last run in `target`, with the tables' row counts as of now."""
    file = target / "run_results.json"
    if not file.exists():
        return []
    rows = _row_counts(warehouse)
    results = []
    for node in json.loads(file.read_text(encoding="utf-8"))["results"]:
        kind, _, name = str(node["unique_id"]).split(".", 2)
        results.append(
            NodeResult(
                name=name.split(".")[0] if kind == "test" else name,
                kind=kind,
                state=str(node["status"]),
                seconds=round(float(node["execution_time"]), 3),
                rows=rows.get(name),
                message=str(node.get("message") or ""),
            )
        )
    return results


def _share_parsed_project(target: Path, parsed: Path) -> None:
    """What one dbt process has parsed, the next one need not: layers and days have the project in common."""
    made = target / "partial_parse.msgpack"
    if made.exists():
        temporary = parsed.with_suffix(".tmp")
        shutil.copyfile(made, temporary)
        temporary.replace(parsed)


def _row_counts(warehouse: Path) -> dict[str, int]:
    """Rows of each table by name, from the catalogue: costs no scan."""
    if not warehouse.exists():
        return {}
    with connect(warehouse, read_only=True) as connection:
        return dict(connection.execute("select table_name, estimated_size from duckdb_tables()").fetchall())


def _environment(ctx: RunContext, warehouse: Path) -> dict[str, str]:
    settings = Settings()
    # dbt looks through its whole environment for every line that it logs, and has no business with the rest of it.
    environment = {key: value for key, value in os.environ.items() if key.startswith(_OF_THE_MACHINE)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment | {
        "RENQUN_WAREHOUSE": str(warehouse),
        "RENQUN_RAW_ROOT": str(ctx.paths.raw),
        "RENQUN_RAW_BY_NAME": ",".join(sources_with_older_columns(ctx.paths)),
        "RENQUN_MEMORY_LIMIT": settings.memory_limit,
        "RENQUN_THREADS": str(settings.threads),
        # Models in Python solve small systems: more threads only wait for each other, and burn a core while they do.
        "OPENBLAS_NUM_THREADS": "1",
        "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_VERSION_CHECK": "false",
        "DO_NOT_TRACK": "1",
    }


def _raise_for(results: Sequence[NodeResult], exit_code: int, tail: Sequence[str], work: Path) -> None:
    failed = [result for result in results if result.failed]
    where = str(work / "logs" / "dbt.log")
    if any(result.kind != "test" for result in failed):
        names = "; ".join(f"{result.name}: {result.message.strip()}" for result in failed)
        raise TechnicalError(
            f"dbt could not build {names}",
            where=where,
            remedy="mend the model and run again: only what failed or was skipped is built again",
        )
    if failed:
        names = "; ".join(f"{result.name}: {result.message.strip()}" for result in failed)
        raise GateFailed(
            f"the models' own tests failed: {names}",
            where=where,
            remedy="see docs/runbooks/gate-marts.md; what was published before is untouched",
        )
    if exit_code != 0:
        raise TechnicalError(
            "dbt ended before it ran a model:\n" + "\n".join(tail),
            where=where,
            remedy="correct what dbt names above and run again",
        )
