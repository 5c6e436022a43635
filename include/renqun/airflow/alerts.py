"""Airflow's callbacks of a task: tell the operator of what failed for good, and of what is mended."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

logger = logging.getLogger("renqun.alerts")


def tell_operator(context: Mapping[str, Any]) -> None:
    """A task has failed for good. Its retries say nothing, nor do the tasks behind it: they do not run."""
    try:
        from renqun.alerts.causes import stopped
        from renqun.alerts.telling import tell
        from renqun.settings import Home

        shop_id, dag, task = _place(context)
        home = Home.from_environment()
        tell(home, home.shop(shop_id), stopped(shop_id, _day(context), dag, task, context.get("exception")))
    except Exception as error:
        logger.error("an alert could not be told: %s", type(error).__name__)


def tell_of_mending(context: Mapping[str, Any]) -> None:
    """A task has succeeded: where it had failed before, that is told once."""
    try:
        from renqun.alerts.telling import tell_mended
        from renqun.settings import Home

        shop_id, dag, task = _place(context)
        home = Home.from_environment()
        tell_mended(home, home.shop(shop_id), _day(context), f"{shop_id}__{dag}", task)
    except Exception as error:
        logger.error("an alert could not be told: %s", type(error).__name__)


async def tell_if_late(shop_id: str, context: Mapping[str, Any]) -> None:
    """Airflow's callback of a missed deadline, run by the triggerer: one alert where the date is not published.

    What is published meanwhile, though the run that waited for it has not noticed, is not late.
    """
    import asyncio

    await asyncio.to_thread(_tell_if_late, shop_id, context["dag_run"])


def _tell_if_late(shop_id: str, dag_run: Mapping[str, Any]) -> None:
    try:
        from datetime import UTC, datetime

        from renqun.alerts.causes import late_alert
        from renqun.alerts.ledger import open_alerts
        from renqun.alerts.telling import tell
        from renqun.observe.lateness import Late, due_at, lacking
        from renqun.run import parse_date
        from renqun.settings import Home

        home = Home.from_environment()
        shop, ds = home.shop(shop_id), parse_date(str(dag_run["partition_key"]))
        due, lacks = due_at(shop, ds), lacking(home, shop, ds)
        if due is not None and lacks and datetime.now(UTC) >= due:
            stopped = [
                one.headline for one in open_alerts(home.paths(shop_id)) if one.ds == ds and one.kind == "stopped"
            ]
            tell(home, shop, late_alert(shop, Late(ds, due, lacks), stopped))
    except Exception as error:
        logger.error("an alert could not be told: %s", type(error).__name__)


def _place(context: Mapping[str, Any]) -> tuple[str, str, str]:
    """Shop, name of the DAG, task."""
    task = context["ti"]
    shop_id, _, dag = str(task.dag_id).partition("__")
    return shop_id, dag, str(task.task_id)


def _day(context: Mapping[str, Any]) -> date | None:
    from renqun.airflow.conf import days_of
    from renqun.errors import RequestError

    try:
        return days_of(context["dag_run"])[-1]
    except (KeyError, AttributeError, RequestError):
        return None
