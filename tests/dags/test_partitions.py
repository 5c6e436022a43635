"""Which business date a run is about: of the schedule, of a backfill, of a conf; on both sides of Greenwich."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from renqun.airflow.conf import days_of
from renqun.errors import RequestError

ZONES = {"hangzhou": ZoneInfo("Asia/Shanghai"), "seattle": ZoneInfo("America/Los_Angeles")}
WANTED = ["2026-03-06", "2026-03-07", "2026-03-08", "2026-03-09"]
"""The Sunday of this range is the day on which Seattle's clocks go forward."""


def _scheduler_dag(dag: Any) -> Any:
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))


def _backfill_dates(dag: Any, first: str, last: str) -> list[str]:
    """The dates of `airflow backfill create --from-date first --to-date last`, with its own parser of instants."""
    from airflow.cli.cli_config import parsedate

    infos = _scheduler_dag(dag).iter_dagrun_infos_between(parsedate(first), parsedate(last))
    return [info.partition_key for info in infos]


@pytest.mark.parametrize("shop", ["hangzhou", "seattle"])
@pytest.mark.parametrize("group", ["orders", "traffic", "profiles", "marketing"])
def test_a_backfill_gives_exactly_the_wanted_dates_when_given_instants_with_a_zone(
    dags: dict[str, Any], shop: str, group: str
) -> None:
    dag = dags[f"{shop}__ingest_{group}"]
    first = datetime(2026, 3, 6, tzinfo=ZONES[shop]).isoformat()
    last = datetime(2026, 3, 9, 23, 59, 59, tzinfo=ZONES[shop]).isoformat()
    assert _backfill_dates(dag, first, last) == WANTED


@pytest.mark.parametrize("shop", ["hangzhou", "seattle"])
@pytest.mark.parametrize("zone", ["", "Z", "+08:00", "-08:00"])
def test_a_backfill_reads_the_wall_clock_whatever_zone_is_written(dags: dict[str, Any], shop: str, zone: str) -> None:
    dag = dags[f"{shop}__ingest_orders"]
    assert _backfill_dates(dag, f"2026-03-06T00:00:00{zone}", f"2026-03-09T23:59:59{zone}") == WANTED


@pytest.mark.parametrize("shop", ["hangzhou", "seattle"])
def test_a_backfill_to_a_bare_date_leaves_that_date_out(dags: dict[str, Any], shop: str) -> None:
    # Midnight comes before the export hour: the documented way names the end of the last day.
    assert _backfill_dates(dags[f"{shop}__ingest_orders"], "2026-03-06", "2026-03-09") == WANTED[:-1]


@pytest.mark.parametrize(
    ("shop", "tick"),
    [("hangzhou", "2026-03-09T06:00:00+08:00"), ("seattle", "2026-03-09T07:30:00-07:00")],
)
def test_the_scheduled_run_of_a_morning_is_about_the_day_before(dags: dict[str, Any], shop: str, tick: str) -> None:
    from airflow.timetables.base import DagRunInfo, TimeRestriction
    from pendulum import parse

    timetable = _scheduler_dag(dags[f"{shop}__ingest_orders"]).timetable
    yesterday = parse(tick).subtract(days=1)
    last = DagRunInfo(run_after=yesterday, data_interval=None, partition_date=None, partition_key="2026-03-07")
    info = timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=TimeRestriction(None, None, catchup=True))
    assert info.run_after == parse(tick)
    assert info.partition_key == "2026-03-08"


def test_scheduled_and_backfilled_runs_of_a_date_are_the_same_partition(dags: dict[str, Any]) -> None:
    from airflow.timetables.base import DagRunInfo, TimeRestriction
    from pendulum import parse

    for shop, tick in (("hangzhou", "2026-07-09T06:00:00+08:00"), ("seattle", "2026-07-09T07:30:00-07:00")):
        dag = _scheduler_dag(dags[f"{shop}__ingest_orders"])
        last = DagRunInfo(
            run_after=parse(tick).subtract(days=1), data_interval=None, partition_date=None, partition_key="x"
        )
        scheduled = dag.timetable.next_dagrun_info_v2(
            last_dagrun_info=last, restriction=TimeRestriction(None, None, catchup=True)
        )
        (backfilled,) = dag.iter_dagrun_infos_between(parse("2026-07-08T00:00:00Z"), parse("2026-07-08T23:59:59Z"))
        assert scheduled.partition_date == backfilled.partition_date
        assert scheduled.partition_key == backfilled.partition_key == "2026-07-08"


def _run(conf: dict[str, Any] | None = None, key: str | None = None) -> Any:
    return SimpleNamespace(run_id="r", run_type="manual", conf=conf, partition_key=key)


def test_conf_wins_over_the_partition_key() -> None:
    assert days_of(_run({"date": "2026-01-02"}, "2026-01-01")) == [date(2026, 1, 2)]
    assert days_of(_run({}, "2026-01-01")) == [date(2026, 1, 1)]
    assert days_of(_run({"date": None, "from": None}, "2026-01-01")) == [date(2026, 1, 1)]


def test_a_range_is_all_its_days() -> None:
    days = days_of(_run({"from": "2026-02-27", "to": "2026-03-01"}))
    assert days == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]


@pytest.mark.parametrize(
    "conf",
    [
        {},
        {"from": "2026-01-01"},
        {"date": "2026-01-01", "from": "2026-01-01", "to": "2026-01-02"},
        {"from": "2026-01-02", "to": "2026-01-01"},
        {"date": "01.02.2026"},
        {"day": "2026-01-01"},
    ],
)
def test_an_unclear_conf_is_refused(conf: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        days_of(_run(conf))
