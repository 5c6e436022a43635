"""Faults of a server: its services and its metadata die while the scheduler works on a day."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import small_shop
from compose_processes import Server, wait_for, why_not_here
from server_access import VARIABLES, clear_what_failed, sign_in, trigger
from workbench import Workbench

NAMES = ("server: scheduler killed", "server: metadata gone", "server: API killed")
_WHAT = {
    "server: scheduler killed": "kill −9 of the scheduler and its tasks while it builds",
    "server: metadata gone": "PostgreSQL is killed while the scheduler builds, and comes back after 15 s",
    "server: API killed": "kill −9 of the API server while the scheduler builds",
}
_SERVICE = {
    "server: scheduler killed": "scheduler",
    "server: metadata gone": "postgres",
    "server: API killed": "api-server",
}
_AWAY_SECONDS = 15.0
_LONGEST_SECONDS = 900.0

Result = tuple[str, str, str, str, float]


class NoServer(Exception):
    """PostgreSQL is not installed here."""


def strike_all(root: Path, names: Sequence[str], say: Callable[[str], None]) -> list[Result]:
    """Break a server once for each name, a day of the shop each, and wait until its audiences are published.

    The restart policy and Airflow's own retries do it, and an operator who clears a gate that was hit.
    """
    if why := why_not_here():
        raise NoServer(why)
    root.mkdir(parents=True)
    for folder in (root.parent, root):
        folder.chmod(0o755)
    server = Server(root, VARIABLES)
    (server.home / "shops.yml").write_text("shops:\n  - {id: default, expect: [orders]}\n", encoding="utf-8")
    results: list[Result] = []
    try:
        server.up()
        token = sign_in(server)
        for number, name in enumerate(names, start=1):
            try:
                results.append(_strike(server, token, number, name))
            except AssertionError as wrong:
                results.append((name, _WHAT[name], f"not as foreseen: {str(wrong)[:200]!r}", "not as foreseen", 0.0))
            say(f"{'✓' if results[-1][3] == 'as undisturbed' else '✗'} {name}: {results[-1][2]} → {results[-1][3]}")
    finally:
        server.stop()
    return results


def _strike(server: Server, token: str, number: int, name: str) -> Result:
    bench, day = Workbench(server.home), small_shop.DAYS[number - 1]
    small_shop.drop_day(bench, number, events=False)
    server.own(bench.shop())
    trigger(server, token, day)
    building = bench.shop() / "quality" / "builds" / day
    wait_for(building.exists, 300, lambda: f"no build began:\n{server.said('scheduler')}")
    server.kill(_SERVICE[name], signal.SIGKILL)
    if _SERVICE[name] == "postgres":
        time.sleep(_AWAY_SECONDS)
    began = time.monotonic()
    cleared = [0]

    def is_published() -> bool:
        server.start_again_what_ended()
        cleared[0] += clear_what_failed(server, token)
        pointer = bench.audience_pointer("new_customer")
        return pointer is not None and pointer["as_of"] == day

    wait_for(is_published, _LONGEST_SECONDS, lambda: f"{name}: nothing came:\n{server.said('scheduler')}")
    seconds = time.monotonic() - began
    expected = {row.split(",")[0] for n in range(1, number + 1) for row in small_shop.day(n).orders}
    with bench.marts() as marts:
        found = {row[0] for row in marts.execute("select order_id from fct_orders").fetchall()}
    versions = list((bench.shop() / "published" / "marts" / f"as_of={day}").glob("[0-9a-f]*"))
    apart = "as undisturbed" if found == expected and len(versions) == 1 else f"{len(found ^ expected)} orders differ"
    return name, _WHAT[name], f"published {seconds:.0f} s later, {cleared[0]} runs cleared by hand", apart, seconds
