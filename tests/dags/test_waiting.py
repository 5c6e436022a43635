"""How long a scheduled ingest waits, and who does not wait at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from renqun.airflow import waiting
from renqun.airflow.waiting import NothingToIngest, deadline_of, files_have_arrived
from renqun.errors import RequestError
from renqun.ingest.days import close_day
from renqun.run import RunContext
from renqun.settings import Home

DAY = date(2026, 3, 8)


@pytest.fixture
def shop_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    (tmp_path / "shops.yml").write_text(
        "shops: [{id: default}, {id: seattle, time_zone: America/Los_Angeles, deadline: '12:00'}]", encoding="utf-8"
    )
    monkeypatch.setenv("RENQUN_HOME", str(tmp_path))
    return Home(tmp_path)


def _at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return moment.astimezone(tz)

    monkeypatch.setattr(waiting, "datetime", Clock)


def _run(run_type: str, conf: dict[str, Any] | None = None) -> Any:
    return SimpleNamespace(run_id="r", run_type=run_type, conf=conf, partition_key=str(DAY))


def _drop(home: Home, group: str) -> None:
    folder = home.paths("default").landing / group / str(DAY)
    folder.mkdir(parents=True)
    (folder / "export.csv").write_text("order_id\n", encoding="utf-8")


BEFORE = datetime(2026, 3, 9, 17, 59, tzinfo=UTC) - timedelta(hours=8)
AFTER = BEFORE + timedelta(minutes=2)


def test_the_deadline_is_local_time_of_the_next_day(shop_home: Home) -> None:
    east = deadline_of(RunContext.of("default", DAY, home=shop_home))
    west = deadline_of(RunContext.of("seattle", DAY, home=shop_home))
    assert east.astimezone(UTC) == datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
    assert west.astimezone(UTC) == datetime(2026, 3, 9, 19, 0, tzinfo=UTC)


def test_a_scheduled_run_waits_until_the_deadline_then_fails(shop_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _at(monkeypatch, BEFORE)
    assert files_have_arrived("default", "orders", _run("scheduled")) is False
    _at(monkeypatch, AFTER)
    with pytest.raises(RequestError, match=r"no orders files of 2026-03-08.*deadline") as caught:
        files_have_arrived("default", "orders", _run("scheduled"))
    assert "renqun close-day --shop default --group orders --date 2026-03-08" in str(caught.value)


def test_a_group_that_nobody_expects_skips_at_the_deadline(shop_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _at(monkeypatch, BEFORE)
    assert files_have_arrived("default", "profiles", _run("scheduled")) is False
    _at(monkeypatch, AFTER)
    with pytest.raises(NothingToIngest):
        files_have_arrived("default", "profiles", _run("scheduled"))


def test_files_end_the_wait(shop_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _at(monkeypatch, BEFORE)
    _drop(shop_home, "orders")
    assert files_have_arrived("default", "orders", _run("scheduled")) is True


def test_a_half_written_file_is_waited_for(shop_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _at(monkeypatch, BEFORE)
    folder = shop_home.paths("default").landing / "orders" / str(DAY)
    folder.mkdir(parents=True)
    (folder / "export.csv.part").write_text("order_id", encoding="utf-8")
    assert files_have_arrived("default", "orders", _run("scheduled")) is False


def test_a_closed_day_ends_the_wait(shop_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _at(monkeypatch, BEFORE)
    close_day(shop_home, shop_home.shop("default"), "orders", DAY)
    assert files_have_arrived("default", "orders", _run("scheduled")) is True


def test_a_backfill_skips_days_without_files(shop_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _at(monkeypatch, AFTER)
    with pytest.raises(NothingToIngest):
        files_have_arrived("default", "orders", _run("backfill"))


def test_a_run_with_a_date_in_its_conf_does_not_wait(shop_home: Home) -> None:
    assert files_have_arrived("default", "orders", _run("manual", {"date": str(DAY)})) is True
