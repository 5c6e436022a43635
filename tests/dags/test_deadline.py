"""A date that is not published by the shop's hour: Airflow misses the deadline, and one alert is told."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from receivers import Robot, robot
from renqun.airflow.alerts import tell_if_late
from renqun.airflow.environment import airflow_environment
from renqun.errors import RequestError
from renqun.ingest.days import close_day
from renqun.observe.lateness import due_at, lacking, late, newest_due
from renqun.settings import PROJECT_ROOT, Home

DAY = date(2026, 3, 8)
SHOPS = """
shops:
  - id: seattle
    time_zone: America/Los_Angeles
    publish_by: "08:30"
    alerts: [{kind: wecom, url_env: ROBOT_URL}]
  - {id: quiet}
"""


@pytest.fixture
def shop_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    (tmp_path / "shops.yml").write_text(SHOPS, encoding="utf-8")
    monkeypatch.setenv("RENQUN_HOME", str(tmp_path))
    return Home(tmp_path)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Robot]:
    with robot() as listening:
        monkeypatch.setenv("ROBOT_URL", listening.address)
        yield listening


def test_the_hour_is_the_shops_own_on_the_day_after(shop_home: Home) -> None:
    shop = shop_home.shop("seattle")
    # The clocks went forward in between: 08:30 is at 15:30 UTC, not 16:30.
    assert due_at(shop, DAY) == datetime(2026, 3, 9, 15, 30, tzinfo=UTC)
    due = datetime(2026, 3, 9, 15, 30, tzinfo=UTC)
    assert newest_due(shop, due - timedelta(seconds=1)) == DAY - timedelta(days=1)
    assert newest_due(shop, due) == DAY
    assert newest_due(shop_home.shop("quiet"), due) is None


def test_what_is_late_says_what_it_lacks(shop_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from renqun.publish import versions

    shop, after = shop_home.shop("seattle"), datetime(2026, 3, 9, 16, 0, tzinfo=UTC)
    found = late(shop_home, shop, after)
    assert found is not None
    assert (found.ds, found.lacks) == (DAY, ("orders export", "traffic export"))
    close_day(shop_home, shop, "traffic", DAY)
    assert lacking(shop_home, shop, DAY) == ("orders export",)
    # Nothing to publish on a day that nobody expects anything of.
    close_day(shop_home, shop, "orders", DAY)
    assert late(shop_home, shop, after) is None
    assert lacking(shop_home, shop, DAY + timedelta(days=1)) == ("orders export", "traffic export")
    for as_of, lacks in ((DAY, True), (DAY + timedelta(days=1), False), (DAY + timedelta(days=2), False)):
        monkeypatch.setattr(versions, "latest_marts", lambda paths, as_of=as_of: type("V", (), {"as_of": as_of}))
        folder = shop_home.paths("seattle").published_audiences / "welcome" / f"as_of={as_of}"
        folder.mkdir(parents=True)
        (folder / "outcome.json").write_text("{}", encoding="utf-8")
        assert bool(lacking(shop_home, shop, DAY + timedelta(days=1))) is lacks


def test_marts_without_audiences_are_not_published(shop_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from renqun.ingest import days
    from renqun.publish import versions

    monkeypatch.setattr(days, "missing_groups", lambda *_: [])
    assert lacking(shop_home, shop_home.shop("seattle"), DAY) == ("marts", "audiences")
    monkeypatch.setattr(versions, "latest_marts", lambda paths: type("V", (), {"as_of": DAY}))
    assert lacking(shop_home, shop_home.shop("seattle"), DAY) == ("audiences",)


def test_a_missed_deadline_is_told_once(shop_home: Home, server: Robot) -> None:
    context = {"dag_run": {"partition_key": str(DAY)}, "deadline": {}}
    for _ in range(2):
        asyncio.run(tell_if_late("seattle", context))
    [body] = server.bodies
    text = body["markdown"]["content"]
    assert "renqun seattle 2026-03-08: not published by 08:30" in text
    assert "orders export, traffic export" in text
    assert "docs/runbooks/late.md" in text


def test_what_is_published_meanwhile_or_not_yet_due_is_not_told(
    shop_home: Home, server: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from renqun.observe import lateness

    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    asyncio.run(tell_if_late("seattle", {"dag_run": {"partition_key": str(tomorrow)}}))
    monkeypatch.setattr(lateness, "lacking", lambda *_: ())
    asyncio.run(tell_if_late("seattle", {"dag_run": {"partition_key": str(DAY)}}))
    assert server.bodies == []


def test_an_hour_before_the_exports_is_refused(tmp_path: Path) -> None:
    shop = "shops: [{id: a, publish_by: '08:00', export_hours: {traffic: '%s'}}]"
    (tmp_path / "shops.yml").write_text(shop % "07:59", encoding="utf-8")
    assert Home(tmp_path).shop("a").publish_by is not None
    (tmp_path / "shops.yml").write_text(shop % "08:00", encoding="utf-8")
    with pytest.raises(RequestError, match="publish_by 08:00 is not after the last export hour, 08:00"):
        Home(tmp_path).shops()


_IN_AIRFLOW = """
import asyncio, datetime, json, sys
from airflow.utils import db
db.initdb()
from airflow import settings
from airflow._shared.module_loading import import_string
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.models.dagbundle import DagBundleModel
from airflow.models.deadline import Deadline
from airflow.models.serialized_dag import SerializedDagModel
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select
bag = DagBag(sys.argv[1] + "/watch_publication.py", bundle_path=sys.argv[1])
assert not bag.import_errors, bag.import_errors
with create_session() as session:
    session.add(DagBundleModel(name="dags"))
    session.flush()
    sync_bag_to_db(bag, "dags", None, session=session)
now = datetime.datetime(2026, 3, 9, 13, 0, tzinfo=datetime.UTC)
with create_session() as session:
    dag = SerializedDagModel.get_dag("seattle__watch_publication", session=session)
    run = dag.create_dagrun(run_id="r", run_after=now, run_type=DagRunType.SCHEDULED, partition_key="2026-03-08",
                            triggered_by=DagRunTriggeredByType.TIMETABLE, state=DagRunState.QUEUED, session=session)
    session.flush()
    [deadline] = session.scalars(select(Deadline)).all()
    waits = (deadline.deadline_time - run.queued_at).total_seconds()
    deadline.handle_miss(session)
    data = dict(deadline.callback.data)
    missed = deadline.missed
for _ in range(2):
    asyncio.run(import_string(data["path"])(**data["kwargs"]))
print(json.dumps({"dags": sorted(bag.dags), "waits": waits, "missed": missed}))
"""


def test_airflow_keeps_the_deadline_and_its_callback_tells(shop_home: Home, server: Robot, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IN_AIRFLOW, str(PROJECT_ROOT / "dags")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **airflow_environment(shop_home)},
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    # The shop that has set no hour has no such DAG; the other's run begins at 06:00 and is due at 08:30.
    assert said == {"dags": ["seattle__watch_publication"], "waits": 2.5 * 3600, "missed": True}
    assert len(server.bodies) == 1
