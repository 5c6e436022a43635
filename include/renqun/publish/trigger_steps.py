"""What the steps of publishing do for a trigger list: find what is due, choose what goes out, write it, look again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from renqun.errors import TechnicalError
from renqun.publish import files, layout
from renqun.publish.definitions import Audience
from renqun.publish.history import AudienceFolder
from renqun.publish.manifest import TriggerEntry
from renqun.publish.members import Marts
from renqun.publish.trigger_lists import (
    CSV_COLUMNS,
    LIST_NAME,
    due_facts,
    entry_of,
    ledger_of,
    unsent,
)
from renqun.publish.versions import latest_marts
from renqun.run import RunContext

_FACTS_FILE = f"{LIST_NAME}.due.parquet"
_NEWEST = "newest"


@dataclass(frozen=True)
class ChosenList:
    """The list of an audience as it was chosen."""

    entry: TriggerEntry
    ledger: str
    """What was published when it was chosen; see `require_same_ledger`."""


def write_due_facts(ctx: RunContext, marts: Marts, audience: Audience, members: Path) -> str | None:
    """Write what is due of an audience beside its selected members; its digest, None where there is no trigger."""
    if audience.trigger is None:
        return None
    named = files.read_parquet(marts.connection, members)
    due = due_facts(marts, ctx.shop.id, audience, audience.trigger, named, ctx.shop.zone)
    written = members.with_name(_FACTS_FILE)
    files.write_parquet(due, written)
    return files.facts_of(marts.connection, written).sha256


def choose_list(
    ctx: RunContext, marts: Marts, audience: Audience, members: Path, content_key: str, facts_sha256: str
) -> ChosenList | None:
    """Write the list of what goes out now beside the selected members; None where there is no trigger."""
    if audience.trigger is None:
        return None
    due = files.read_parquet(marts.connection, members.with_name(_FACTS_FILE))
    ledger = ledger_of(AudienceFolder.of(ctx.paths, audience.id), content_key)
    listed, counts = unsent(marts, due, ledger, audience, _aliases(ctx, marts))
    files.write_parquet(listed, list_file(members))
    written = files.read_parquet(marts.connection, list_file(members))
    entry = entry_of(written, audience.trigger, counts, marts.as_of, ctx.shop.zone, facts_sha256)
    return ChosenList(entry, ledger.digest)


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


def _aliases(ctx: RunContext, marts: Marts) -> list[duckdb.DuckDBPyRelation]:
    """The changes of keys that these marts tell, and those that newer ones do: what is published of a past date must
    know people by the names that they have now."""
    known = [marts.mart("customer_key_aliases").select("from_key, to_key")]
    newest = latest_marts(ctx.paths)
    if newest and newest.as_of > marts.as_of:
        attached = {
            str(row[0]) for row in marts.connection.sql("select database_name from duckdb_databases()").fetchall()
        }
        if _NEWEST not in attached:
            files.attach(marts.connection, newest.folder / layout.MARTS_DATABASE, _NEWEST)
        known.append(marts.connection.sql(f"select from_key, to_key from {_NEWEST}.main.customer_key_aliases"))
    return known
