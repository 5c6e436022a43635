"""One message a cause and day; a channel that is slow, down or refuses fails nothing; nothing tells a secret."""

from __future__ import annotations

import errno
import json
import logging
import threading
import time
from datetime import date
from pathlib import Path

import pytest

from receivers import Robot, robot
from renqun.alerts import ledger
from renqun.alerts.causes import cause_of, stopped
from renqun.alerts.ledger import open_alerts
from renqun.alerts.message import Alert
from renqun.alerts.telling import tell, tell_mended
from renqun.errors import GateFailed, RequestError, ShopBusy, TechnicalError
from renqun.settings import Channel, Home, Shop

DAY = date(2026, 3, 31)
GATE = GateFailed("1 critical check failed", gate="marts", checks=("fct_orders-adds_up",))


def _shop(*channels: Channel) -> Shop:
    return Shop(id="default", alerts=channels)


WECOM = Channel(kind="wecom", url_env="ROBOT_URL")


@pytest.fixture
def robot_of(monkeypatch: pytest.MonkeyPatch) -> object:
    with robot() as server:
        monkeypatch.setenv("ROBOT_URL", server.address)
        yield server


def _stopped(error: BaseException = GATE, dag: str = "build_marts", task: str = "gate_marts", ds: date = DAY) -> Alert:
    return stopped("default", ds, dag, task, error)


def test_a_cause_is_told_once_a_day_whatever_fails_of_it(tmp_path: Path, robot_of: Robot) -> None:
    home, shop = Home(tmp_path), _shop(WECOM)
    full = TechnicalError("the marts were not published")
    full.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert tell(home, shop, _stopped(full, task="publish_marts")) is True
    # The same disk fails other tasks of the day in other words.
    assert tell(home, shop, _stopped(OSError(errno.ENOSPC, "No space left"), "ingest_orders", "receive_files")) is False
    assert tell(home, shop, _stopped(full, task="publish_marts")) is False
    assert len(robot_of.bodies) == 1
    # Another day, and another cause of the same day, are news.
    assert tell(home, shop, _stopped(full, task="publish_marts", ds=date(2026, 4, 1))) is True
    assert tell(home, shop, _stopped(GATE)) is True
    assert len(robot_of.bodies) == 3
    assert [one.times for one in ledger.read(home.paths("default"))] == [3, 1, 1]


def test_what_is_one_cause() -> None:
    gate = cause_of(GATE, "build_marts", "gate_marts")
    assert gate == cause_of(GateFailed("other words", gate="marts", checks=("fct_orders-adds_up",)), "x", "y")
    assert gate != cause_of(GateFailed("w", gate="marts", checks=("fct_orders-adds_up", "b")), "x", "y")
    assert gate != cause_of(GateFailed("w", gate="staging", checks=("fct_orders-adds_up",)), "x", "y")
    busy = [ShopBusy(f"another process is at work: process {pid}") for pid in (7, 4711)]
    assert len({cause_of(error, "a", "b") for error in busy}) == 1
    overtaken = [TechnicalError(f"build {build} was overtaken") for build in ("0a1b2c3d4e", "99887766ff")]
    assert len({cause_of(error, "a", "b") for error in overtaken}) == 1
    groups = [RequestError(f"shop default has no {group} files of 2026-03-31") for group in ("orders", "traffic")]
    assert len({cause_of(error, "a", "b") for error in groups}) == 2


def test_mending_is_told_once_and_coming_back_is_news(tmp_path: Path, robot_of: Robot) -> None:
    home, shop = Home(tmp_path), _shop(WECOM)
    assert tell_mended(home, shop, DAY, "default__build_marts", "gate_marts") is False
    tell(home, shop, _stopped())
    assert tell_mended(home, shop, DAY, "default__build_marts", "build_marts") is False
    assert tell_mended(home, shop, date(2026, 3, 30), "default__build_marts", "gate_marts") is False
    # The build of a later day stands for the days before.
    assert tell_mended(home, shop, date(2026, 4, 1), "default__build_marts", "gate_marts") is True
    assert "mended: gate marts stopped" in robot_of.bodies[-1]["markdown"]["content"]
    assert open_alerts(home.paths("default")) == []
    assert tell_mended(home, shop, DAY, "default__build_marts", "gate_marts") is False
    assert tell(home, shop, _stopped()) is True
    assert len(robot_of.bodies) == 3


def test_an_export_of_another_day_mends_nothing(tmp_path: Path, robot_of: Robot) -> None:
    home, shop = Home(tmp_path), _shop(WECOM)
    tell(home, shop, _stopped(RequestError("no orders files"), "ingest_orders", "wait_for_files"))
    assert tell_mended(home, shop, date(2026, 4, 1), "default__ingest_orders", "wait_for_files") is False
    assert tell_mended(home, shop, DAY, "default__ingest_orders", "wait_for_files") is True


