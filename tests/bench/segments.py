"""What identity and the segment marts cost on a large shop, the first day and the next.

Ready facts are made up (`segment_facts`), the models are built by dbt as in production, and Polars computes some of the
results from the same facts: unequal results are an error, seconds are not. The engine may take as much memory as in
production (`RENQUN_MEMORY_LIMIT`), and spills to disk beyond it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.bench import identity, segment_facts
from tests.bench.dbt_runs import Built, build

MODELS = ("path:models/marts/cohorts/int_customer_deal_days.sql", "path:models/marts/segments")
console = Console(highlight=False)


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
        build(warehouse, segment_facts.LAST_DATE, None, ("seed",))
        segment_facts.write_base(warehouse, scale)
        shutil.move(warehouse, facts)
        console.print(f"made {scale.customers:,} customers and their year in {time.perf_counter() - began:.0f} s")
    shutil.copyfile(facts, warehouse)
    runs = {"first day": build(warehouse, segment_facts.LAST_DATE, None, ("run", "--select", *MODELS))}
    equal = True
    if with_peer:
        equal = _compare(warehouse, work / "peer")
    day = segment_facts.write_next_day(warehouse, scale)
    runs["next day"] = build(warehouse, day, segment_facts.LAST_DATE, ("run", "--select", *MODELS))
    _show("segment marts", runs, scale)
    people, is_right = identity.measure(work / "identity", scale)
    _show("identity", people, scale)
    _show("identity and segment marts", {name: runs[name] + people[name] for name in runs}, scale)
    return 0 if equal and is_right else 1


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


def _show(of_what: str, runs: dict[str, Built], scale: segment_facts.Scale) -> None:
    first, following = runs["first day"], runs["next day"]
    title = f"{of_what} of {scale.customers:,} customers, 2 threads"
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
