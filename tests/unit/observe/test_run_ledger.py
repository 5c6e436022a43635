"""A line for every task that ended: what it says, what a kill leaves, and that it fails nobody."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from renqun.errors import GateFailed, RequestError, TechnicalError
from renqun.observe import runs
from renqun.observe.memory import PeakMemory
from renqun.observe.runs import StageRun
from renqun.observe.watching import Watched, watch
from renqun.settings import Home, Shop

DAY = date(2026, 3, 31)


def _watched(home: Home, stage: str = "gate_marts", ds: date = DAY) -> Watched:
    return Watched(home, Shop(id="default"), ds, "run-1", "build_marts", stage)


def _ledger(home: Home) -> list[dict[str, Any]]:
    connection = duckdb.connect()
    runs.attach_run_ledger(connection, home.paths("default"))
    cursor = connection.execute("select * from run_ledger order by began_at, stage")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_a_task_leaves_one_line_with_its_numbers(tmp_path: Path) -> None:
    home, before = Home(tmp_path), datetime.now(UTC)
    with watch(_watched(home, "publish_marts")) as watched:
        time.sleep(0.02)
        watched.returned = {
            "as_of": "2026-03-31",
            "version": "0a" * 8,
            "rows": 12,
            "models": 3,
            "is_new": True,
            "n": [],
        }
    [line] = _ledger(home)
    assert (line["dag"], line["stage"], line["ds"], line["verdict"]) == ("build_marts", "publish_marts", DAY, "done")
    assert (line["rows"], json.loads(line["counts"])) == (12, {"models": 3})
    assert (line["as_of"], line["version"]) == (DAY, "0a" * 8)
    assert 0.02 <= line["seconds"] < 5
    assert before <= line["began_at"].astimezone(UTC).replace(microsecond=999999)
    assert line["peak_memory_bytes"] > 10_000_000  # more than Python itself needs
    assert {"dbt-core", "duckdb", "great-expectations"} <= json.loads(line["versions"]).keys()


@pytest.mark.parametrize(
    ("error", "verdict", "said"),
    [
        (GateFailed("no", gate="marts", checks=("a-b",)), "stopped", "GateFailed: no"),
        (RequestError("no file of 2026-03-31"), "refused", "RequestError: no file of 2026-03-31"),
        (TechnicalError("disk\nmore"), "failed", "TechnicalError: disk"),
        (ValueError("13812345678 is no number"), "failed", "build_marts:ValueError"),
        (KeyboardInterrupt(), "failed", "build_marts:KeyboardInterrupt"),
    ],
)
def test_an_error_is_noted_and_goes_on_as_it_is(tmp_path: Path, error: BaseException, verdict: str, said: str) -> None:
    home = Home(tmp_path)
    with pytest.raises(type(error)) as raised, watch(_watched(home)):
        raise error
    assert raised.value is error
    [line] = _ledger(home)
    assert (line["verdict"], line["error"]) == (verdict, said)
    assert line["checks"] == (["a-b"] if verdict == "stopped" else [])


def test_a_task_with_nothing_to_do_is_skipped(tmp_path: Path) -> None:
    with watch(_watched(Home(tmp_path))):
        pass
    assert _ledger(Home(tmp_path))[0]["verdict"] == "skipped"


def test_what_cannot_be_noted_fails_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "default").write_text("a file where the shop's folder should be", encoding="utf-8")
    with watch(_watched(Home(tmp_path))) as watched:
        watched.returned = {}
    assert "into ledger" in caplog.text


def test_an_empty_ledger_is_a_typed_relation(tmp_path: Path) -> None:
    connection = duckdb.connect()
    runs.attach_run_ledger(connection, Home(tmp_path).paths("default"))
    assert connection.execute("select count(*), max(rows), max(seconds) from run_ledger").fetchone() == (0, None, None)
    types = dict(row[:2] for row in connection.execute("describe run_ledger").fetchall())
    with watch(_watched(Home(tmp_path))):
        pass
    runs.attach_run_ledger(connection, Home(tmp_path).paths("default"))
    assert dict(row[:2] for row in connection.execute("describe run_ledger").fetchall()) == types
    assert types.keys() == StageRun.model_fields.keys()


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    home = Home(tmp_path)
    file = runs.runs_folder(home.paths("default")) / "2026-03-31.jsonl"
    file.parent.mkdir(parents=True)
    with watch(_watched(home, "build_marts")):
        pass
    with file.open("a", encoding="utf-8") as stream:
        stream.write('{"shop_id": "default", "ds": "2026-0')  # killed here
    with watch(_watched(home)):
        pass
    assert [line["stage"] for line in _ledger(home)] == ["build_marts", "gate_marts"]
    assert [run.stage for run in runs.last_of_each_stage(home.paths("default"))] == ["build_marts", "gate_marts"]


def test_lines_of_processes_at_once_do_not_mix(tmp_path: Path) -> None:
    script = (
        "import sys; from datetime import date; from pathlib import Path\n"
        "from renqun.observe import runs; from renqun.settings import Home\n"
        "for n in range(100):\n"
        "    runs.append(Home(Path(sys.argv[1])).paths('default'), runs.StageRun(shop_id='default', ds='2026-03-31',"
        " run_id='r' * 200, dag='d', stage=f'{sys.argv[2]}-{n}', began_at='2026-04-01T00:00:00Z', seconds=1,"
        " verdict='done'))\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), name]) for name in ("a", "b", "c")]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len({line["stage"] for line in _ledger(Home(tmp_path))}) == 300


def test_the_last_run_of_a_task_is_that_which_began_last(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(TechnicalError), watch(_watched(home)):
        raise TechnicalError("no")
    with watch(_watched(home, ds=date(2026, 3, 30))) as watched:
        watched.returned = {}
    [last] = runs.last_of_each_stage(home.paths("default"))
    assert (last.ds, last.verdict) == (date(2026, 3, 30), "done")


def test_memory_of_children_counts_and_that_of_before_does_not() -> None:
    with PeakMemory() as idle:
        pass
    # A process that holds 200 MB for a second.
    with PeakMemory() as busy:
        subprocess.run(
            [sys.executable, "-c", "import time; x = bytearray(b'1') * 200_000_000; time.sleep(1)"], check=True
        )
    with PeakMemory() as idle_again:
        pass
    assert idle.bytes is not None
    assert busy.bytes is not None
    assert idle_again.bytes is not None
    assert busy.bytes - idle.bytes > 190_000_000
    assert idle_again.bytes - idle.bytes < 100_000_000
