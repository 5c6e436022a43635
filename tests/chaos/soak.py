"""`make soak`: days through the server's scheduler while a tenth of its tasks is killed; two shops at once; restarts.

Every day lands, its ingests are asked for, and the day ends when its audiences are published. Airflow retries what was
killed; a gate is never retried: whoever looks clears it, which is done here as an operator does, by the API. In the end
everything must be as where nobody broke anything, and no row may be missing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

sys.path.extend(str(Path(__file__).parents[1] / folder) for folder in (".", "chaos", "e2e", "infra"))

import small_shop
from compose_processes import SERVICES, Server, wait_for
from lab import standing_is_whole
from rich.console import Console
from server_access import DAGS, VARIABLES, api, ask, clear_what_failed, sign_in, trigger
from workbench import Workbench, differences

import parsed_project

PAGE = Path(__file__).parents[2] / "docs" / "soak.md"
COMMAND = "make soak"
GROUPS = ("orders", "traffic")
_DAY_SECONDS = 1800.0
console = Console(highlight=False, soft_wrap=True)


@dataclass
class Soak:
    """What was seen."""

    days: int
    seconds: list[float] = field(default_factory=list)
    tasks: int = 0
    killed: int = 0
    cleared: int = 0
    rows_lost: int = 0
    wrong_publications: int = 0
    apart: dict[str, tuple[int, int]] = field(default_factory=dict)
    restarts: list[float] = field(default_factory=list)
    one_after_the_other: float = 0.0
    at_once: float = 0.0


def through_the_scheduler(root: Path, soak: Soak, share: float, seed: int) -> None:
    """All days on a server whose tasks are killed, then the same days undisturbed, beside each other."""
    for folder in (root.parent, root):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    server = Server(root, VARIABLES)
    # Nothing is due by the clock meanwhile.
    far = date.today() + timedelta(days=1)
    (server.home / "shops.yml").write_text(f"shops: [{{id: default, scheduled_since: {far}}}]\n", encoding="utf-8")
    plugins = server.home / "airflow" / "plugins"
    plugins.mkdir(parents=True)
    shutil.copyfile(Path(__file__).with_name("task_faults.py"), plugins / "task_faults.py")
    server.own(plugins.parent)
    server.services["scheduler"]["environment"] |= {"SOAK_SHARE": str(share), "SOAK_SEED": str(seed)}
    bench = Workbench(server.home)
    try:
        server.up()
        token = sign_in(server)
        for number in range(1, soak.days + 1):
            soak.seconds.append(_one_day(server, token, bench, number, soak))
            console.print(f"day {number}: {soak.seconds[-1]:.0f} s, {_lines(server, '.killed')} killed so far")
        soak.restarts = [_restart(server, token, soak.days) for _ in range(2)]
    finally:
        server.stop()
    soak.tasks = (server.home / "airflow" / "task-faults").stat().st_size
    soak.killed = _lines(server, ".killed")
    soak.rows_lost = _rows_lost(bench, soak.days)
    whole = Workbench(root / "whole")
    for number in range(1, soak.days + 1):
        small_shop.drop_day(whole, number)
    whole.done("run", "--from", small_shop.DAYS[0], "--to", small_shop.DAYS[soak.days - 1], "--each-day")
    soak.apart = differences(whole, bench)


def _one_day(server: Server, token: str, bench: Workbench, number: int, soak: Soak) -> float:
    began, day = time.monotonic(), small_shop.DAYS[number - 1]
    small_shop.drop_day(bench, number)
    server.own(bench.shop())
    for group in GROUPS:
        trigger(server, token, day, f"default__ingest_{group}")

    def is_published() -> bool:
        server.start_again_what_ended()
        soak.cleared += clear_what_failed(server, token)
        pointer = bench.audience_pointer("new_customer")
        return pointer is not None and pointer["as_of"] == day and not _running(server, token)

    wait_for(is_published, _DAY_SECONDS, lambda: f"{day} was not published:\n{server.said('scheduler')}")
    if not standing_is_whole(bench):
        soak.wrong_publications += 1
    return time.monotonic() - began


def _running(server: Server, token: str) -> bool:
    signed_in = {"Authorization": f"Bearer {token}"}
    for dag in DAGS:
        for state in ("running", "queued"):
            _, text = ask(f"{api(server)}/api/v2/dags/{dag}/dagRuns?state={state}&limit=1", **signed_in)
            if json.loads(text).get("dag_runs"):
                return True
    return False


def _restart(server: Server, token: str, number: int) -> float:
    """Seconds from kill −9 of all services to the end of a task that was asked for afterwards."""
    (server.home / "airflow" / "plugins" / "task_faults.py").unlink(missing_ok=True)
    for service in SERVICES:
        server.kill(service)
    began = time.monotonic()
    server.start_again_what_ended()
    server.wait_until_healthy(["api-server"], 120)
    run = trigger(server, token, small_shop.DAYS[number - 1])
    wait_for(lambda: run() == "success", 300, lambda: server.said("scheduler"))
    return time.monotonic() - began


def _lines(server: Server, suffix: str) -> int:
    file = (server.home / "airflow" / "task-faults").with_suffix(suffix)
    return len(file.read_text(encoding="utf-8").splitlines()) if file.exists() else 0


def _rows_lost(bench: Workbench, days: int) -> int:
    """Orders and events that were landed and are not in the marts, or in them and never landed."""
    orders = {row.split(",")[0] for n in range(1, days + 1) for row in small_shop.day(n).orders}
    events = sum(len(small_shop.day(n).events) for n in range(1, days + 1))
    manifest = json.loads((bench.shop() / "published" / "marts" / "latest" / "manifest.json").read_text("utf-8"))
    with bench.marts() as marts:
        found = {row[0] for row in marts.execute("select order_id from fct_orders").fetchall()}
    return len(orders ^ found) + abs(events - manifest["partitioned"]["fct_events"]["rows"])


def two_shops(root: Path, soak: Soak) -> None:
    """A day of two shops, one after the other and at once, in homes that are otherwise equal."""

    def home(name: str) -> Workbench:
        bench = Workbench(root / name)
        bench.shops("shops:\n  - {id: one}\n  - {id: two}\n")
        for shop in ("one", "two"):
            small_shop.drop_day(bench, 1, shop=shop)
        return bench

    def run(bench: Workbench, shop: str) -> Callable[[], None]:
        process = bench.start("run", "--date", small_shop.DAYS[0], "--shop", shop)

        def ended() -> None:
            said, _ = process.communicate(timeout=600)
            assert process.returncode == 0, said

        return ended

    run(home("warm"), "one")()  # byte code and the parsed project are there for both
    alone, beside = home("alone"), home("beside")
    began = time.monotonic()
    for shop in ("one", "two"):
        run(alone, shop)()
    soak.one_after_the_other = time.monotonic() - began
    began = time.monotonic()
    for ended in [run(beside, shop) for shop in ("one", "two")]:
        ended()
    soak.at_once = time.monotonic() - began


def page(soak: Soak, share: float, seed: int) -> str:
    """The page, `soak.md` among the documents."""
    rows = [
        ("simulated days through the scheduler", str(soak.days), "30"),
        ("tasks started", str(soak.tasks), ""),
        (f"of them killed (−9), a share of {share:.0%} asked for", str(soak.killed), ""),
        ("runs cleared by hand, because a gate is never retried", str(soak.cleared), ""),
        ("rows lost or invented", str(soak.rows_lost), "0"),
        ("publications that did not verify", str(soak.wrong_publications), "0"),
        ("marts that differ from undisturbed days", str(len(soak.apart)), "0"),
        ("seconds a day, median", f"{sorted(soak.seconds)[len(soak.seconds) // 2]:.0f}" if soak.seconds else "–", ""),
        ("seconds from kill −9 of all services to a finished run", ", ".join(f"{s:.0f}" for s in soak.restarts), "60"),
        ("two shops one after the other, seconds", f"{soak.one_after_the_other:.0f}", ""),
        ("two shops at once, seconds", f"{soak.at_once:.0f}", f"{1.2 * soak.one_after_the_other:.0f}"),
    ]
    arguments = f"--days {soak.days} --seed {seed}"
    return "\n".join(
        [
            "# Days through the scheduler, while tasks are killed",
            "",
            f"Written by `{COMMAND}` (`{arguments}`, {os.cpu_count()} cores): do not edit. The server of",
            "`docker-compose.yml` runs as processes against PostgreSQL; a seeded share of all tasks is killed within",
            "seconds of its start, and Airflow does the rest.",
            "",
            "| what | measured | at most |",
            "|---|---|---|",
            *(f"| {what} | {measured} | {wanted} |" for what, measured, wanted in rows),
            "",
        ]
    )


def main() -> int:
    """Run all, write the page; 0 where nothing was lost, wrong or different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-two-shops", action="store_true")
    parser.add_argument("--place", help="a folder for the homes; one in memory (/dev/shm) spares a slow disk")
    arguments = parser.parse_args()
    parsed_project.make_folder()
    small_shop.DAYS = tuple(str(date(2026, 3, 1) + timedelta(days=n)) for n in range(max(5, arguments.days)))
    soak = Soak(0 if arguments.only_two_shops else arguments.days)
    root = Path(tempfile.mkdtemp(prefix="renqun-soak-", dir=arguments.place))
    try:
        two_shops(root, soak)
        console.print(f"two shops: {soak.one_after_the_other:.0f} s after each other, {soak.at_once:.0f} s at once")
        if arguments.only_two_shops:
            return 0
        through_the_scheduler(root / "server", soak, arguments.share, arguments.seed)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    PAGE.write_text(page(soak, arguments.share, arguments.seed), encoding="utf-8")
    console.print(page(soak, arguments.share, arguments.seed))
    return 1 if soak.rows_lost or soak.wrong_publications or soak.apart else 0


if __name__ == "__main__":
    sys.exit(main())
