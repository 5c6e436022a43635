"""What the segment marts cost on a large shop, the first day and the next: `python -m tests.bench.segments --help`.

Ready facts are made up (`segment_facts`), the models are built by dbt as in production, and Polars computes some of the
results from the same facts: unequal results are an error, seconds are not. The engine may take as much memory as in
production (`RENQUN_MEMORY_LIMIT`), and spills to disk beyond it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table
from tests.bench import segment_facts

PROJECT = Path(__file__).parents[2] / "dbt_project"
MODELS = ("path:models/marts/cohorts/int_customer_deal_days.sql", "path:models/marts/segments")
console = Console(highlight=False)


@dataclass(frozen=True)
class Built:
    """A run of dbt over the segment models."""

    models: dict[str, float]
    wall_seconds: float
    cpu_seconds: float
    peak_gib: float

    @property
    def node_seconds(self) -> float:
        """What the models took, dbt's own start left out."""
        return sum(self.models.values())


def main() -> int:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.segments", description=__doc__)
    parser.add_argument(
        "--scale", type=float, default=0.02, help="share of a million customers, 20 million lines, 100 million events"
    )
    parser.add_argument("--no-peers", action="store_true", help="leave Polars out")
    parser.add_argument("--keep", help="work in this folder and keep it; facts that are there are used again")
    arguments = parser.parse_args()
    # Absolute: dbt takes folders as of its project.
    work = Path(arguments.keep or tempfile.mkdtemp(prefix="renqun-bench-segments-")).resolve()
    try:
        return _bench(segment_facts.Scale(arguments.scale), work, with_peer=not arguments.no_peers)
    finally:
        if not arguments.keep:
            shutil.rmtree(work, ignore_errors=True)


def _bench(scale: segment_facts.Scale, work: Path, *, with_peer: bool) -> int:
    facts = work / f"facts-{scale.share}.duckdb"
    warehouse = work / "renqun.duckdb"
    if not facts.exists():
        began = time.perf_counter()
        work.mkdir(parents=True, exist_ok=True)
        warehouse.unlink(missing_ok=True)
        _build(warehouse, segment_facts.LAST_DATE, None, ("seed",))
        segment_facts.write_base(warehouse, scale)
        shutil.move(warehouse, facts)
        console.print(f"made {scale.customers:,} customers and their year in {time.perf_counter() - began:.0f} s")
    shutil.copyfile(facts, warehouse)
    runs = {"first day": _build(warehouse, segment_facts.LAST_DATE, None, ("run", "--select", *MODELS))}
    equal = True
    if with_peer:
        equal = _compare(warehouse, work / "peer")
    day = segment_facts.write_next_day(warehouse, scale)
    runs["next day"] = _build(warehouse, day, segment_facts.LAST_DATE, ("run", "--select", *MODELS))
    _show(runs, scale)
    return 0 if equal else 1


def _build(warehouse: Path, day: date, previous: date | None, command: tuple[str, ...]) -> Built:
    """dbt in a process of its own, so that its memory and CPU seconds are its own."""
    known = f"date '{previous}'" if previous else "cast(null as date)"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema if not exists ops")
        connection.execute("create table if not exists ops.builds (build_id varchar, finish_number bigint)")
        connection.execute(
            "create or replace table ops.current_build as"
            f" select 'as of {day}' as build_id, date '{day}' as as_of_date, {known} as previous_as_of_date"
        )
    folder = warehouse.parent
    words = [str(Path(sys.executable).with_name("dbt")), *command, "--vars", '{"dates_from": "warehouse"}']
    words += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    words += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    environment = os.environ | {
        "RENQUN_WAREHOUSE": str(warehouse), "RENQUN_RAW_ROOT": str(folder / "raw"), "RENQUN_THREADS": "2",
        "DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }  # fmt: skip
    said = folder / "dbt.log"
    began = time.perf_counter()
    with said.open("w") as output:
        streams = [(os.POSIX_SPAWN_DUP2, output.fileno(), stream) for stream in (1, 2)]
        process = os.posix_spawn(words[0], words, environment, file_actions=streams)
        _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(f"{' '.join(words)} failed:\n{said.read_text()[-4000:]}")
    results = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    models = {result["unique_id"].split(".")[-1]: float(result["execution_time"]) for result in results}
    return Built(models, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20)


def _compare(warehouse: Path, work: Path) -> bool:
    """Print what Polars makes of the same facts; whether it is the same."""
    try:
        from tests.bench import segment_peer
    except ModuleNotFoundError:
        console.print("Polars is not installed: nothing to compare with")
        return True
    rows = segment_peer.compare(warehouse, work, segment_facts.LAST_DATE)
    table = Table(title="the same results by Polars, from the same Parquet", title_justify="left")
    for column in ("what", "groups", "seconds", "result"):
        table.add_column(column)
    for row in rows:
        table.add_row(row.name, str(row.groups), f"{row.seconds:.2f}", "equal" if row.is_equal else "DIFFERENT")
        if not row.is_equal:
            console.print(f"{row.name}: {row.difference}")
    console.print(table)
    return all(row.is_equal for row in rows)


def _show(runs: dict[str, Built], scale: segment_facts.Scale) -> None:
    first, following = runs["first day"], runs["next day"]
    title = f"segment marts of {scale.customers:,} customers, 2 threads"
    table = Table(title=title, title_justify="left")
    for column in ("seconds", *runs, "ratio"):
        table.add_column(column, justify="left" if column == "seconds" else "right")
    for what in ("node_seconds", "cpu_seconds", "wall_seconds", "peak_gib"):
        values = [getattr(run, what) for run in runs.values()]
        table.add_row(what.replace("_", " "), *(f"{value:.1f}" for value in values), f"{values[1] / values[0]:.2f}")
    table.add_section()
    for name in sorted(first.models, key=lambda name: -first.models[name])[:15]:
        one, other = first.models[name], following.models[name]
        table.add_row(name, f"{one:.2f}", f"{other:.2f}", f"{other / one:.2f}")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
