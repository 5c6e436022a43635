"""Late exports change what was true on dates already built: segments are evaluated anew as of those dates."""

from __future__ import annotations

import logging

from renqun.ingest.ledger import accepted_batches
from renqun.run import RunContext
from renqun.warehouse import ledger
from renqun.warehouse.connection import connect
from renqun.warehouse.dbt import run_dbt
from renqun.warehouse.memory import MEMORY_TABLES, copy_memory
from renqun.warehouse.plan import BuildPlan, remove_scratch, scratch_file

_ONLY_WHAT_REMEMBERS = (
    *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
    *("--select", *(f"+{table}" for table in MEMORY_TABLES)),
)

logger = logging.getLogger(__name__)


def reevaluate(ctx: RunContext, plan: BuildPlan) -> None:
    """Evaluate segments anew as of each built date that late or withdrawn exports can touch.

    Each date is built, in order, in a warehouse of its own from the batches of dates up to it; only its spells
    and sizes come back. The caller holds the writer lock and has checked that the warehouse is this build's.
    """
    scratch = scratch_file(ctx, f"{plan.build_id}-past")
    remove_scratch(scratch)
    copy_memory(ctx.paths.warehouse, scratch)
    with connect(ctx.paths.warehouse, read_only=True) as connection:
        built = ledger.built_dates(connection)
    batches = accepted_batches(ctx.paths)
    loaded: set[str] = set()
    for day in plan.reevaluate:
        logger.info("segments are evaluated anew as of %s", day)
        of_day = [batch for batch in batches if batch.ds <= day]
        is_first = not loaded
        with connect(scratch) as connection:
            ledger.ensure(connection)
            ledger.begin(
                connection,
                ledger.Build(f"{plan.build_id}-{day}", day, plan.fingerprint, is_first, False),
                run_id=ctx.run_id,
                previous_as_of=max((other for other in built if other < day), default=None),
                batches=of_day,
                pending=frozenset(batch.batch_id for batch in of_day if batch.batch_id not in loaded),
                raw_root=str(ctx.paths.raw),
            )
        loaded |= {batch.batch_id for batch in of_day}
        run_dbt(
            ctx,
            warehouse=scratch,
            work=ctx.paths.warehouse_dir / "dbt" / "past",
            command=["build", *_ONLY_WHAT_REMEMBERS, *(["--full-refresh"] if is_first else [])],
        )
    copy_memory(scratch, ctx.paths.warehouse, MEMORY_TABLES)
    remove_scratch(scratch)
