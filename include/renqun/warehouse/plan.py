"""What a build consumes, as of which date, and whether there is anything to build at all."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from renqun.errors import AlreadyBuilt, BuildSuperseded, RequestError
from renqun.ingest.ledger import BatchRecord, accepted_batches, accepted_files
from renqun.lock import exclusive
from renqun.run import RunContext
from renqun.settings import Settings
from renqun.storage import canonical_json, write_json_atomically
from renqun.thresholds import check_overrides
from renqun.warehouse import fingerprint, ledger
from renqun.warehouse.connection import connect
from renqun.warehouse.exposures import load_exposures
from renqun.warehouse.memory import EXPOSURE_MEMORY, copy_memory
from renqun.warehouse.moved import follow_raw


class BuildPlan(BaseModel):
    """A build: the same accepted batches as of the same date are the same build, whoever asks for it.

    `previous_as_of` is the newest built date before `as_of`. `reevaluate` lists the built dates, oldest first,
    that batches of this build can touch: segment spells are evaluated anew for them. `is_latest` is false for a
    build of a past date, which works in a warehouse of its own (`scratch`). `sources` are those that the build has
    batches of. `continues`: the warehouse holds what a finished build made by the same definitions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    build_id: str
    shop_id: str
    as_of: date
    previous_as_of: date | None
    is_latest: bool
    full_refresh: bool
    fingerprint: str
    continues: bool
    sources: tuple[str, ...]
    pending: tuple[str, ...]
    reevaluate: tuple[date, ...]
    scratch: Path | None = None

    def context(self, ctx: RunContext) -> RunContext:
        """The run as the build's stages see it: its as-of date, its warehouse."""
        return replace(ctx, ds=self.as_of, warehouse_file=self.scratch)


@dataclass(frozen=True)
class _Known:
    """What the warehouse says of earlier builds."""

    newest: ledger.Build | None
    built_dates: Sequence[date]
    loaded: Sequence[ledger.LoadedBatch]
    begun: set[str]
    """Definitions that an unfinished build may have left in the warehouse."""


def plan_build(ctx: RunContext, *, as_of: date | None = None, full_refresh: bool = False) -> BuildPlan | None:
    """Decide on a build and claim the warehouse for it.

    A build consumes every accepted batch that no build has consumed yet, whatever its date, and is as of the
    later of the run's date and the newest date built so far. An explicit `as_of` before that date builds the past:
    in a warehouse of its own, with the batches of dates up to it.

    Args:
        ctx: the run.
        as_of: a date to build on purpose.
        full_refresh: build all tables anew even where they could be continued.

    Returns:
        The plan, or None where nothing is new.

    Raises:
        RequestError: there is no accepted batch up to that date, or a var of the shop is unknown.
        ShopBusy: another process works on the shop.
    """
    check_overrides(ctx.shop)
    with exclusive(ctx.paths.writer_lock, f"plan_build {ctx.ds}", timeout_seconds=Settings().lock_timeout_seconds):
        with connect(ctx.paths.warehouse) as connection:
            ledger.ensure(connection)
            follow_raw(connection, str(ctx.paths.raw))
            built_dates = ledger.built_dates(connection)
            newest_date = max(built_dates, default=None)
            wanted = as_of or max(ctx.ds, newest_date or ctx.ds)
            batches = [batch for batch in accepted_batches(ctx.paths) if batch.ds <= wanted]
            if not batches:
                raise RequestError(
                    f"shop {ctx.shop.id} has no accepted export up to {wanted}",
                    where=str(ctx.paths.raw),
                    remedy="put exports into landing/<group>/<YYYY-MM-DD>/ and ingest them first",
                )
            build_id = _identity(ctx.shop.id, wanted, batches)
            unfinished = ledger.unfinished(connection, build_id)
            known = _Known(
                ledger.newest_finished(connection),
                built_dates,
                ledger.loaded_batches(connection),
                ledger.begun_fingerprints(connection, build_id),
            )
            is_past = newest_date is not None and wanted < newest_date
            plan = (
                _plan_past(ctx, wanted, build_id, batches, known)
                if is_past
                else _plan_newest(ctx, wanted, build_id, batches, known, full_refresh, unfinished)
            )
            if plan is None:
                return None
            if is_past or unfinished is None or (plan.full_refresh and not unfinished.is_full_refresh):
                forget_progress(ctx)
            if not is_past:
                ledger.begin(
                    connection,
                    ledger.Build(build_id, wanted, plan.fingerprint, plan.full_refresh, False),
                    run_id=ctx.run_id,
                    previous_as_of=plan.previous_as_of,
                    batches=batches,
                    pending=frozenset(plan.pending),
                    raw_root=str(ctx.paths.raw),
                )
                load_exposures(connection, ctx.paths)
        if plan.scratch is not None:
            _begin_scratch(ctx, plan, plan.scratch, batches)
        write_json_atomically(_plan_file(ctx, build_id), plan.model_dump(mode="json"))
    return plan


