"""Every task's work goes into the ledger of runs, the metrics and the lineage."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from renqun.airflow.conf import context_of
from renqun.observe.watching import Watched, watch


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
            with watch(Watched(ctx.home, ctx.shop, ctx.ds, ctx.run_id, dag, stage)) as watched:
                watched.returned = result = work(shop_id, dag_run, *rest, **more)
                return result

        return at_work

    return decorate
