"""What a task does is recorded under its DAG and name; what it logs or fails of names nobody; its alert is one."""

from __future__ import annotations

import json
import logging
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from receivers import robot
from renqun.airflow import alerts, stages
from renqun.airflow.embedded import Watcher, load_dags, run_dag
from renqun.airflow.recording import recorded
from renqun.errors import GateFailed
from renqun.observe.runs import last_of_each_stage
from renqun.settings import Home

DAY = date(2026, 3, 8)
RUN = SimpleNamespace(run_id="r", run_type="manual", conf={"date": str(DAY)}, partition_key=None, dag_id="default__x")


@pytest.fixture
def shop_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    (tmp_path / "shops.yml").write_text(
        "shops: [{id: default, expect: [orders], alerts: [{kind: wecom, url_env: ROBOT_URL}]}]", encoding="utf-8"
    )
    monkeypatch.setenv("RENQUN_HOME", str(tmp_path))
    return Home(tmp_path)


def test_a_task_is_recorded_under_its_dag_and_name(shop_home: Home) -> None:
    @recorded(lambda layer: f"build_{layer}")
    def work(shop_id: str, dag_run: object, layer: str) -> dict[str, int]:
        return {"rows": 3}

    assert work("default", RUN, "marts") == {"rows": 3}
    [run] = last_of_each_stage(shop_home.paths("default"))
    assert (run.dag, run.stage, run.ds, run.rows, run.run_id) == ("x", "build_marts", DAY, 3, "r")


def test_words_of_engines_and_lines_of_logs_name_nobody(shop_home: Home) -> None:
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    @recorded("work")
    def work(shop_id: str, dag_run: object) -> None:
        logging.getLogger("renqun.some.module").warning("row of %s", "13812345678")
        raise ValueError("Could not convert string '李雷' to INT64")

    handler = Kept()
    logging.getLogger().addHandler(handler)
    try:
        with pytest.raises(ValueError, match=r"Could not convert string '\[masked\]' to INT64"):
            work("default", RUN)
    finally:
        logging.getLogger().removeHandler(handler)
    assert lines == ["row of [masked]"]


def test_one_failed_gate_is_one_message_and_its_mending_another(
    shop_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow's own task runner calls the callbacks; the tasks behind a failed one say nothing."""
    fails = True

    def gate(shop_id: str, dag_run: object, group: str) -> dict[str, int]:
        if fails:
            raise GateFailed("2 critical checks failed", gate="raw", subject=group, checks=("batches-has_rows",))
        return {"checks": 1}

    monkeypatch.setattr(stages, "receive", lambda *_: {"batch_ids": ["b"]})
    monkeypatch.setattr(stages, "check_raw", gate)
    monkeypatch.setattr(stages, "promote_batches", lambda *_: {"accepted": 1})
    monkeypatch.setattr(stages, "completeness", lambda *_: {"date": str(DAY), "missing": []})
    dag = load_dags(("ingest_orders",), "default")["ingest_orders"]
    with robot() as server:
        monkeypatch.setenv("ROBOT_URL", server.address)
        for _ in range(2):
            result = run_dag(dag, day=DAY, conf={"date": str(DAY)}, watcher=Watcher())
            assert {task.task_id: task.state for task in result.tasks}["announce_exports"] == "upstream_failed"
        assert len(server.bodies) == 1
        assert "gate raw (orders) stopped the run" in server.bodies[0]["markdown"]["content"]
        fails = False
        for _ in range(2):
            assert run_dag(dag, day=DAY, conf={"date": str(DAY)}, watcher=Watcher()).error is None
        assert len(server.bodies) == 2
        assert "mended: gate raw (orders) stopped the run" in server.bodies[1]["markdown"]["content"]
    told = json.loads((shop_home.paths("default").quality / "alerts.json").read_text(encoding="utf-8"))["told"]
    assert [(one["times"], bool(one["mended_at"])) for one in told] == [(2, True)]


def test_a_context_of_the_scheduler_is_enough(shop_home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """Where a task's process died, the scheduler calls: with no error, or with a text in its place."""
    task = SimpleNamespace(dag_id="default__build_marts", task_id="build_marts")
    for error in (None, "killed externally"):
        alerts.tell_operator({"ti": task, "dag_run": RUN, "exception": error})
    assert caplog.text.count("ALERT renqun default 2026-03-08: build_marts failed") == 1
    alerts.tell_operator({"ti": task})
    alerts.tell_operator({})
    assert "an alert could not be told: KeyError" in caplog.text
