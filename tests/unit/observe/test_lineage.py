"""OpenLineage events: nothing by default; where a backend is configured, what the specification asks for."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from renqun.errors import GateFailed
from renqun.observe import lineage
from renqun.observe.watching import Watched, watch
from renqun.settings import Home, Shop


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "ENDPOINT", "API_KEY", "DISABLED", "_TRANSPORT__TYPE", "_TRANSPORT__LOG_FILE_PATH"):
        monkeypatch.delenv(f"OPENLINEAGE_{name}", raising=False)
    monkeypatch.setattr(lineage, "_gave_up", set())


def _run(home: Path, stage: str, *, fails: bool = False) -> None:
    watched = Watched(Home(home), Shop(id="default"), date(2026, 3, 31), "run-1", "build_marts", stage)
    if not fails:
        with watch(watched):
            watched.returned = {"rows": 7}
        return
    with pytest.raises(GateFailed), watch(watched):
        raise GateFailed("stopped for 13812345678", gate="marts", checks=("a-b",))


def _file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "events.jsonl"
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "file")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", str(file))
    return file


def _read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _is_valid(event: dict[str, Any]) -> None:
    """The required parts of a RunEvent and of every facet, as the specification lists them."""
    assert {"eventTime", "run", "job", "producer", "schemaURL"} <= event.keys()
    assert event["eventType"] in {"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"}
    assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    uuid.UUID(event["run"]["runId"])
    assert event["schemaURL"].startswith("https://openlineage.io/spec/2-0-2/OpenLineage.json#/")
    assert ":" in event["producer"]
    facets = [event["run"].get("facets", {}), event["job"].get("facets", {})]
    assert event["job"]["namespace"]
    assert event["job"]["name"]
    for dataset in (*event["inputs"], *event["outputs"]):
        assert dataset["namespace"]
        assert dataset["name"]
        facets += [dataset.get("facets", {}), dataset.get("outputFacets", {})]
    for facet in (facet for group in facets for facet in group.values()):
        assert {"_producer", "_schemaURL"} <= facet.keys()


def test_nothing_is_told_by_default(tmp_path: Path) -> None:
    assert lineage.backend() is None
    _run(tmp_path, "publish_marts")
    assert [file.name for file in tmp_path.iterdir()] == ["default"]


def test_a_task_is_told_as_begun_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _file(tmp_path, monkeypatch)
    _run(tmp_path, "publish_marts")
    begun, ended = _read(file)
    for event in (begun, ended):
        _is_valid(event)
    assert (begun["eventType"], ended["eventType"]) == ("START", "COMPLETE")
    assert begun["run"]["runId"] == ended["run"]["runId"]
    assert ended["job"]["name"] == "default.build_marts.publish_marts"
    assert [one["name"] for one in ended["inputs"]] == ["warehouse.marts"]
    assert [one["name"] for one in ended["outputs"]] == ["published.marts"]
    assert ended["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 7
    assert ended["run"]["facets"]["parent"]["job"]["name"] == "default.build_marts"


def test_a_failure_is_told_without_a_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _file(tmp_path, monkeypatch)
    _run(tmp_path, "gate_marts", fails=True)
    _run(tmp_path, "gate_marts")
    _, failed, *again = _read(file)
    _is_valid(failed)
    assert failed["eventType"] == "FAIL"
    assert failed["run"]["facets"]["errorMessage"]["message"] == "GateFailed: stopped for [masked]"
    # Tried again in the same DAG run: a run of its own, of the same parent.
    assert again[0]["run"]["runId"] != failed["run"]["runId"]
    assert again[0]["run"]["facets"]["parent"] == failed["run"]["facets"]["parent"]


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, str | None, Any]]]]:
    came: list[tuple[str, str | None, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            came.append((self.path, self.headers.get("Authorization"), body))
            self.send_response(201)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_port}", came
    listening.shutdown()
    listening.server_close()


def test_events_go_to_the_configured_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: tuple[str, list[tuple[str, str | None, Any]]]
) -> None:
    address, came = server
    monkeypatch.setenv("OPENLINEAGE_URL", address)
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "k3y")
    _run(tmp_path, "promote_audiences")
    assert [(path, key) for path, key, _ in came] == [("/api/v1/lineage", "Bearer k3y")] * 2
    for _, _, event in came:
        _is_valid(event)
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    _run(tmp_path, "promote_audiences")
    assert len(came) == 2


def test_a_backend_that_is_down_is_asked_once_and_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:1/s3cret")
    for _ in range(3):
        _run(tmp_path, "publish_marts")
    assert caplog.text.count("does not take events") == 1
    assert "s3cret" not in caplog.text


def test_every_task_of_the_pipeline_says_what_it_reads_and_writes() -> None:
    from renqun.airflow import stages

    names = {
        name
        for file in Path(stages.__file__).resolve().parents[3].joinpath("dags").glob("*.py")
        for name in ("build_staging", "build_marts")
        if name in file.read_text(encoding="utf-8")
    }
    source = Path(stages.__file__).read_text(encoding="utf-8")
    names |= {part.split('"')[0] for part in source.split('@recorded("')[1:]}
    assert {"receive_files", "promote_audiences", "build_marts"} <= names
    # These two only decide.
    assert names - lineage._FLOW.keys() == {"plan_build", "announce_exports"}