def load_plan(ctx: RunContext, build_id: str) -> BuildPlan:
    """The plan that `plan_build` wrote.

    Raises:
        AlreadyBuilt: another run has planned the same build and finished it meanwhile.
        RequestError: there is none of that id.
    """
    file = _plan_file(ctx, build_id)
    if not file.exists():
        if _is_finished(ctx, build_id):
            raise AlreadyBuilt(
                f"build {build_id} was finished by another run", remedy="nothing: its marts are published"
            )
        raise RequestError(
            f"no build {build_id!r} was planned", where=str(file), remedy="clear the run from plan_build on"
        )
    return BuildPlan.model_validate_json(file.read_text(encoding="utf-8"))


def require_current(ctx: RunContext, plan: BuildPlan) -> None:
    """The warehouse still belongs to this build; the caller holds the writer lock.

    Raises:
        BuildSuperseded: another run has claimed it.
    """
    with connect(plan.context(ctx).paths.warehouse, read_only=True) as connection:
        holder = ledger.current_build(connection)
    if holder != plan.build_id:
        raise BuildSuperseded(
            f"build {plan.build_id} as of {plan.as_of} was overtaken by build {holder}",
            where=str(ctx.paths.warehouse),
            remedy="nothing is lost: the other build covers the same batches; run again if it did not finish",
        )


def require_batches(ctx: RunContext, plan: BuildPlan) -> None:
    """What the build was made from is still accepted: a file that was withdrawn meanwhile must not be published.

    Raises:
        BuildSuperseded: a batch of the build was withdrawn since it was planned.
    """
    with exclusive(
        ctx.paths.writer_lock, f"require_batches {plan.as_of}", timeout_seconds=Settings().lock_timeout_seconds
    ):
        with connect(plan.context(ctx).paths.warehouse, read_only=True) as connection:
            built_from = ledger.batch_ids(connection)
        gone = sorted(built_from - accepted_files(ctx.paths).keys())
    if gone:
        raise BuildSuperseded(
            f"{', '.join(gone)} was withdrawn while build {plan.build_id} was made from it",
            where=str(ctx.paths.warehouse),
            remedy="run again: the next build forgets its rows; what was published before is untouched",
        )


def finish_build(ctx: RunContext, plan: BuildPlan) -> None:
    """Record that the build's marts were published. A past date's own warehouse is removed."""
    with exclusive(
        ctx.paths.writer_lock, f"finish_build {plan.as_of}", timeout_seconds=Settings().lock_timeout_seconds
    ):
        if plan.scratch is not None:
            remove_scratch(plan.scratch)
        else:
            require_current(ctx, plan)
            with connect(ctx.paths.warehouse) as connection:
                ledger.finish(connection, build_id=plan.build_id, as_of=plan.as_of)
        _plan_file(ctx, plan.build_id).unlink(missing_ok=True)


