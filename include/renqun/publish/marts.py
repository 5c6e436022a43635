"""Publish the marts of a build as one immutable version, then let `latest` name it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from renqun.errors import TechnicalError
from renqun.lock import exclusive
from renqun.publish import files, layout, retention
from renqun.publish.manifest import (
    MANIFEST_NAME,
    BatchEntry,
    FileEntry,
    GateRecord,
    MartsManifest,
    PartitionedMart,
    to_text,
    with_version,
)
from renqun.publish.parts import building, write_parts
from renqun.publish.reader import open_script
from renqun.publish.versions import LATEST_LINK, MartsVersion, latest_marts, published_marts
from renqun.run import RunContext
from renqun.settings import Settings
from renqun.sql_text import identifier
from renqun.storage import point_link, sha256_of, sweep_staging


def publish_marts(
    ctx: RunContext,
    *,
    build_id: str,
    as_of: date,
    provenance: Mapping[str, Any],
    is_latest: bool = True,
    touched_dates: Collection[date] | None = None,
    gates: Sequence[GateRecord] = (),
) -> MartsVersion:
    """Publish every mart of the warehouse as a version of its own; `latest` moves last.

    The same marts published twice are one version: nothing is written the second time. Whatever stops this
    (a full disk, a kill), `latest` names what it named before.

    Args:
        ctx: the run; its warehouse is read, its writer lock held.
        build_id: the build whose marts these are.
        as_of: the business date of the build.
        provenance: code revision, times and whatever else explains the run; no version depends on it.
        is_latest: False for a build of a past date on purpose: `latest` stays.
        touched_dates: business dates whose events or sessions may differ from the version that `latest` names;
            None = any. Untouched days are not written again.
        gates: what the gates said of the marts.

    Raises:
        TechnicalError: the disk, the warehouse or a file read back is not as it must be.
        ShopBusy: another process works on the shop.
    """
    paths = ctx.paths
    timeout = Settings().lock_timeout_seconds
    with exclusive(paths.writer_lock, f"publish marts as of {as_of}", timeout_seconds=timeout):
        root = paths.published_marts
        root.mkdir(parents=True, exist_ok=True)
        sweep_staging(root)
        try:
            marts = _write_version(ctx, build_id, as_of, provenance, touched_dates, gates)
            if is_latest:
                marts = _point_latest(ctx, marts)
        except (OSError, duckdb.Error) as error:
            raise TechnicalError(
                f"the marts as of {as_of} were not published: {error}",
                where=str(root),
                remedy="free disk space or mend what is named above, then run again;"
                " what was published before is untouched",
            ) from error
        retention.expire(paths)
        return marts


def _write_version(
    ctx: RunContext,
    build_id: str,
    as_of: date,
    provenance: Mapping[str, Any],
    touched_dates: Collection[date] | None,
    gates: Sequence[GateRecord],
) -> MartsVersion:
    root = ctx.paths.published_marts
    place = root / f"as_of={as_of.isoformat()}"
    earlier = published_marts(ctx.paths)
    with building(place) as staging, files.workbench() as connection:
        # Views inside the warehouse name it by its file's stem.
        workshop = ctx.paths.warehouse.stem
        files.attach(connection, ctx.paths.warehouse, workshop)
        names = _mart_names(connection, workshop)
        tables = {
            name: _write_table(connection, _mart(connection, workshop, name), name, staging)
            for name in names
            if name not in layout.PARTITIONED_MARTS
        }
        partitioned = _write_partitioned(ctx, connection, workshop, names, touched_dates)
        batches = _batches(connection, workshop)
        draft = with_version(
            MartsManifest(
                shop_id=ctx.shop.id,
                as_of=as_of,
                version="0" * 16,
                tables=tables,
                partitioned=partitioned,
                groups=tuple(sorted({b.group for b in batches if b.source not in layout.SOURCES_WITHOUT_PEOPLE})),
                batches=batches,
                gates=tuple(gates),
                provenance={},
            )
        )
        target = place / draft.version
        for marts in earlier:
            if marts.folder == target:
                return replace(marts, is_new=False)
        database = write_database(connection, draft, staging)
        manifest = draft.model_copy(
            update={
                "provenance": dict(provenance)
                | {
                    "build_id": build_id,
                    "run_id": ctx.run_id,
                    "duckdb": duckdb.__version__,
                    "sequence": 1 + max((marts.sequence for marts in earlier), default=0),
                    layout.MARTS_DATABASE: {"sha256": database.sha256, "bytes": database.bytes},
                }
            }
        )
        (staging / layout.OPEN_SCRIPT).write_text(open_script(manifest), encoding="utf-8", newline="\n")
        (staging / MANIFEST_NAME).write_text(to_text(manifest), encoding="utf-8", newline="\n")
        files.seal(staging)
        os.rename(staging, target)
        files.flush_folder(place)
    return MartsVersion(as_of, manifest.version, target, manifest, is_new=True)


def _mart_names(connection: duckdb.DuckDBPyConnection, workshop: str) -> list[str]:
    rows = connection.execute(
        "select table_name from information_schema.tables where table_catalog = ? and table_schema = 'marts'"
        " order by table_name",
        [workshop],
    ).fetchall()
    names = [str(row[0]) for row in rows if layout.is_mart(str(row[0]))]
    if not names:
        raise TechnicalError(
            "the warehouse has no marts to publish",
            where=f"{workshop}.duckdb, schema marts",
            remedy="build the marts first ('renqun run --date D')",
        )
    return names


def _mart(connection: duckdb.DuckDBPyConnection, workshop: str, name: str) -> duckdb.DuckDBPyRelation:
    return connection.sql(f"select * from {identifier(workshop)}.marts.{identifier(name)}")


def _write_table(
    connection: duckdb.DuckDBPyConnection, source: duckdb.DuckDBPyRelation, name: str, staging: Path
) -> FileEntry:
    columns = files.columns_of(source)
    order = ", ".join(identifier(column) for column in layout.order_by(name, tuple(source.columns)))
    written = staging / f"{name}.parquet"
    files.write_parquet(source.order(order), written)
    facts = files.facts_of(connection, written)
    files.require_equal(facts.rows, files.rows_of(source), what=f"rows of {name}", where=[written])
    files.require_equal(facts.columns, columns, what=f"columns of {name}", where=[written])
    return FileEntry(sha256=facts.sha256, bytes=facts.bytes, rows=facts.rows, columns=facts.columns)


def _write_partitioned(
    ctx: RunContext,
    connection: duckdb.DuckDBPyConnection,
    workshop: str,
    names: Sequence[str],
    touched_dates: Collection[date] | None,
) -> dict[str, PartitionedMart]:
    latest = latest_marts(ctx.paths)
    previous = latest.manifest.partitioned if latest else {}
    return {
        name: write_parts(
            connection,
            _mart(connection, workshop, name),
            mart=name,
            root=ctx.paths.published_marts,
            previous=previous.get(name),
            touched_dates=touched_dates,
        )
        for name in names
        if name in layout.PARTITIONED_MARTS
    }


def _batches(connection: duckdb.DuckDBPyConnection, workshop: str) -> tuple[BatchEntry, ...]:
    known = connection.execute(
        "select 1 from information_schema.tables"
        " where table_catalog = ? and table_schema = 'ops' and table_name = 'batches'",
        [workshop],
    ).fetchone()
    if known is None:
        return ()
    rows = connection.execute(
        f"select batch_id, source, group_name, ds from {identifier(workshop)}.ops.batches order by ds, source, batch_id"
    ).fetchall()
    return tuple(BatchEntry(batch_id=row[0], source=row[1], group=row[2], ds=row[3]) for row in rows)


def write_database(connection: duckdb.DuckDBPyConnection, manifest: MartsManifest, staging: Path) -> files.FileFacts:
    """Fill `marts.duckdb` from the Parquet files just checked, so that both hold the same rows, and look again."""
    database = staging / layout.MARTS_DATABASE
    files.attach(connection, database, "written", new_storage_version=layout.STORAGE_VERSION)
    for name in sorted(manifest.tables):
        connection.execute(
            f"create table written.main.{identifier(name)} as select * from read_parquet(?, hive_partitioning = false)",
            [str(staging / f"{name}.parquet")],
        )
    connection.execute("detach written")
    files.attach(connection, database, "read_back")
    rows_in_all = 0
    for name, entry in sorted(manifest.tables.items()):
        relation = connection.sql(f"select * from read_back.main.{identifier(name)}")
        rows = files.rows_of(relation)
        files.require_equal(rows, entry.rows, what=f"rows of {name}", where=[database])
        files.require_equal(files.columns_of(relation), entry.columns, what=f"columns of {name}", where=[database])
        rows_in_all += rows
    connection.execute("detach read_back")
    return files.FileFacts(sha256_of(database), database.stat().st_size, rows_in_all, ())


def _point_latest(ctx: RunContext, marts: MartsVersion) -> MartsVersion:
    """Let `latest` name the version, unless it names a newer business date."""
    latest = latest_marts(ctx.paths)
    if latest and latest.as_of > marts.as_of:
        return marts
    if latest is None or latest.folder != marts.folder.resolve():
        point_link(ctx.paths.published_marts / LATEST_LINK, marts.folder)
        files.flush_folder(ctx.paths.published_marts)
    return replace(marts, is_latest=True)
