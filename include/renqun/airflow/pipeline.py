"""One request of an operator, from landing to audiences: which DAG runs it takes, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from renqun.airflow.embedded import DagRunResult, TaskResult, Watcher, load_dags, run_dag
from renqun.errors import RequestError, TechnicalError
from renqun.settings import GROUPS, Group, Home, Shop

INGESTED: tuple[Group, ...] = GROUPS
"""The groups that have an ingest DAG."""


@dataclass(frozen=True)
class Request:
    """What to run: the days to take in, and whether to build each of them or only the last."""

    days: tuple[date, ...]
    each_day: bool = False
    as_of: date | None = None
    full_refresh: bool = False

    @property
    def steps(self) -> list[tuple[date, ...]]:
        """The days of each pass through the DAGs."""
        return [(day,) for day in self.days] if self.each_day else [self.days]


@dataclass
class Outcome:
    """What came of a request, pass by pass."""

    passes: list[dict[str, Any]] = field(default_factory=list)


def check_landing(home: Home, shop: Shop, request: Request) -> None:
    """Refuse at once what cannot succeed: the last day has neither files nor anything taken in before.

    Raises:
        RequestError: names the groups and folders that are missing, or that are none.
    """
    from renqun.ingest.days import missing_groups
    from renqun.ingest.landing import days_in_landing, stray_folders

    paths = home.paths(shop.id)
    last = request.days[-1]
    if strays := stray_folders(paths):
        raise RequestError(
            f"landing holds what is no group: {', '.join(folder.name for folder in strays)}",
            where=", ".join(str(folder) for folder in strays),
            remedy=f"move the files to landing/<group>/<YYYY-MM-DD>/; groups are {', '.join(GROUPS)}",
        )
    absent = [group for group in missing_groups(home, shop, last) if last not in days_in_landing(paths, group)]
    if absent:
        raise _missing(home, shop, last, absent)


def run_request(home: Home, shop: Shop, request: Request, watcher: Watcher) -> Outcome:
    """Run the DAGs of a shop for a request, in this process.

    Raises:
        RenqunError: the error that stopped it.
    """
    dags = load_dags((*(f"ingest_{group}" for group in INGESTED), "build_marts", "publish_audiences"), shop.id)
    outcome = Outcome()
    for days in request.steps:
        done: dict[str, Any] = {"days": [str(day) for day in (days[0], days[-1])]}
        outcome.passes.append(done)
        done["ingest"] = _ingest(home, shop, dags, days, watcher)
        done.update(_build_and_publish(home, shop, dags, days[-1], request, watcher))
    return outcome


def _ingest(home: Home, shop: Shop, dags: dict[str, Any], days: Sequence[date], watcher: Watcher) -> dict[str, Any]:
    conf = {"date": str(days[0])} if len(days) == 1 else {"from": str(days[0]), "to": str(days[-1])}
    results = {
        group: run_dag(dags[f"ingest_{group}"], day=days[-1], conf=conf, watcher=watcher)
        for group in INGESTED
        if _has_work(home, shop, group, days)
    }
    for result in results.values():
        _raise_error_of(result)
    if not any(result.task("announce_exports").state == "success" for result in results.values()):
        from renqun.ingest.days import missing_groups

        if missing := missing_groups(home, shop, days[-1]):
            raise _missing(home, shop, days[-1], missing)
    return {
        group: {**(result.task("receive_files").returned or {}), **(result.task("promote_batches").returned or {})}
        for group, result in results.items()
    }


def _has_work(home: Home, shop: Shop, group: Group, days: Sequence[date]) -> bool:
    from renqun.ingest.landing import days_in_landing
    from renqun.ingest.ledger import incoming_batches

    paths = home.paths(shop.id)
    return (
        group in shop.expect
        or not set(days).isdisjoint(days_in_landing(paths, group))
        or bool(incoming_batches(paths, group, set(days)))
    )


def _build_and_publish(
    home: Home, shop: Shop, dags: dict[str, Any], day: date, request: Request, watcher: Watcher
) -> dict[str, Any]:
    conf: dict[str, Any] = {"date": str(day), "full_refresh": request.full_refresh}
    if request.as_of is not None:
        conf["as_of"] = str(request.as_of)
    built = run_dag(dags["build_marts"], day=day, conf=conf, watcher=watcher)
    _raise_error_of(built)
    marts = built.task("publish_marts").returned
    done: dict[str, Any] = {"build": built.task("plan_build").returned, "marts": marts}
    as_of = _audience_date(home, shop, marts)
    if as_of is not None:
        # Also where nothing new was built: an earlier run may have stopped between marts and audiences.
        published = run_dag(dags["publish_audiences"], day=as_of, conf={"date": str(as_of)}, watcher=watcher)
        _raise_error_of(published)
        done["audiences"] = published.task("promote_audiences").returned
    return done


def _audience_date(home: Home, shop: Shop, marts: dict[str, Any] | None) -> date | None:
    """As of which date to publish audiences: of the marts just published, else of the latest."""
    from renqun.publish.versions import latest_marts

    if marts is not None:
        return date.fromisoformat(marts["as_of"])
    latest = latest_marts(home.paths(shop.id))
    return latest.as_of if latest is not None else None


def _raise_error_of(result: DagRunResult) -> None:
    if result.error is not None:
        raise result.error
    failed: list[TaskResult] = [task for task in result.tasks if task.state == "failed"]
    if failed:
        raise TechnicalError(f"task {failed[0].task_id} of {result.dag_id} failed without an error")


def _missing(home: Home, shop: Shop, day: date, groups: Sequence[Group]) -> RequestError:
    landing = home.paths(shop.id).landing
    folders = ", ".join(str(landing / group / str(day)) for group in groups)
    return RequestError(
        f"shop {shop.id} has no {' and no '.join(groups)} export of {day}",
        where=folders,
        remedy="put the files there and run again; if the day has none, run "
        + " and ".join(f"'renqun close-day --shop {shop.id} --group {group} --date {day}'" for group in groups),
    )
