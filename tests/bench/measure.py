"""One pass from landing to published marts, stage by stage: run as a process of its own, prints JSON.

usage: python -m tests.bench.measure HOME FIRST_DAY LAST_DAY

Engine seconds are what a stage works: start-up (imports, dbt's own start) is left out. dbt's part is the sum of its
nodes' seconds. Peak memory is that of this process and of dbt's, whichever is larger.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from renqun.run import RunContext
from renqun.settings import Group, Home

GROUPS: tuple[Group, ...] = ("orders", "traffic")
FACTS = ("fct_orders", "fct_order_lines", "fct_refunds", "fct_events", "fct_sessions")
"""The marts that hold what happened; with everything before them they are "from landing to facts"."""


def run_days(home: Home, days: list[date]) -> dict[str, Any]:
    """Engine seconds of each stage, seconds of each model, peak memory."""
    import great_expectations  # noqa: F401  - start-up is not what is measured

    from renqun.airflow.provenance import gate_records, origin, touched_dates
    from renqun.ingest.promote import promote_batches
    from renqun.ingest.receive import receive_files
    from renqun.publish.marts import publish_marts
    from renqun.quality.gates import gate_marts, gate_raw, gate_staging
    from renqun.warehouse.layers import build_layer
    from renqun.warehouse.plan import finish_build, plan_build

    shop = home.shop("default")
    ctx = RunContext(home, shop, days[-1], run_id="bench")
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - began

    for group in GROUPS:
        with timed("receive"):
            receive_files(home, shop, group, days)
        with timed("gate raw"):
            gate_raw(ctx, group, days)
        with timed("promote"):
            promote_batches(home, shop, group, days)
    with timed("plan"):
        plan = plan_build(ctx)
    assert plan is not None, "nothing is new"
    build = plan.context(ctx)
    models: dict[str, float] = {}
    tests = 0.0
    for layer in ("staging", "marts"):
        report = build_layer(ctx, plan, layer)
        for node in report.nodes:
            if node.kind == "test":
                tests += node.seconds
            else:
                models[node.name] = node.seconds
                is_fact = layer == "staging" or node.name in FACTS
                stage = "models: to facts" if is_fact else "models: as of D"
                seconds[stage] = seconds.get(stage, 0.0) + node.seconds
        with timed(f"gate {layer}"):
            gate_staging(build) if layer == "staging" else gate_marts(build)
    seconds["tests of models"] = tests
    with timed("publish"):
        publish_marts(
            build,
            build_id=plan.build_id,
            as_of=plan.as_of,
            provenance=origin(),
            is_latest=plan.is_latest,
            touched_dates=touched_dates(build, plan),
            gates=gate_records(build, ("staging", "marts")),
        )
        finish_build(ctx, plan)
    usages = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"seconds": seconds, "models": models, "peak_gib": max(usages) / 2**20}


def main() -> None:
    """Entry point."""
    home, first, last = Home(Path(sys.argv[1])), date.fromisoformat(sys.argv[2]), date.fromisoformat(sys.argv[3])
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    print(json.dumps(run_days(home, days)))


if __name__ == "__main__":
    main()
