"""Late exports change what was true on dates already built: segments are evaluated anew as of those dates."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from renqun.ingest.ledger import BatchRecord, accepted_batches
from renqun.run import RunContext
from renqun.warehouse import ledger
from renqun.warehouse.connection import connect
from renqun.warehouse.dbt import run_dbt
from renqun.warehouse.memory import MEMORY_TABLES, copy_memory
from renqun.warehouse.plan import BuildPlan

logger = logging.getLogger(__name__)


def reevaluate(ctx: RunContext, plan: BuildPlan) -> None:
    """Evaluate segments anew as of each built date that late or withdrawn exports can touch.

    Each date is built, in order, in a warehouse of its own from the batches of dates up to it; only its spells
    and sizes come back. The caller holds the writer lock and has checked that the warehouse is this build's.
    """
    scratch = ctx.paths.warehouse_dir / "scratch" / f"{plan.build_id}-past.duckdb"
    scratch.unlink(missing_ok=True)
    scratch.with_name(scratch.name + ".wal").unlink(missing_ok=True)
    copy_memory(ctx.paths.warehouse, scratch)
    with connect(ctx.paths.warehouse, read_only=True) as connection:
        built = ledger.built_dates(connection)
    batches = accepted_batches(ctx.paths)
    loaded: set[str] = set()
    for day in plan.reevaluate:
        logger.info("segments are evaluated anew as of %s", day)
        previous = max((other for other in built if other < day), default=None)
        of_day = [batch for batch in batches if batch.ds <= day]
        _tell(scratch, ctx, f"{plan.build_id}-{day}", day, of_day, loaded)
        loaded |= {batch.batch_id for batch in of_day}
        run_dbt(
            ctx,
            warehouse=scratch,
            as_of=day,
            previous_as_of=previous,
            work=ctx.paths.warehouse_dir / "dbt" / "past",
            command=[
                "build",
                "--exclude-resource-type",
                "test",
                "--select",
                *(f"+{t}" for t in MEMORY_TABLES),
            ],
        )
    copy_memory(scratch, ctx.paths.warehouse)
    scratch.unlink(missing_ok=True)


def _tell(
    scratch: Path, ctx: RunContext, build_id: str, day: date, batches: Sequence[BatchRecord], loaded: set[str]
) -> None:
    with connect(scratch) as connection:
        ledger.ensure(connection)
        ledger.begin(
            connection,
            ledger.Build(build_id, day, "", False, False),
            run_id=ctx.run_id,
            batches=batches,
            pending=frozenset(batch.batch_id for batch in batches if batch.batch_id not in loaded),
            raw_root=str(ctx.paths.raw),
        )
