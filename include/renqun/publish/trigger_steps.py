"""What the steps of publishing do for a trigger list: find what is due, choose what goes out, write it, look again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from renqun.errors import TechnicalError
from renqun.publish import files, layout
from renqun.publish.definitions import Audience
from renqun.publish.directory import Directory
from renqun.publish.history import AudienceFolder
from renqun.publish.manifest import TriggerEntry
from renqun.publish.members import Marts
from renqun.publish.recipients import CONSENT_CHANNELS, consented
from renqun.publish.trigger_lists import CSV_COLUMNS, LIST_NAME, ListCounts, due_facts, entry_of, ledger_of, unsent
from renqun.publish.triggers import Trigger
from renqun.publish.versions import latest_marts
from renqun.run import RunContext

Relation = duckdb.DuckDBPyRelation

FACTS_FILE = f"{LIST_NAME}.due.parquet"
"""In the work folder only: what is due of people who agreed, sent before or not."""
_NEWEST = "newest"


@dataclass(frozen=True)
class ListDraft:
    """A list before it is decided which audience writes to whom today."""

    counts: ListCounts
    ledger: str
    """What was published when it was chosen; see `require_same_ledger`."""


def write_due_facts(ctx: RunContext, directory: Directory, audience: Audience, trigger: Trigger, folder: Path) -> int:
    """Write what is due of the members who agreed to the list's channel; how much is due of the others comes back."""
    marts = Marts(directory.connection, directory.as_of)
    members = files.read_parquet(marts.connection, folder / "members.parquet")
    due = due_facts(marts, ctx.shop.id, audience, trigger, members, ctx.shop.zone)
    flags = " or ".join(f"may_{channel}" for channel in CONSENT_CHANNELS[trigger.channel])
    agreed = consented(directory, audience, members).filter(flags).select("customer_key")
    allowed = due.set_alias("due").join(agreed.set_alias("agreed"), "customer_key", how="semi")
    files.write_parquet(allowed.order("due_at, customer_key, fact_key"), folder / FACTS_FILE)
    return files.rows_of(due) - files.rows_of(files.read_parquet(marts.connection, folder / FACTS_FILE))


def draft_list(ctx: RunContext, directory: Directory, audience: Audience, folder: Path, content_key: str) -> ListDraft:
    """Write the list of what could go out now: what nobody was told of yet, one message a person."""
    marts = Marts(directory.connection, directory.as_of)
    due = files.read_parquet(marts.connection, folder / FACTS_FILE)
    ledger = ledger_of(AudienceFolder.of(ctx.paths, audience.id), content_key)
    listed, counts = unsent(marts, due, ledger, audience, _aliases(ctx, marts))
    files.write_parquet(listed, _draft_file(folder))
    return ListDraft(counts, ledger.digest)


def drafted(connection: duckdb.DuckDBPyConnection, folder: Path) -> Relation:
    """The list before it is decided who writes to whom."""
    return files.read_parquet(connection, _draft_file(folder))


def settle_list(
    ctx: RunContext,
    directory: Directory,
    trigger: Trigger,
    draft: ListDraft,
    folder: Path,
    decisions: Relation,
    without_consent: int,
) -> TriggerEntry:
    """Write the list without those to whom another audience writes today, or enough was sent before.

    Args:
        ctx: the run.
        directory: whose connection everything belongs to.
        trigger: the block.
        draft: what `draft_list` gave.
        folder: the work folder of the audience.
        decisions: `customer_key, held_back` of this audience.
        without_consent: what `write_due_facts` gave.
    """
    connection = directory.connection
    joined = (
        drafted(connection, folder)
        .set_alias("drafted")
        .join(decisions.set_alias("decisions"), "customer_key", how="left")
    )
    counted = dict(joined.filter("held_back is not null").aggregate("held_back, count(*)", "held_back").fetchall())
    listed = joined.filter("held_back is null").project("* exclude (held_back)").order("due_at, customer_key")
    files.write_parquet(listed, folder / f"{LIST_NAME}.parquet")
    held_back = {"no_consent": without_consent, **{str(cause): int(rows) for cause, rows in counted.items()}}
    return entry_of(
        files.read_parquet(connection, folder / f"{LIST_NAME}.parquet"),
        trigger,
        draft.counts,
        {cause: rows for cause, rows in sorted(held_back.items()) if rows},
        directory.as_of,
        ctx.shop.zone,
    )


def list_file(members: Path) -> Path:
    """The chosen list beside the selected members."""
    return members.with_name(f"{LIST_NAME}.parquet")


def write_list_files(connection: duckdb.DuckDBPyConnection, members: Path, staging: Path) -> None:
    """The list's files in the folder of a version."""
    target = staging / f"{LIST_NAME}.parquet"
    target.write_bytes(list_file(members).read_bytes())
    files.write_csv(files.read_parquet(connection, target).project(CSV_COLUMNS), staging / f"{LIST_NAME}.csv")


def require_same_ledger(audience: Audience, folder: AudienceFolder, content_key: str, ledger: str | None) -> None:
    """Nothing of the list may have been published by somebody else since it was chosen.

    Raises:
        TechnicalError: something was; it might be in this list, too.
    """
    if audience.trigger is not None and ledger_of(folder, content_key).digest != ledger:
        raise TechnicalError(
            f"a list of the audience {audience.id!r} was published by somebody else meanwhile",
            where=str(folder.root),
            remedy="run publish_audiences again: what was sent has to be looked up anew",
        )


def _draft_file(folder: Path) -> Path:
    return folder / f"{LIST_NAME}.draft.parquet"


def _aliases(ctx: RunContext, marts: Marts) -> list[Relation]:
    """The changes of keys that these marts tell, and those that newer ones do: what is published of a past date must
    know people by the names that they have now."""
    known = [marts.mart("customer_key_aliases").select("from_key, to_key")]
    newest = latest_marts(ctx.paths)
    if newest and newest.as_of > marts.as_of:
        databases = marts.connection.sql("select database_name from duckdb_databases()").fetchall()
        if (_NEWEST,) not in databases:
            files.attach(marts.connection, newest.folder / layout.MARTS_DATABASE, _NEWEST)
        known.append(marts.connection.sql(f"select from_key, to_key from {_NEWEST}.main.customer_key_aliases"))
    return known
