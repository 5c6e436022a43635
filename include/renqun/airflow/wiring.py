"""What all DAG files share: for which shops, with which defaults, in which pool, announcing what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

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
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from renqun.airflow.alerts import tell_if_late, tell_of_mending, tell_operator
from renqun.airflow.pools import writer_pool
from renqun.errors import AlreadyBuilt, BuildSuperseded, GateFailed, RequestError, ShopBusy
from renqun.settings import DEFAULT_EXPORT_TIME, Group, Home, Shop

OWNER = "data-engineering"

_NO_RETRY: list[type[BaseException]] = [
    # Neither bad data nor a bad request heals by itself, and who was overtaken stays so.
    GateFailed, RequestError, AlreadyBuilt, BuildSuperseded,
    # Nor does a mistake in the code.
    TypeError, ValueError, LookupError, AttributeError, NameError, ArithmeticError, AssertionError,
]  # fmt: skip

_SOME_DAY, _DAYS_LOOKED_AT = date(2024, 1, 1), 4000
"""Where changes of clocks are looked for: more than ten years, that of every rule now in force among them."""

RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=ShopBusy, action=RetryAction.RETRY, retry_delay=timedelta(minutes=5)),
        RetryRule(exception=list(_NO_RETRY), action=RetryAction.FAIL),
    ],
    # Disk, network, processes, the database: everything else may be gone in a minute.
    default=RetryAction.DEFAULT,
)
"""Retries by cause: what the machine does to a task is tried again, what the data or the operator did is not."""


MADE: dict[str, DAG] = {}
"""The DAGs made in this process, for whoever runs them here."""


def shops_to_parse() -> Iterator[Shop]:
    """The shops whose DAGs to make: all of `shops.yml`, or the one shop whose task is about to run."""
    wanted = (get_parsing_context().dag_id or "").partition("__")[0]
    for shop in Home.from_environment().shops():
        if wanted in ("", shop.id):
            yield shop


def shop_dag(
    name: str,
    shop: Shop,
    *,
    schedule: BaseTimetable,
    doc: str | None,
    tags: list[str],
    deadline: DeadlineAlert | None = None,
) -> DAG:
    """A DAG `<shop>__<name>` with the defaults of all; fill it in a `with` block."""
    start = _first_morning(shop) if isinstance(schedule, CronPartitionTimetable) else None
    dag = DAG(
        f"{shop.id}__{name}",
        dag_display_name=f"{shop.name or shop.id}: {name}",
        schedule=schedule,
        # A scheduler that was down, or a DAG that was paused, makes up for every date since, one after another; older
        # ones are history, which `airflow backfill create` loads on purpose. Where the shop names no first date, a
        # scheduler begins with its next tick.
        start_date=start,
        catchup=start is not None,
        max_active_runs=1,
        deadline=deadline,
        doc_md=doc,
        tags=[*tags, f"shop/{shop.id}"],
        params=_PARAMS,
        default_args={
            "owner": OWNER,
            "retries": 2,
            "retry_delay": timedelta(minutes=1),
            "retry_policy": RETRY_POLICY,
            "on_failure_callback": tell_operator,
            "on_success_callback": tell_of_mending,
        },
    )
    MADE[dag.dag_id] = dag
    return dag


def _first_morning(shop: Shop) -> datetime | None:
    """When the day begins on which the exports of the shop's first scheduled date are ready."""
    if shop.scheduled_since is None:
        return None
    return datetime.combine(shop.scheduled_since + timedelta(days=1), time(0), tzinfo=shop.zone)


def writer(shop: Shop) -> dict[str, Any]:
    """Options of a task that writes to a shop's house: it queues in the shop's one-slot pool."""
    return {"pool": writer_pool(shop.id)}


def gate(shop: Shop) -> dict[str, Any]:
    """Options of a gate: it queues as writers do, and never retries, for bad data does not heal."""
    return {**writer(shop), "retries": 0}


def waiting() -> dict[str, Any]:
    """Options of a sensor that only watches: it holds no slot, and gives up before the next day's run begins."""
    return {"mode": "reschedule", "poke_interval": 300.0, "timeout": 20 * 3600.0, "soft_fail": True}


def after_export(shop: Shop, group: Group) -> CronPartitionTimetable:
    """Once a day at the shop's export hour of a group, in the shop's zone; the partition is the day before.

    The exports of day D are ready on the morning of D + 1, so the run of that morning has the partition key D.
    """
    return _each_day(shop, shop.export_hours.get(group, DEFAULT_EXPORT_TIME))


def after_first_export(shop: Shop) -> CronPartitionTimetable:
    """Once a day when the first of the expected exports is ready; the partition is the day before."""
    return _each_day(shop, shop.first_export_hour)


def publication_deadline(shop: Shop) -> DeadlineAlert | None:
    """For a DAG that begins with the first export: at the shop's `publish_by` somebody looks and tells.

    The triggerer does it: no worker has to be free for a deadline to be missed.
    """
    if shop.publish_by is None:
        return None
    day = datetime(2000, 1, 1)
    wait = datetime.combine(day, shop.publish_by) - datetime.combine(day, shop.first_export_hour)
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=wait,
        callback=AsyncCallback(tell_if_late, kwargs={"shop_id": shop.id}),
        name=f"{shop.id} is published by {shop.publish_by:%H:%M}",
    )


def _each_day(shop: Shop, hour: time) -> CronPartitionTimetable:
    at = on_every_day(hour, shop.time_zone)
    return CronPartitionTimetable(
        f"{at.minute} {at.hour} * * *", timezone=shop.time_zone, run_offset=-1, key_format="%Y-%m-%d"
    )


def weekly(shop: Shop) -> CronTriggerTimetable:
    """Once a week, on the night to Monday in the shop's zone: a day's exports are hours away."""
    return CronTriggerTimetable("30 2 * * 1", timezone=shop.time_zone)


@cache
def on_every_day(at: time, zone: str) -> time:
    """A local time that every day has: this one, or where the zone's clocks skip it on some day, an hour later.

    Airflow counts the days before a tick in ticks: one that was moved by a change of clocks counts its own day twice
    and leaves out the one before.
    """
    here = ZoneInfo(zone)
    days = (_SOME_DAY + timedelta(days=n) for n in range(_DAYS_LOOKED_AT))
    is_skipped = any(
        datetime.combine(day, at, tzinfo=here).astimezone(UTC).astimezone(here).time() != at for day in days
    )
    return on_every_day(at.replace(hour=(at.hour + 1) % 24), zone) if is_skipped else at


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
