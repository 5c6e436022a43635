"""The files of an audience version, written into a folder beside their place, where no reader looks."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from renqun.errors import TechnicalError
from renqun.lock import exclusive
from renqun.publish import files
from renqun.publish.choosing import PEOPLE_FILES, holdouts_of
from renqun.publish.delivering import deliver
from renqun.publish.history import AudienceFolder, AudienceVersion, sound_file
from renqun.publish.holdouts import planned_share
from renqun.publish.manifest import (
    MANIFEST_NAME,
    AudienceCounts,
    AudienceManifest,
    Delivery,
    FileEntry,
    to_text,
    with_version,
)
from renqun.publish.selection import Selection, SelectionReport, WorkFolder
from renqun.publish.trigger_steps import write_list_files
from renqun.run import RunContext
from renqun.settings import Settings

CSV_COLUMNS = "customer_key, entered_on"
"""What leaves the house in a CSV: who, and since when. The reason is behaviour, and stays in the Parquet files."""


STAGING_PREFIX = ".staging-"


@dataclass(frozen=True)
class WriteReport:
    """The staging folder of every audience whose files were written."""

    written: dict[str, Path]


def write_files(ctx: RunContext) -> WriteReport:
    """Write the files of every audience that its gate on the rows has passed.

    Raises:
        RequestError: nothing was selected for this date.
        TechnicalError: the disk is full, or a file is not what it must be; no reader sees any of it.
    """
    timeout = Settings().lock_timeout_seconds
    with exclusive(ctx.paths.writer_lock, f"write_files {ctx.ds}", timeout_seconds=timeout):
        work = WorkFolder.of(ctx)
        report = work.selection()
        written: dict[str, Path] = {}
        for one in report.selected():
            work.forget_verdict(one.audience.id, "published")
            staging = staged_folder(ctx, one)
            shutil.rmtree(staging, ignore_errors=True)
            verdict = work.verdict(one.audience.id, "audience")
            if verdict is None or verdict.failure:
                continue
            try:
                _write(ctx, report, one, work, staging)
            except (OSError, duckdb.Error) as error:
                shutil.rmtree(staging, ignore_errors=True)
                raise TechnicalError(
                    f"the files of the audience {one.audience.id!r} were not written: {error}",
                    where=str(staging),
                    remedy="free disk space or mend what is named above, then run again;"
                    " what was published before is untouched",
                ) from error
            written[one.audience.id] = staging
    return WriteReport(written)


def staged_folder(ctx: RunContext, selection: Selection) -> Path:
    """Where the files of a selected audience wait for their gate: beside the folders of the dates."""
    root = AudienceFolder.of(ctx.paths, selection.audience.id).root
    return root / f"{STAGING_PREFIX}{ctx.ds.isoformat()}-{selection.content_key}"


def staged_selections(ctx: RunContext) -> tuple[Selection, ...]:
    """The audiences whose files are written and wait for their gate."""
    selected = WorkFolder.of(ctx).selection().selected()
    return tuple(one for one in selected if (staged_folder(ctx, one) / MANIFEST_NAME).is_file())


def write_list(people: duckdb.DuckDBPyRelation, csv_columns: str, folder: Path, name: str) -> list[Path]:
    """Write an ordered list of people as Parquet and CSV."""
    parquet, csv = folder / f"{name}.parquet", folder / f"{name}.csv"
    files.write_parquet(people, parquet)
    files.write_csv(people.select(csv_columns), csv)
    return [parquet, csv]


def sound_members(version: AudienceVersion) -> Path:
    """The members file of a published version, as its manifest describes it.

    Raises:
        TechnicalError: it was changed or is gone.
    """
    return sound_file(version, version.members_file.name)


def _write(ctx: RunContext, report: SelectionReport, one: Selection, work: WorkFolder, staging: Path) -> None:
    folder = AudienceFolder.of(ctx.paths, one.audience.id)
    previous = folder.load(one.previous.as_of, one.previous.version) if one.previous else None
    staging.mkdir(parents=True)
    folder_of_work = work.folder(one.audience.id)
    for name in PEOPLE_FILES:
        shutil.copyfile(folder_of_work / name, staging / name)
    with files.workbench() as connection:
        members = files.read_parquet(connection, staging / "members.parquet")
        before = files.read_parquet(connection, sound_members(previous)) if previous else members.limit(0)
        if "canonical" in one.audience.destinations:
            files.write_csv(members.select(CSV_COLUMNS), staging / "canonical.csv")
        added = members.set_alias("now").join(before.set_alias("then"), "customer_key", how="anti")
        removed = before.set_alias("then").join(members.set_alias("now"), "customer_key", how="anti")
        write_list(added.order("customer_key"), CSV_COLUMNS, staging, "added")
        write_list(removed.select("customer_key").order("customer_key"), "customer_key", staging, "removed")
        if one.trigger:
            write_list_files(connection, work.members_file(one.audience.id), staging)
        deliveries, entries = deliver(
            connection,
            one.audience,
            ctx.ds,
            folder_of_work,
            staging,
            members=one.members,
            reach=one.reach,
            previous=previous,
            is_after_recall=any(
                gone.is_withdrawn and gone.manifest.previous == one.previous for gone in folder.versions()
            ),
        )
        for file in sorted(set(staging.iterdir()) - {staging / name for name in entries}):
            facts = files.facts_of(connection, file)
            entries[file.name] = FileEntry(
                sha256=facts.sha256, bytes=facts.bytes, rows=facts.rows, columns=facts.columns
            )
    files.require_equal(
        entries["members.parquet"].sha256,
        one.members_sha256,
        what=f"members of {one.audience.id}",
        where=[staging / "members.parquet"],
    )
    manifest = _draft(ctx, report, one, previous, entries, deliveries)
    (staging / MANIFEST_NAME).write_text(to_text(manifest), encoding="utf-8", newline="\n")


def _draft(
    ctx: RunContext,
    report: SelectionReport,
    one: Selection,
    previous: AudienceVersion | None,
    entries: dict[str, FileEntry],
    deliveries: dict[str, Delivery],
) -> AudienceManifest:
    audience = one.audience
    rows = {name: entry.rows for name, entry in entries.items()}
    return with_version(
        AudienceManifest(
            shop_id=ctx.shop.id,
            audience_id=audience.id,
            name_en=audience.name.en,
            name_zh=audience.name.zh,
            owner=audience.owner,
            purpose=audience.purpose.text,
            purpose_kind=audience.purpose.kind,
            definition_hash=audience.definition_hash,
            as_of=ctx.ds,
            expires_on=audience.expires_on(ctx.ds),
            version="0" * 16,
            status="published" if rows["members.parquet"] else "empty",
            destinations=audience.destinations,
            counts=AudienceCounts(
                members=rows["members.parquet"],
                previous_members=previous.manifest.counts.members if previous else 0,
                added=rows["added.parquet"],
                removed=rows["removed.parquet"],
            ),
            previous=one.previous,
            held_back=one.held_back,
            holdout_share=planned_share(share for _, share in holdouts_of(ctx, audience)),
            deliveries=deliveries,
            content_sha256=one.content_sha256,
            marts=report.marts,
            trigger=one.trigger,
            batches=tuple(batch.batch_id for batch in report.batches),
            files=entries,
            gates=(),
            provenance={},
        )
    )
