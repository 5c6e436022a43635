"""Drives DAG runs inside this process: the very DAG files and Airflow's own task runner, without a scheduler.

Airflow runs a task against its Task Execution API. Here that API is answered from memory, so that a run needs no
server and no metadata database, starts in about two seconds, and cannot be picked up by a scheduler nearby.
Tasks run one after another in the order of their edges; a task whose upstream was skipped or failed does not run.
Nothing is retried: whoever started the run sits before it, and running again goes on where it stopped.
"""

from __future__ import annotations

import logging
import os
import runpy
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from time import monotonic
from typing import Any, Literal

from renqun.airflow.execution_api import InMemoryExecutionApi, RunState
from renqun.errors import TechnicalError
from renqun.settings import PROJECT_ROOT

logger = logging.getLogger(__name__)

TaskState = Literal["success", "skipped", "failed", "upstream_failed", "upstream_skipped"]


@dataclass(frozen=True)
class TaskResult:
    """How one task ended: its state, what it returned, and the error that failed it."""

    dag_id: str
    task_id: str
    state: TaskState
    seconds: float
    returned: dict[str, Any] | None = None
    announced: tuple[tuple[str, str], ...] = ()
    """Asset and partition key of what it announced."""
    error: BaseException | None = None


@dataclass(frozen=True)
class DagRunResult:
    """How a DAG run ended, task by task in the order they ran."""

    dag_id: str
    tasks: tuple[TaskResult, ...]

    def task(self, task_id: str) -> TaskResult:
        """The result of one task."""
        return next(task for task in self.tasks if task.task_id == task_id)

    @property
    def error(self) -> BaseException | None:
        """The error that stopped the run, if one did."""
        return next((task.error for task in self.tasks if task.error is not None), None)


@dataclass
class Watcher:
    """Told of every task as it begins and ends."""

    begins: Callable[[str, str, date], None] = field(default=lambda dag_id, task_id, day: None)
    ended: Callable[[TaskResult], None] = field(default=lambda result: None)


def load_dags(names: tuple[str, ...], shop_id: str) -> dict[str, Any]:
    """The DAGs of one shop, from the files of `dags/`, by their short name."""
    from airflow import settings
    from airflow.sdk.definitions.context import _AIRFLOW_PARSING_CONTEXT_DAG_ID

    from renqun.airflow.wiring import MADE

    settings.configure_vars()
    with _environment_variable(_AIRFLOW_PARSING_CONTEXT_DAG_ID, f"{shop_id}__"):
        for name in names:
            runpy.run_path(str(PROJECT_ROOT / "dags" / f"{name}.py"))
    return {name: MADE[f"{shop_id}__{name}"] for name in names}


def run_dag(dag: Any, *, day: date, conf: Mapping[str, Any], watcher: Watcher) -> DagRunResult:
    """Run a DAG once, for a business date."""
    from airflow.sdk.execution_time.supervisor import run_task_in_process

    now = datetime.now(UTC)
    run = RunState(
        dag_id=dag.dag_id,
        run_id=f"manual__{now.isoformat()}__{day}",
        started=now,
        conf=dict(conf),
        partition_key=str(day),
    )
    api = InMemoryExecutionApi(run)
    client = api.client()
    results: dict[str, TaskResult] = {}
    for task in _in_order(dag):
        blocked = _blocked(task, results)
        if blocked is not None:
            results[task.task_id] = TaskResult(dag.dag_id, task.task_id, blocked, 0.0)
            continue
        watcher.begins(dag.dag_id, task.task_id, day)
        logger.info("%s / %s begins, for %s", dag.dag_id, task.task_id, day)
        began = monotonic()
        task.on_kill = _interrupt
        instance = api.instance_of(task.task_id)
        with _signals_restored():
            outcome = run_task_in_process(instance, task, client=client)
        if isinstance(outcome.error, KeyboardInterrupt):
            raise outcome.error
        result = TaskResult(
            dag.dag_id,
            task.task_id,
            _state_of(outcome),
            monotonic() - began,
            returned=api.returned(task.task_id),
            announced=api.announced(instance),
            error=outcome.error,
        )
        results[task.task_id] = result
        watcher.ended(result)
    return DagRunResult(dag.dag_id, tuple(results.values()))


def _in_order(dag: Any) -> Iterator[Any]:
    """Tasks so that each comes after all of its upstreams."""
    done: set[str] = set()
    waiting = list(dag.tasks)
    while waiting:
        ready = [task for task in waiting if task.upstream_task_ids <= done]
        if not ready:
            raise TechnicalError(f"the tasks of {dag.dag_id} wait for one another in a circle")
        for task in ready:
            if str(task.trigger_rule) not in ("all_success", "TriggerRule.ALL_SUCCESS"):
                raise TechnicalError(f"{dag.dag_id}.{task.task_id} has a trigger rule that only a scheduler knows")
            yield task
        done |= {task.task_id for task in ready}
        waiting = [task for task in waiting if task.task_id not in done]


def _blocked(task: Any, results: Mapping[str, TaskResult]) -> TaskState | None:
    states = {results[task_id].state for task_id in task.upstream_task_ids}
    if states & {"failed", "upstream_failed"}:
        return "upstream_failed"
    if states & {"skipped", "upstream_skipped"}:
        return "upstream_skipped"
    return None


def _state_of(outcome: Any) -> TaskState:
    state = str(getattr(outcome.state, "value", outcome.state))
    if state in ("success", "skipped", "failed"):
        return state  # type: ignore[return-value]
    raise TechnicalError(f"task {outcome.ti.task_id} ended as {state!r}, which only a scheduler can handle")


def _interrupt() -> None:
    """A terminated run ends at once: locks are released by the kernel, nothing half-done is visible."""
    raise KeyboardInterrupt


@contextmanager
def _signals_restored() -> Iterator[None]:
    """Airflow's task runner sets its own SIGTERM handler and leaves it there."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _environment_variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
