"""Runs of dbt are forks of one process that has it imported, and share nothing but that."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from renqun.thresholds import DBT_PROJECT
from renqun.warehouse.dbt_client import DbtRun, start_dbt


def _start(folder: Path, *command: str, lock: int | None = None, **environment: str) -> DbtRun:
    arguments = [*command, "--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    return start_dbt(arguments, {"PATH": os.environ["PATH"], "DBT_VERSION_CHECK": "false", **environment}, lock)


def test_a_run_tells_what_dbt_said_and_how_it_ended(tmp_path: Path) -> None:
    run = _start(tmp_path, "biuld")
    assert "No such command 'biuld'" in "\n".join(run.lines())
    assert run.wait() == 2


def test_runs_have_a_process_in_common_and_an_environment_each(tmp_path: Path) -> None:
    runs = []
    for name in ("first", "second"):
        run = _start(tmp_path, "parse", DBT_PROFILES_DIR=f"/no/{name}")
        assert f"/no/{name}" in "\n".join(run.lines())
        run.wait()
        runs.append(run)
    assert runs[0].server is runs[1].server
    assert runs[0].process != runs[1].process


def test_a_run_holds_the_lock_until_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "writer.lock"
    with file.open("w") as ours:
        fcntl.flock(ours, fcntl.LOCK_EX)
        project = ("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT))
        warehouse = {"RENQUN_WAREHOUSE": str(tmp_path / "renqun.duckdb"), "RENQUN_RAW_ROOT": str(tmp_path)}
        run = _start(tmp_path, "parse", *project, lock=ours.fileno(), **warehouse)
    # Ours is closed, as if this process had been killed: the run, which parses for seconds, goes on.
    with file.open("r") as another:
        with pytest.raises(BlockingIOError):
            fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)
        run.kill()
        fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_process_that_has_ended_is_started_anew(tmp_path: Path) -> None:
    first = _start(tmp_path, "biuld")
    first.wait()
    first.server.process.kill()
    first.server.process.wait()
    second = _start(tmp_path, "biuld")
    assert second.wait() == 2
    assert second.server is not first.server