def test_a_channel_that_did_not_take_it_is_tried_at_the_next_failure(
    tmp_path: Path, robot_of: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    shop = _shop(WECOM, Channel(kind="slack", url_env="SLACK_URL"))
    tell(home, shop, _stopped())
    assert ledger.read(home.paths("default"))[0].channels == ("wecom:ROBOT_URL",)
    with robot(b"ok") as second:
        monkeypatch.setenv("SLACK_URL", second.address)
        assert tell(home, shop, _stopped()) is True
        assert len(second.bodies) == 1
    assert len(robot_of.bodies) == 1
    assert ledger.read(home.paths("default"))[0].channels == ("slack:SLACK_URL", "wecom:ROBOT_URL")


def test_two_tasks_that_fail_at_once_send_one_message(tmp_path: Path, robot_of: Robot) -> None:
    robot_of.delay = 0.3
    home, shop = Home(tmp_path), _shop(WECOM)
    threads = [threading.Thread(target=tell, args=(home, shop, _stopped())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(robot_of.bodies) == 1


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (b'{"errcode":93000,"errmsg":"invalid webhook url"}', 200, "refused it with code 93000"),
        (b"<html>", 200, "none of its documented ones"),
        (b"", 500, "HTTP 500"),
    ],
)
def test_a_refusal_is_logged_without_the_address(
    tmp_path: Path, robot_of: Robot, caplog: pytest.LogCaptureFixture, answer: bytes, status: int, said: str
) -> None:
    robot_of.answer, robot_of.status = answer, status
    assert tell(Home(tmp_path), _shop(WECOM), _stopped()) is False
    assert said in caplog.text
    assert "t0ken" not in caplog.text
    assert "127.0.0.1" not in caplog.text


@pytest.mark.parametrize("address", ["", "http://example.com/t0ken", "no address t0ken", "http://127.0.0.1:1/t0ken"])
def test_a_wrong_address_fails_nothing_and_is_never_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    monkeypatch.setenv("ROBOT_URL", address)
    for kind in ("wecom", "email"):
        to = ("ops@example.com",) if kind == "email" else ()
        channel = Channel(kind=kind, url_env="ROBOT_URL", to=to)  # type: ignore[arg-type]
        assert tell(Home(tmp_path), _shop(channel), _stopped()) is False
    assert "could not be sent to wecom:ROBOT_URL" in caplog.text
    assert "t0ken" not in caplog.text


def test_a_slow_channel_holds_nobody_up(
    tmp_path: Path, robot_of: Robot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RENQUN_ALERT_TIMEOUT_SECONDS", "0.5")
    robot_of.delay = 3
    began = time.monotonic()
    assert tell(Home(tmp_path), _shop(WECOM), _stopped()) is False
    assert time.monotonic() - began < 2.5
    assert "could not be sent" in caplog.text


def test_where_the_ledger_cannot_be_written_it_is_told_all_the_same(
    tmp_path: Path, robot_of: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ledger, "write", full)
    assert tell(Home(tmp_path), _shop(WECOM), _stopped()) is True
    assert len(robot_of.bodies) == 1


def test_a_damaged_ledger_silences_nothing(tmp_path: Path, robot_of: Robot) -> None:
    home, shop = Home(tmp_path), _shop(WECOM)
    file = ledger.ledger_file(home.paths("default"))
    file.parent.mkdir(parents=True)
    file.write_text("{", encoding="utf-8")
    assert tell(home, shop, _stopped()) is True
    assert tell(home, shop, _stopped()) is False


def test_shops_without_channels_use_those_of_the_environment(
    tmp_path: Path, robot_of: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RENQUN_ALERTS", json.dumps([{"kind": "wecom", "url_env": "ROBOT_URL"}]))
    assert tell(Home(tmp_path), Shop(id="default", alerts=()), _stopped()) is False
    assert tell(Home(tmp_path), Shop(id="other"), _stopped()) is True


def test_settings_that_cannot_be_read_fail_no_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RENQUN_ALERTS", "[{t0ken")
    assert tell(Home(tmp_path), Shop(id="default"), _stopped()) is False
    assert "an alert could not be told" in caplog.text
    assert "t0ken" not in caplog.text


def test_an_alert_tells_no_cell_of_a_row(tmp_path: Path, robot_of: Robot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    errors = [
        ValueError("could not convert 13812345678"),
        TechnicalError("dbt could not build m: Could not convert string '李雷' to INT64, wang.fang@example.com"),
        RequestError("row 7 of orders.csv: +86 138 1234 5678 is no order of 2026-03-31 09:10:11"),
    ]
    for error in errors:
        assert tell(Home(tmp_path), _shop(WECOM), _stopped(error)) is True
    everything = str(robot_of.bodies) + caplog.text + ledger.ledger_file(Home(tmp_path).paths("default")).read_text()
    for personal in ("13812345678", "李雷", "wang.fang", "138 1234"):
        assert personal not in everything
    assert "2026-03-31 09:10:11" in everything


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "email", "url_env": "A"},
        {"kind": "slack", "url_env": "A", "to": ["a@example.com"]},
        {"kind": "slack", "url_env": "A", "secret_env": "B"},
        {"kind": "slack", "url_env": "https://hooks.example/secret"},
        {"kind": "pager", "url_env": "A"},
        {"kind": "wecom", "url_env": "A", "url": "https://hooks.example"},
    ],
)
def test_a_channel_is_strictly_read(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own sentence
        Channel.model_validate(wrong)
