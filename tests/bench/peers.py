"""The same work beside Polars and chDB: RFM, cohorts, item funnel, sessions, each from the same Parquet.

Ours is the model's own compiled SQL. Each peer is written as its users would write it. Results have to be equal; every
time is the best of three.
"""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

Rows = list[tuple[Any, ...]]
Work = Callable[[], Rows]
_RELATION = re.compile(r'"renqun"\."(\w+)"\."(\w+)"')
_WINDOW_SECONDS = 7 * 24 * 3600
_GAP_SECONDS = 30 * 60
_RUNS = 3


@dataclass
class Task:
    """One comparison: the model, what it reads, and the summary of its result that has to agree."""

    name: str
    model: str
    summary: str
    """SQL over the model's result `ours`."""


def compare(shop: Path, compiled: Path, work: Path, as_of: str) -> list[dict[str, Any]]:
    """A row for each task and engine: seconds, or why there are none."""
    work.mkdir(parents=True, exist_ok=True)
    tasks = _tasks(as_of)
    rows = []
    for task in tasks:
        sql = next(compiled.rglob(f"{task.model}.sql")).read_text(encoding="utf-8")
        _export(shop / "warehouse" / "renqun.duckdb", sql, work)
        ours = _best(partial(_run_ours, sql, task.summary, work))
        rows.append({"task": task.name, "engine": "renqun on DuckDB", "seconds": ours[0], "equal": True})
        for engine, make in _peers(task.name, work, as_of).items():
            seconds, result = _best(make)
            rows.append({"task": task.name, "engine": engine, "seconds": seconds, "equal": result == ours[1]})
    return rows


def _tasks(as_of: str) -> list[Task]:
    return [
        Task("RFM", "fct_customer_rfm",
             "select count(*), sum(recency_days)::bigint, sum(frequency)::bigint, sum(monetary)::double from ours"),
        Task("cohorts", "agg_cohort_retention__by_month",
             "select cohort_month::varchar, period, retained_customers from ours"
             " where retained_customers > 0 order by all"),
        Task("item funnel", "int_funnel_attempts",
             "select max_step, count(*) from ours where grain = 'person_item' group by all order by all"),
        Task("sessions", "fct_sessions",
             "select count(*), sum(event_count)::bigint, sum(event_count * event_count)::bigint from ours"),
    ]  # fmt: skip


def _best(work: Work) -> tuple[float, Rows]:
    times, result = [], []
    for _ in range(_RUNS):
        began = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - began)
    return min(times), result


def _export(warehouse: Path, sql: str, work: Path) -> None:
    """The relations that a model reads, as Parquet; the funnel's events of the grain that is compared."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for schema, name in sorted(set(_RELATION.findall(sql))):
            file = work / f"{schema}.{name}.parquet"
            if not file.exists():
                only = " where grain = 'person_item'" if name == "int_funnel_events" else ""
                connection.execute(f"copy (from {schema}.{name}{only}) to '{file}'")


def _run_ours(sql: str, summary: str, work: Path) -> Rows:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("attach ':memory:' as renqun")
        for schema, name in sorted(set(_RELATION.findall(sql))):
            connection.execute(f"create schema if not exists renqun.{schema}")
            file = work / f"{schema}.{name}.parquet"
            connection.execute(f"create view renqun.{schema}.{name} as from '{file}'")
        connection.execute(f"create temp table ours as {sql}")
        return connection.execute(summary).fetchall()


def _peers(task: str, work: Path, as_of: str) -> dict[str, Work]:
    """Peers that are installed, each with the task as a function."""
    found: dict[str, Work] = {}
    for engine, module in (("Polars", "peer_polars"), ("chDB", "peer_chdb")):
        try:
            tasks = importlib.import_module(f"tests.bench.{module}").WORK
        except ModuleNotFoundError:
            continue
        found[engine] = partial(tasks[task], work, as_of)
    return found
