"""Every task's work goes into the ledger of runs, the metrics and the lineage."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from renqun.airflow.conf import context_of
from renqun.errors import RenqunError
from renqun.observe.watching import Watched, watch
from renqun.redaction import redact


class _WithoutPeople(logging.Filter):
    """What reaches Airflow's log of a task names nobody."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        return True


def recorded(name: Callable[..., str] | str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Watch a function `(shop_id, dag_run, …)` that is what a task does.

    Args:
        name: the task's name, or how it follows from the arguments behind the run.
    """

    def decorate(work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def at_work(shop_id: str, dag_run: Any, *rest: Any, **more: Any) -> Any:
            ctx = context_of(shop_id, dag_run)
            dag = str(getattr(dag_run, "dag_id", "")).partition("__")[2]
            stage = name if isinstance(name, str) else name(*rest, **more)
            _keep_people_out_of_logs()
            with watch(Watched(ctx.home, ctx.shop, ctx.ds, ctx.run_id, dag, stage)) as watched:
                try:
                    watched.returned = result = work(shop_id, dag_run, *rest, **more)
                except Exception as error:
                    _keep_people_out_of(error)
                    raise
                return result

        return at_work

    return decorate


def _keep_people_out_of_logs() -> None:
    for handler in logging.getLogger().handlers:
        if not any(isinstance(one, _WithoutPeople) for one in handler.filters):
            handler.addFilter(_WithoutPeople())


def _keep_people_out_of(error: Exception) -> None:
    """An engine's error quotes the cell that it could not read, and Airflow logs its words. Ours quote none."""
    if not isinstance(error, RenqunError):
        error.args = tuple(redact(part) if isinstance(part, str) else part for part in error.args)
