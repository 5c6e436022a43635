"""The page of `make chaos` tells of the faults that there are, and of no task that there is not."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.extend(str(Path(__file__).parents[1] / folder) for folder in ("chaos", "e2e", "infra", "dags"))

import pytest
import server_faults
import test_dag_edges
from faults import CHAINS, FAULTS

from chaos import PAGE


def test_a_kill_for_every_task_of_a_day() -> None:
    assert set(CHAINS) == {"ingest_orders", "ingest_traffic", "build_marts", "publish_audiences"}
    for name, tasks in CHAINS.items():
        assert list(tasks) == test_dag_edges.CHAINS[name]
    killed = {fault.name for fault in FAULTS if fault.name.startswith("kill: ")}
    assert killed >= {f"kill: {name}.{task}" for name, tasks in CHAINS.items() for task in tasks}


@pytest.mark.skipif(not PAGE.is_file(), reason="'make chaos' has not written its page yet")
def test_the_page_has_every_fault_and_says_how_each_ended() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in text.splitlines() if line.startswith("| ")}
    left_out = set(re.findall(r"^- (.+?): [^:]*$", text, re.MULTILINE))
    assert {fault.name for fault in FAULTS} | set(server_faults.NAMES) <= rows.keys() | left_out, "make chaos"
    good, of = map(int, re.findall(r"\*\*(\d+) of (\d+) faults", text)[0])
    assert good == of == len(rows) - 1, "a fault that did not end as undisturbed is no page to publish"
