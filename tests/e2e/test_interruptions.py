"""Killed, crowded, cut off: run again, and it is as if nothing had happened."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_shop import DAYS, day, drop_day
from workbench import Workbench, differences, published_bytes

pytestmark = pytest.mark.e2e

GUARD = """
import sys

def _watch(event, args):
    if event == "socket.connect":
        address = args[1]
        local = not isinstance(address, tuple) or str(address[0]) in ("127.0.0.1", "::1", "localhost")
        if not local:
            _note(f"connect {address}")
    elif event == "socket.getaddrinfo" and args[0] not in (None, "localhost", "127.0.0.1", "::1", ""):
        import socket
        if args[0] not in (socket.gethostname(), socket.gethostname().encode()):
            _note(f"look-up {args[0]}")

def _note(what):
    with open(LOG, "a") as log:
        log.write(f"{what} by {sys.argv[:3]}\\n")

with open(LOG, "a") as log:
    log.write("watching\\n")
sys.addaudithook(_watch)
"""


def test_a_run_that_is_killed_anywhere_ends_well_when_it_is_run_again(tmp_path: Path, another) -> None:
    whole = another("whole")
    drop_day(whole, 1)
    whole.done("run", "--date", DAYS[0])
    drop_day(whole, 2)
    base = tmp_path / "base"
    shutil.copytree(whole.home, base, symlinks=True)
    started = time.monotonic()
    process = whole.start("run", "--date", DAYS[1])
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    seconds = time.monotonic() - started

    home = tmp_path / "killed"
    shutil.copytree(base, home, symlinks=True)
    killed = Workbench(home)
    before = published_bytes(killed)
    for share in (0.3, 0.5, 0.7, 0.9):
        process = killed.start("run", "--date", DAYS[1])
        time.sleep(seconds * share)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        latest = killed.latest()
        assert latest is not None
        assert (latest / "manifest.json").exists(), "what latest names is whole"
        assert killed.renqun("verify", str(latest)).exit_code == 0
        if latest.parent.name == f"as_of={DAYS[0]}":
            assert {name: data for name, data in published_bytes(killed).items() if name in before} == before
    killed.done("run", "--date", DAYS[1])
    assert differences(whole, killed) == {}


SCHEDULER = """
import sys
from datetime import date
from renqun.airflow import environment
from renqun.airflow.embedded import Watcher
from renqun.airflow.pipeline import Request, run_request
from renqun.settings import Home

home = Home.from_environment()
environment.apply(environment.embedded_environment(home))
quiet = Watcher(lambda *_: None, lambda *_: None)
run_request(home, home.shop("default"), Request((date.fromisoformat(sys.argv[1]),)), quiet)
"""
"""The tasks of a shop's DAGs in a process of their own, as a scheduler starts them: it asks for no command's lock."""


def test_a_run_while_the_scheduler_works_on_the_same_shop(bench: Workbench, tmp_path: Path) -> None:
    """Both do the same day at the same time: it is built and published once, and no row of it twice.

    The command is watched meanwhile: it opens no connection beyond this machine. A second command is refused.
    """
    watcher, log = tmp_path / "watcher", tmp_path / "network.log"
    watcher.mkdir()
    (watcher / "sitecustomize.py").write_text(f"LOG = {str(log)!r}\n{GUARD}")
    drop_day(bench, 1)
    scheduler = subprocess.Popen(
        [sys.executable, "-c", SCHEDULER, DAYS[0]],
        env=os.environ | {"RENQUN_HOME": str(bench.home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    first = bench.start("run", "--date", DAYS[0], PYTHONPATH=str(watcher))
    lock = bench.shop() / "warehouse" / "run.lock"
    deadline = time.monotonic() + 60
    while not (lock.exists() and lock.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    second = bench.renqun("run", "--date", DAYS[0])
    assert second.exit_code == 3, second.text
    assert str(first.pid) in second.text
    assert "another process" in second.text

    for process in (first, scheduler):
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
    (version,) = (bench.shop() / "published" / "marts" / f"as_of={DAYS[0]}").iterdir()
    assert bench.latest() == version.resolve()
    with bench.marts() as marts:
        orders = marts.execute("select count(*), count(distinct order_id) from fct_orders").fetchone()
    expected = len({row.split(",")[0] for row in day(1).orders})
    assert orders == (expected, expected)
    assert len(bench.json("batches", "list")) == 2

    said = "".join(file.read_text() for file in (bench.home / "airflow" / "embedded" / "logs").rglob("*.log"))
    assert "gate " in said, "either of the two says what its gates saw; which of them looks first is a race"
    assert "could not be rendered" not in said, "pages of empty audiences, too"

    lines = log.read_text().splitlines()
    assert lines.count("watching") >= 2, "the command and its dbt processes are watched"
    assert [line for line in lines if line != "watching"] == []


def test_two_shops_in_two_zones_live_side_by_side(bench: Workbench) -> None:
    bench.shops(
        "shops:\n"
        "  - {id: east, time_zone: Asia/Shanghai}\n"
        "  - {id: west, time_zone: America/Los_Angeles, currency: CNY, expect: [orders]}\n"
    )
    drop_day(bench, 1, shop="east")
    drop_day(bench, 1, shop="west", events=False)
    runs = [bench.start("run", "--date", DAYS[0], "--shop", shop) for shop in ("east", "west")]
    for run in runs:
        output, _ = run.communicate(timeout=300)
        assert run.returncode == 0, output
    query = "select shop_id, visitors, orders_paid from agg_shop_kpis__by_day where orders_paid > 0"
    with bench.marts("east") as east, bench.marts("west") as west:
        ((east_id, east_visitors, east_orders),) = east.execute(query).fetchall()
        ((west_id, west_visitors, west_orders),) = west.execute(query).fetchall()
        instants = [marts.execute("select min(paid_at) from fct_orders").fetchall()[0][0] for marts in (east, west)]
    assert (east_id, west_id, east_orders) == ("east", "west", west_orders)
    assert east_visitors > 0
    assert west_visitors is None, "a shop without traffic has no visitors' count, which is not zero"
    assert (instants[1] - instants[0]).total_seconds() == 16 * 3600, "the same wall clock, sixteen hours apart"