def _plan_newest(
    ctx: RunContext,
    as_of: date,
    build_id: str,
    batches: Sequence[BatchRecord],
    known: _Known,
    full_refresh: bool,
    unfinished: ledger.Build | None,
) -> BuildPlan | None:
    digest = fingerprint.of_project(ctx.shop)
    accepted = {batch.batch_id for batch in batches}
    gone = [batch for batch in known.loaded if batch.batch_id not in accepted]
    redefined = known.newest is not None and {known.newest.fingerprint, *known.begun} != {digest}
    # Of an erasure the batches are the same, and their rows are not: it leaves a mark that is none of them.
    is_new = known.newest is None or known.newest.build_id != build_id or bool(gone)
    if not (is_new or redefined or full_refresh):
        return None
    consumed = {batch.batch_id for batch in known.loaded if batch.is_consumed}
    rebuild = full_refresh or bool(gone) or redefined
    if unfinished is not None:
        # A build goes on as it began: a repaired model must not turn the rest of it into a full rebuild.
        rebuild, digest = unfinished.is_full_refresh or full_refresh or bool(gone), unfinished.fingerprint
    pending = [batch for batch in batches if rebuild or batch.batch_id not in consumed]
    arrived = [batch.ds for batch in batches if batch.batch_id not in consumed] + [
        batch.ds for batch in gone if batch.is_consumed
    ]
    touched_from = min(arrived, default=as_of)
    return BuildPlan(
        build_id=build_id,
        shop_id=ctx.shop.id,
        as_of=as_of,
        previous_as_of=max((day for day in known.built_dates if day < as_of), default=None),
        is_latest=True,
        full_refresh=rebuild,
        fingerprint=digest,
        continues=known.newest is not None and not rebuild,
        sources=tuple(sorted({batch.source for batch in batches})),
        pending=tuple(sorted(batch.batch_id for batch in pending)),
        reevaluate=tuple(day for day in known.built_dates if touched_from <= day < as_of),
    )


def _plan_past(ctx: RunContext, as_of: date, build_id: str, batches: Sequence[BatchRecord], known: _Known) -> BuildPlan:
    return BuildPlan(
        build_id=build_id,
        shop_id=ctx.shop.id,
        as_of=as_of,
        previous_as_of=max((day for day in known.built_dates if day < as_of), default=None),
        is_latest=False,
        full_refresh=True,  # its warehouse has nothing yet but the spells before that date
        fingerprint=fingerprint.of_project(ctx.shop),
        continues=False,
        sources=tuple(sorted({batch.source for batch in batches})),
        pending=tuple(sorted(batch.batch_id for batch in batches)),
        reevaluate=(),
        scratch=scratch_file(ctx, build_id),
    )


def scratch_file(ctx: RunContext, name: str) -> Path:
    """A warehouse beside the shop's own, for one build. Its file has the same name, which is that of the database in
    DuckDB: under another one dbt would parse the whole project anew."""
    return ctx.paths.warehouse_dir / "scratch" / name / ctx.paths.warehouse.name


def remove_scratch(scratch: Path) -> None:
    """Remove such a warehouse, where there is one."""
    shutil.rmtree(scratch.parent, ignore_errors=True)


def _begin_scratch(ctx: RunContext, plan: BuildPlan, scratch: Path, batches: Sequence[BatchRecord]) -> None:
    remove_scratch(scratch)
    copy_memory(ctx.paths.warehouse, scratch)
    copy_memory(ctx.paths.warehouse, scratch, EXPOSURE_MEMORY)
    with connect(scratch) as connection:
        ledger.ensure(connection)
        ledger.begin(
            connection,
            ledger.Build(plan.build_id, plan.as_of, plan.fingerprint, True, False),
            run_id=ctx.run_id,
            previous_as_of=plan.previous_as_of,
            batches=batches,
            pending=frozenset(plan.pending),
            raw_root=str(ctx.paths.raw),
        )
        load_exposures(connection, ctx.paths)


def progress_file(ctx: RunContext, layer: str) -> Path:
    """How far a layer of the newest try of a build has come."""
    return ctx.paths.warehouse_dir / "dbt" / layer / "progress.json"


def forget_progress(ctx: RunContext) -> None:
    """Let no layer go on from what an earlier try has made: a build that was finished has the id of its full refresh,
    of its build by other definitions and, in a warehouse of its own, of the same past date again."""
    for file in (ctx.paths.warehouse_dir / "dbt").glob("*/progress.json"):
        file.unlink(missing_ok=True)


def _identity(shop_id: str, as_of: date, batches: Sequence[BatchRecord]) -> str:
    content = canonical_json([shop_id, as_of.isoformat(), sorted(batch.batch_id for batch in batches)])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _is_finished(ctx: RunContext, build_id: str) -> bool:
    if not ctx.paths.warehouse.exists():
        return False
    with (
        exclusive(ctx.paths.writer_lock, f"load_plan {build_id}", timeout_seconds=Settings().lock_timeout_seconds),
        connect(ctx.paths.warehouse) as connection,
    ):
        ledger.ensure(connection)
        return ledger.is_finished(connection, build_id)


def _plan_file(ctx: RunContext, build_id: str) -> Path:
    return ctx.paths.warehouse_dir / "plans" / f"{build_id}.json"
