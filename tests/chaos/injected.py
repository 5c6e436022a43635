"""Faults that happen inside a run: installed in a fork of `renqun` before its command begins (see e2e/forks.py)."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import Any

VARIABLE = "CHAOS_FAULT"
"""The environment variable that carries a plan, as JSON, into the fork."""


def install(plan: str) -> None:
    """Make ready what the plan says; the fork gets a process group of its own, so that a kill reaches dbt, too."""
    os.setsid()
    what = json.loads(plan)
    if what["kind"] == "kill_after":
        _later(what["seconds"], what["whole_group"])
    elif what["kind"] == "kill_at_task":
        _at_task(what["dag"], what["task"], what["when"], what["whole_group"])
    else:
        raise ValueError(f"no such fault: {plan}")


def _at_task(dag: str, task: str, when: str, whole_group: bool) -> None:
    """Kill as soon as a task begins, a while after, or as soon as it has ended."""
    from renqun.cli.progress import RunProgress

    begins, ended = RunProgress.begins, RunProgress.ended

    def on_begin(self: RunProgress, dag_id: str, task_id: str, day: Any) -> None:
        begins(self, dag_id, task_id, day)
        if (dag_id.partition("__")[2], task_id) == (dag, task) and when != "end":
            _later(float(when), whole_group)

    def on_end(self: RunProgress, result: Any) -> None:
        if (result.dag_id.partition("__")[2], result.task_id) == (dag, task):
            _kill(whole_group)  # where it was quicker than the time before its kill, too
        ended(self, result)

    RunProgress.begins, RunProgress.ended = on_begin, on_end  # type: ignore[method-assign]


def _later(seconds: float, whole_group: bool) -> None:
    if seconds <= 0:
        _kill(whole_group)
    watch = threading.Thread(target=lambda: (time.sleep(seconds), _kill(whole_group)), daemon=True)
    watch.start()


def _kill(whole_group: bool) -> None:
    if whole_group:
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
