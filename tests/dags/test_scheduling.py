"""What a scheduler does on the days that are not like others; docs/scheduling.md says which test proves what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from renqun.airflow.embedded import Watcher, load_dags, run_dag
from renqun.ingest.days import close_day
from renqun.settings import Home, Shop

DAY = date(2026, 3, 8)
DAYS = 430


def _ingest(shop: Shop) -> Any:
    """The orders' ingest of a shop, as a scheduler has it from the metadata."""
    from airflow.serialization.serialized_objects import DagSerialization

    from renqun.airflow.ingest_dag import ingest_dag

    dag = ingest_dag(shop, "orders", doc=None, tags=[])
    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


def _ticks(dag: Any, last_run_after: datetime) -> Iterator[Any]:
    """The runs that a scheduler makes one after another, since one at this instant."""
    from airflow.timetables.base import DagRunInfo
    from pendulum import instance

    info = DagRunInfo(run_after=instance(last_run_after), data_interval=None, partition_date=None, partition_key="x")
    while True:
        info = dag.next_dagrun_info(last_automated_run_info=info)
        yield info


@pytest.mark.parametrize("at", [time(0, 30), time(2, 30), time(23, 45)])
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/Los_Angeles", "Europe/Berlin", "America/Santiago"])
def test_every_date_has_one_run_through_clock_changes_and_month_ends(home: Path, zone: str, at: time) -> None:
    """430 days: changes of clocks both ways, the end of every month, a 29th of February. 02:30 is skipped by one
    change of Los Angeles' clocks and comes twice at the other, so it is with Berlin's; with Santiago's it is 00:30."""
    dag = _ingest(Shop(id="hangzhou", time_zone=zone, export_hours={"orders": at}))
    first = date(2026, 12, 31)
    ticks = _ticks(dag, datetime.combine(first, time(23, 59), tzinfo=ZoneInfo(zone)))
    seen = [next(ticks) for _ in range(DAYS)]
    assert [info.partition_key for info in seen] == [str(first + timedelta(days=n)) for n in range(DAYS)]
    assert "2028-02-29" in {info.partition_key for info in seen}
    for info in seen:
        ready = info.run_after.in_timezone(zone)
        assert ready.date() == date.fromisoformat(info.partition_key) + timedelta(days=1)


def test_a_time_that_a_change_of_clocks_skips_is_an_hour_later() -> None:
    from renqun.airflow.wiring import on_every_day

    assert on_every_day(time(2, 30), "America/Los_Angeles") == time(3, 30)
    assert on_every_day(time(0, 15), "America/Santiago") == time(1, 15)
    assert on_every_day(time(2, 30), "Asia/Shanghai") == time(2, 30)


@pytest.mark.parametrize("days", [1, 3, 35])
def test_days_down_or_paused_are_made_up_for_in_order(home: Path, days: int) -> None:
    """No run was made for some days: whether nobody scheduled or the DAG was paused is the same to Airflow."""
    zone = ZoneInfo("Asia/Shanghai")
    dag = _ingest(Shop(id="hangzhou", scheduled_since=date(2026, 3, 1)))
    now = datetime.now(UTC).astimezone(zone)
    today = datetime.combine(now.date(), time(6, 0), tzinfo=zone)
    newest = today if today <= now else today - timedelta(days=1)
    ticks = _ticks(dag, newest - timedelta(days=days))
    made = [next(ticks) for _ in range(days + 1)]
    wanted = [(newest - timedelta(days=n)).date() for n in range(days, -1, -1)]
    assert [info.partition_key for info in made] == [str(day) for day in wanted]
    assert [info.run_after <= now for info in made] == [True] * days + [False], "then it waits for the next morning"
    assert dag.max_active_runs == 1, "one after another"


def test_a_new_scheduler_begins_with_the_first_date_that_the_shop_names(home: Path) -> None:
    dag = _ingest(Shop(id="hangzhou", scheduled_since=date(2026, 3, 1)))
    info = dag.next_dagrun_info(last_automated_run_info=None)
    assert info.partition_key == "2026-03-01"
    assert info.run_after.isoformat() == "2026-03-01T22:00:00+00:00", "the next morning in Hangzhou"


def test_without_one_it_begins_with_its_next_tick_and_not_with_history(home: Path) -> None:
    info = _ingest(Shop(id="hangzhou")).next_dagrun_info(last_automated_run_info=None)
    now = datetime.now(UTC)
    assert now < info.run_after <= now + timedelta(days=1)


@pytest.fixture
def two_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A shop of its own that expects orders and traffic; its landing is empty."""
    home = Home(tmp_path)
    home.shops_file.write_text("shops: [{id: hangzhou}]", encoding="utf-8")
    monkeypatch.setenv("RENQUN_HOME", str(tmp_path))
    return home


def _run(name: str, **conf: str) -> Any:
    return run_dag(load_dags((name,), "hangzhou")[name], day=DAY, conf=conf or {"date": str(DAY)}, watcher=Watcher())


def test_a_holiday_without_traffic_is_announced_once_it_is_closed(two_groups: Home) -> None:
    """The real stages: a group that is closed has nothing to read, and a date of closed groups is complete."""
    shop = two_groups.shop("hangzhou")
    assert _run("ingest_traffic").error is not None, "nobody said that there is none"
    close_day(two_groups, shop, "traffic", DAY)
    half = _run("ingest_traffic")
    assert half.error is None
    assert half.task("announce_exports").state == "skipped", "orders are missing still"
    close_day(two_groups, shop, "orders", DAY)
    whole = _run("ingest_orders")
    assert whole.task("announce_exports").announced == (("hangzhou/exports", str(DAY)),)


def test_two_shops_share_neither_pool_nor_asset_nor_lock(dags: dict[str, Any]) -> None:
    """What one of them waits for never holds up the other."""
    held: dict[str, set[str]] = {"hangzhou": set(), "seattle": set()}
    for dag_id, dag in dags.items():
        shop = dag_id.partition("__")[0]
        for task in dag.tasks:
            held[shop] |= {task.pool, *(asset.name for asset in task.outlets)} - {"default_pool"}
    assert all(held.values())
    assert not held["hangzhou"] & held["seattle"]
    home = Home(Path("home"))
    assert home.paths("hangzhou").writer_lock != home.paths("seattle").writer_lock


def test_a_backfill_of_a_month_leaves_todays_run_where_it_is(home: Path) -> None:
    """The next tick follows from the newest date that had a run, not from the run that was made last."""
    from airflow.dag_processing.collection import _get_latest_runs_stmt_partitioned

    order = str(_get_latest_runs_stmt_partitioned("hangzhou__ingest_orders").compile())
    assert "ORDER BY dag_run.partition_date IS NULL, dag_run.partition_date DESC" in order
    dag = _ingest(Shop(id="hangzhou", scheduled_since=date(2026, 11, 1)))
    wanted = [date(2026, 3, 1) + timedelta(days=n) for n in range(31)]
    made = dag.iter_dagrun_infos_between(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, 23, 59, tzinfo=UTC))
    assert [info.partition_key for info in made] == [str(day) for day in wanted]
