"""`make bench`: what a day costs on a short and on a long history, beside the floor and beside the peers.

Timings are reported and decide nothing: a benchmark, not a test. Only unequal results of the peers are an error.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.bench import floor, peers

from renqun.simulate.benchmark import BENCHMARK_END, generate_events, generate_order_lines

console = Console(highlight=False)


def main() -> int:
    """Measure and print the tables."""
    arguments = _arguments()
    work = Path(arguments.keep or tempfile.mkdtemp(prefix="renqun-bench-"))
    try:
        return _bench(arguments, work)
    finally:
        if not arguments.keep:
            shutil.rmtree(work, ignore_errors=True)


def _bench(arguments: argparse.Namespace, work: Path) -> int:
    measured = {}
    longest = max(arguments.history)
    compared: list[dict[str, Any]] = []
    for history in arguments.history:
        home = work / f"history-{history}"
        end = BENCHMARK_END - timedelta(days=1)
        _generate(home, arguments, days=history, end=end)
        _say(f"loading {history} days of history ...")
        first = end - timedelta(days=history - 1)
        measured[f"{history} days at once"] = _measure(home, first, end)
        if history == longest and not arguments.no_peers:
            _say("the same work beside peers ...")
            compiled = home / "default/warehouse/dbt/marts/target/compiled"
            compared = peers.compare(home / "default", compiled, work / "peers", str(end))
        _generate(home, arguments, days=1, end=BENCHMARK_END, events=arguments.day_events, lines=arguments.day_lines)
        _say(f"one day on {history} days of history ...")
        day = _measure(home, BENCHMARK_END, BENCHMARK_END)
        day["floor"] = floor.floor_seconds(home / "default", str(BENCHMARK_END))
        measured[f"a day on {history}"] = day
    _show_stages(measured)
    _show_ratios(measured, arguments.history)
    _show_peers(compared)
    is_equal = all(row["equal"] for row in compared)
    if not arguments.no_segments:
        _say("the segment marts of a large shop ...")
        command = [sys.executable, "-m", "tests.bench.segments", "--scale", str(arguments.segments_scale)]
        command += ["--no-peers"] if arguments.no_peers else []
        is_equal = subprocess.run(command, check=False).returncode == 0 and is_equal
    if not arguments.no_funnels:
        _say("the funnels of a year ...")
        subprocess.run([sys.executable, "-m", "tests.bench.funnels"], check=True)
    if not arguments.no_readers:
        _say("reading exports as platforms give them ...")
        subprocess.run([sys.executable, "-m", "tests.bench.readers"], check=True)
    return 0 if is_equal else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--history", type=int, nargs="+", default=[30, 365], help="days of history")
    parser.add_argument("--events", type=int, default=20_000, help="events a day of history")
    parser.add_argument("--lines", type=int, default=2_000, help="order lines a day of history")
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--day-events", type=int, help="events of the measured day (default: as a day of history)")
    parser.add_argument("--day-lines", type=int, help="order lines of the measured day")
    parser.add_argument("--no-peers", action="store_true", help="leave Polars and chDB out")
    parser.add_argument("--no-segments", action="store_true", help="leave the segment marts of a large shop out")
    parser.add_argument(
        "--segments-scale", type=float, default=0.02, help="that shop: share of a million customers and their year"
    )
    parser.add_argument("--no-funnels", action="store_true", help="leave the funnels of a year out")
    parser.add_argument("--no-readers", action="store_true", help="leave the readers of exports out")
    parser.add_argument("--keep", help="work in this folder and keep it")
    return parser.parse_args()


def _generate(
    home: Path,
    arguments: argparse.Namespace,
    *,
    days: int,
    end: date,
    events: int | None = None,
    lines: int | None = None,
) -> None:
    began = time.perf_counter()
    landing = home / "default" / "landing"
    events, lines = events or arguments.events, lines or arguments.lines
    generate_events(landing, days=days, events_per_day=events, customers=arguments.customers, end=end)
    generate_order_lines(landing, days=days, lines_per_day=lines, customers=arguments.customers, end=end)
    if days > 1:
        rate = days * (events + lines) / (time.perf_counter() - began)
        _say(f"made {days * events:,} events and {days * lines:,} order lines, {rate:,.0f} rows a second")


def _measure(home: Path, first: date, last: date) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.measure", str(home), str(first), str(last)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _to_facts(found: dict[str, Any]) -> float:
    return sum(found["seconds"][stage] for stage in ("receive", "promote", "models: to facts"))


def _engine(found: dict[str, Any]) -> float:
    return _to_facts(found) + float(found["seconds"]["models: as of D"])


def _show_stages(measured: dict[str, dict[str, Any]]) -> None:
    table = Table(title="engine seconds by stage (start-up left out)", title_justify="left")
    table.add_column("stage")
    for column in measured:
        table.add_column(column, justify="right")
    stages = list(dict.fromkeys(stage for found in measured.values() for stage in found["seconds"]))
    for stage in stages:
        table.add_row(stage, *(f"{found['seconds'].get(stage, 0):.2f}" for found in measured.values()))
    table.add_row("peak memory, GiB", *(f"{found['peak_gib']:.2f}" for found in measured.values()))
    console.print(table)
    day = list(measured.values())[-1]
    slowest = sorted(day["models"].items(), key=lambda item: -item[1])[:10]
    console.print("slowest models of the last column: " + ", ".join(f"{name} {took:.2f}" for name, took in slowest))


def _show_ratios(measured: dict[str, dict[str, Any]], history: list[int]) -> None:
    table = Table(title="ratios", title_justify="left")
    for column in ("what", "measured", "to hold"):
        table.add_column(column)
    short, long = (measured[f"a day on {days}"] for days in (min(history), max(history)))
    if short is not long:
        ratio = _to_facts(long) / _to_facts(short)
        said = f"landing to facts, a day on {max(history)} ÷ on {min(history)} days"
        table.add_row(said, f"{ratio:.2f} ({_to_facts(long):.2f} s ÷ {_to_facts(short):.2f} s)", "≤ 1.2")
        ratio = _engine(long) / _engine(short)
        table.add_row("the same, as-of marts included", f"{ratio:.2f}", "linear in customers")
    for days in history:
        found = measured[f"a day on {days}"]
        ratio = _engine(found) / found["floor"]
        said = f"{ratio:.2f} ({_engine(found):.2f} s ÷ {found['floor']:.2f} s)"
        table.add_row(f"a day on {days}: engine work ÷ floor", said, "≤ 2, with --day-events 1000000 --day-lines 20000")
    console.print(table)


def _show_peers(compared: list[dict[str, Any]]) -> None:
    if not compared:
        return
    table = Table(title="the same work beside peers (best of three, from the same Parquet)", title_justify="left")
    for column in ("task", "engine", "seconds", "÷ ours", "result"):
        table.add_column(column)
    ours = {row["task"]: row["seconds"] for row in compared if row["engine"].startswith("renqun")}
    for row in compared:
        ratio = row["seconds"] / ours[row["task"]]
        equal = "equal" if row["equal"] else "DIFFERENT"
        table.add_row(row["task"], row["engine"], f"{row['seconds']:.3f}", f"{ratio:.2f}", equal)
    console.print(table)


def _say(sentence: str) -> None:
    console.print(sentence)


if __name__ == "__main__":
    sys.exit(main())
