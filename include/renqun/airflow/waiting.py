"""How a scheduled ingest waits for a day's files: without a slot, and not beyond the shop's deadline."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from renqun.airflow.conf import DagRunLike, RunConf, context_of
from renqun.errors import RequestError
from renqun.run import RunContext
from renqun.settings import Group


class NothingToIngest(Exception):
    """The day has no file of this group, and nobody expects one."""


def files_have_arrived(shop_id: str, group: Group, dag_run: DagRunLike) -> bool:
    """Whether an ingest run can go on.

    A run whose conf names its days goes on at once. So does one whose files are there, or whose day is closed.
    A backfill does not wait for files of the past: it goes on with what there is.

    Raises:
        RequestError: the shop expects the files and its deadline is over.
        NothingToIngest: there are none, and waiting is over or makes no sense.
    """
    if RunConf.parse(dag_run.conf).names_days:
        return True
    ctx = context_of(shop_id, dag_run)
    if _is_there(ctx, group):
        return True
    is_over = datetime.now(UTC) >= deadline_of(ctx)
    is_scheduled = str(getattr(dag_run.run_type, "value", dag_run.run_type)) == "scheduled"
    if not is_scheduled or (is_over and group not in ctx.shop.expect):
        raise NothingToIngest(f"shop {shop_id} has no {group} files of {ctx.ds}")
    if is_over:
        raise RequestError(
            f"shop {shop_id} has no {group} files of {ctx.ds}, and its deadline "
            f"({ctx.shop.deadline:%H:%M} of the next day, {ctx.shop.time_zone}) is over",
            where=str(ctx.paths.landing / group / str(ctx.ds)),
            remedy="put the files there and clear this run, or, if the day has none, run "
            f"'renqun close-day --shop {shop_id} --group {group} --date {ctx.ds}'",
        )
    return False


def deadline_of(ctx: RunContext) -> datetime:
    """Until when the files of a run's date may come: the shop's deadline, on the day after."""
    return datetime.combine(_day_after(ctx.ds), ctx.shop.deadline, tzinfo=ctx.shop.zone)


def _is_there(ctx: RunContext, group: Group) -> bool:
    """Whether a whole file lies there, or the day is delivered or closed; half-written files are waited for."""
    from renqun.ingest.days import group_is_delivered
    from renqun.ingest.landing import scan_landing

    if group_is_delivered(ctx.paths, group, ctx.ds):
        return True
    return bool(scan_landing(ctx.paths, ctx.shop, group, [ctx.ds]).files)


def _day_after(day: date) -> date:
    return day + timedelta(days=1)
