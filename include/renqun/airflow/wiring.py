"""What all DAG files share: for which shops, with which defaults, in which pool, announcing what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    CronPartitionTimetable,
    CronTriggerTimetable,
    ExceptionRetryPolicy,
    Param,
    PartitionedAssetTimetable,
    RetryAction,
    RetryRule,
    get_parsing_context,
)
from airflow.sdk.bases.timetable import BaseTimetable

from renqun.airflow.alerts import tell_operator
from renqun.airflow.pools import writer_pool
from renqun.errors import GateFailed, RequestError, ShopBusy
from renqun.settings import Group, Home, Shop

OWNER = "data-engineering"
DEFAULT_EXPORT_TIME = time(6, 0)
"""When a platform is taken to have a day's exports ready, unless the shop's `export_hours` say otherwise."""

RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        # Neither bad data nor a bad request heals by itself.
        RetryRule(exception=[GateFailed, RequestError], action=RetryAction.FAIL),
        RetryRule(exception=ShopBusy, action=RetryAction.RETRY, retry_delay=timedelta(minutes=5)),
    ]
)


MADE: dict[str, DAG] = {}
"""The DAGs made in this process, for whoever runs them here."""


def shops_to_parse() -> Iterator[Shop]:
    """The shops whose DAGs to make: all of `shops.yml`, or the one shop whose task is about to run."""
    wanted = (get_parsing_context().dag_id or "").partition("__")[0]
    for shop in Home.from_environment().shops():
        if wanted in ("", shop.id):
            yield shop


def shop_dag(name: str, shop: Shop, *, schedule: BaseTimetable, doc: str | None, tags: list[str]) -> DAG:
    """A DAG `<shop>__<name>` with the defaults of all; fill it in a `with` block."""
    dag = DAG(
        f"{shop.id}__{name}",
        dag_display_name=f"{shop.name or shop.id}: {name}",
        schedule=schedule,
        # No start date: a new scheduler begins with its next tick and never floods a shop with history;
        # `airflow backfill create` loads history on purpose.
        catchup=False,
        max_active_runs=1,
        doc_md=doc,
        tags=[*tags, f"shop/{shop.id}"],
        params=_PARAMS,
        default_args={
            "owner": OWNER,
            "retries": 2,
            "retry_delay": timedelta(minutes=1),
            "retry_policy": RETRY_POLICY,
            "on_failure_callback": tell_operator,
        },
    )
    MADE[dag.dag_id] = dag
    return dag


def writer(shop: Shop) -> dict[str, Any]:
    """Options of a task that writes to a shop's house: it queues in the shop's one-slot pool."""
    return {"pool": writer_pool(shop.id)}


def gate(shop: Shop) -> dict[str, Any]:
    """Options of a gate: it queues as writers do, and never retries, for bad data does not heal."""
    return {**writer(shop), "retries": 0}


def after_export(shop: Shop, group: Group) -> CronPartitionTimetable:
    """Once a day at the shop's export hour of a group, in the shop's zone; the partition is the day before.

    The exports of day D are ready on the morning of D + 1, so the run of that morning has the partition key D.
    """
    at = shop.export_hours.get(group, DEFAULT_EXPORT_TIME)
    return CronPartitionTimetable(
        f"{at.minute} {at.hour} * * *", timezone=shop.time_zone, run_offset=-1, key_format="%Y-%m-%d"
    )


def weekly(shop: Shop) -> CronTriggerTimetable:
    """Once a week, on the night to Monday in the shop's zone: a day's exports are hours away."""
    return CronTriggerTimetable("30 2 * * 1", timezone=shop.time_zone)


def after(asset: Asset) -> PartitionedAssetTimetable:
    """Once for every date that an asset announces; announced again, it runs again."""
    return PartitionedAssetTimetable(assets=asset)


def exports(shop: Shop) -> Asset:
    """All exports that the shop expects of a date are accepted or closed."""
    return Asset(name=f"{shop.id}/exports", uri=f"renqun://{shop.id}/exports", group="renqun")


def marts(shop: Shop) -> Asset:
    """The marts as of a date are published."""
    return Asset(name=f"{shop.id}/marts", uri=f"renqun://{shop.id}/marts", group="renqun")


def audiences(shop: Shop) -> Asset:
    """The audiences as of a date are published."""
    return Asset(name=f"{shop.id}/audiences", uri=f"renqun://{shop.id}/audiences", group="renqun")


def _day(description: str) -> Param:
    return Param(None, type=["null", "string"], format="date", description=description)


_PARAMS = {
    "date": _day("the business date"),
    "from": _day("or the first day of a range"),
    "to": _day("and its last day"),
    "as_of": _day("builds only: build a past date on purpose"),
    "full_refresh": Param(False, type="boolean", description="builds only: build all tables anew"),
}
