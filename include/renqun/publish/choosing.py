"""Whom an audience may address: members by rule, without the suppressed and the holdout, and what destinations get."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import duckdb

from renqun.publish import contact_plan, files
from renqun.publish.definitions import Audience
from renqun.publish.destinations import is_contact
from renqun.publish.directory import SUPPRESSION_CAUSES, Directory
from renqun.publish.holdouts import held_out_sql, salt_of
from renqun.publish.manifest import TriggerEntry, content_key
from renqun.publish.members import Compiler
from renqun.publish.recipients import (
    Reach,
    candidates,
    consented,
    has_files_of_people,
    reach_of,
    recipients,
    with_causes,
    with_decisions,
)
from renqun.publish.trigger_steps import FACTS_FILE, draft_list, drafted, settle_list, write_due_facts
from renqun.run import RunContext
from renqun.sql_text import identifier

HOLDOUT = "holdout"
CAUSES = (*SUPPRESSION_CAUSES, HOLDOUT)
"""Why somebody whom the rules mean is not a member, in the order in which they are asked."""
PEOPLE_FILES = ("members.parquet", "holdout.parquet")
RECIPIENTS = "recipients.parquet"
"""In the work folder only: contacts of those whom a destination gets."""

_COLUMNS = "customer_key, entered_on, reason"


@dataclass(frozen=True)
class Choice:
    """What was chosen for one audience, and written into its work folder."""

    members: int
    members_sha256: str
    holdout: int
    held_back: dict[str, int]
    """Whom the rules mean and who are no members, by cause; `holdout` is one."""
    reach: dict[str, Reach]
    """By destination that gets identifiers of people."""
    content_sha256: str
    """Of the people, their holdout, the contacts that destinations get, and the facts that a list goes by."""
    trigger: TriggerEntry | None = None
    """Of an audience with a trigger: its list of due messages."""
    ledger: str | None = None
    """What of that list was published when it was chosen."""


def choose_all(
    ctx: RunContext, compiler: Compiler, directory: Directory, audiences: Sequence[Audience], folders: dict[str, Path]
) -> dict[str, Choice]:
    """Choose for every audience of a day, together: a person gets a message by one of them only.

    Args:
        ctx: the run.
        compiler: of the rules.
        directory: of contacts, consent and suppression.
        audiences: those that apply.
        folders: where each one's files go.

    Returns:
        The choice by audience id.
    """
    connection = compiler.connection
    contact_plan.begin(connection, ctx.paths, directory.as_of, audiences)
    try:
        held_back = {one.id: _choose_members(ctx, compiler, directory, one, folders[one.id]) for one in audiences}
        for one in audiences:
            _look_up(connection, directory, one, folders[one.id])
        # A list may name only what was never published, which depends on all the rest of its audience. That rest
        # holds no messages, so that nobody has to decide on it first.
        triggered = [(one, one.trigger) for one in audiences if one.trigger]
        without_consent = {
            one.id: write_due_facts(ctx, directory, one, trigger, folders[one.id]) for one, trigger in triggered
        }
        choices = {one.id: _finish(connection, one, folders[one.id], held_back[one.id]) for one, _ in triggered}
        drafts = {}
        for one, _ in triggered:
            key = content_key(one.definition_hash, ctx.ds, choices[one.id].content_sha256)
            drafts[one.id] = draft_list(ctx, directory, one, folders[one.id], key)
            contact_plan.stand_for(connection, one, drafted(connection, folders[one.id]))
        contact_plan.decide(connection, directory.as_of, audiences)
        for one, trigger in triggered:
            decisions = _decisions(connection, one)
            draft, folder = drafts[one.id], folders[one.id]
            entry = settle_list(ctx, directory, trigger, draft, folder, decisions, without_consent[one.id])
            choices[one.id] = replace(choices[one.id], trigger=entry, ledger=draft.ledger)
        choices |= {
            one.id: _finish(connection, one, folders[one.id], held_back[one.id])
            for one in audiences
            if one.id not in choices
        }
        return choices
    finally:
        contact_plan.end(connection)
        for one in audiences:
            connection.execute(f"drop table if exists {_table(one)}")


def held_out_among(keys: str, shares: Iterable[tuple[str, Decimal]]) -> str:
    """SQL of the keys of a relation (by name) that are in a holdout, by their own key or a former one.

    Args:
        keys: the relation, with `customer_key`; the directory's `former_keys` stands beside it.
        shares: salt and share of each holdout.
    """
    tests = " or ".join(held_out_sql("any_key", salt, share) for salt, share in shares if share) or "false"
    return (
        f"select distinct customer_key from (select customer_key, customer_key as any_key from {keys} union all"
        f" select former.customer_key, former.former_key from former_keys as former"
        f" where former.customer_key in (select customer_key from {keys})) as chains where {tests}"
    )


def holdouts_of(ctx: RunContext, audience: Audience) -> list[tuple[str, Decimal]]:
    """Salt and share of every holdout that an audience has: the shop's and its own. An exclusion list has none."""
    if audience.purpose.kind == "exclusion":
        return []
    return [
        (salt_of(ctx.shop.id), ctx.shop.publishing.holdout),
        (salt_of(ctx.shop.id, audience.id), audience.holdout),
    ]


def _choose_members(
    ctx: RunContext, compiler: Compiler, directory: Directory, audience: Audience, folder: Path
) -> dict[str, int]:
    """Write members and holdout; what comes back is who is neither, by cause."""
    connection = compiler.connection
    compiler.members(audience).select(_COLUMNS).create_view("meant_by_rules", replace=True)
    directory.suppressed(audience.purpose.kind).create_view("suppressed_now", replace=True)
    connection.execute("create or replace temp table meant as from meant_by_rules")
    connection.execute(
        "create or replace temp table chosen as"
        " select meant.customer_key, meant.entered_on, meant.reason,"
        " coalesce(suppressed.cause, held_out.cause) as cause"
        " from meant left join suppressed_now as suppressed on meant.customer_key = suppressed.customer_key"
        f" left join (select customer_key, '{HOLDOUT}' as cause from"
        f" ({held_out_among('meant', holdouts_of(ctx, audience))})) as held_out"
        " on meant.customer_key = held_out.customer_key"
    )
    chosen = connection.table("chosen")
    ordered = chosen.order("customer_key")
    files.write_parquet(ordered.filter("cause is null").select(_COLUMNS), folder / "members.parquet")
    files.write_parquet(ordered.filter(f"cause = '{HOLDOUT}'").select(_COLUMNS), folder / "holdout.parquet")
    counted = dict(chosen.filter("cause is not null").aggregate("cause, count(*)", "cause").fetchall())
    connection.execute("drop view meant_by_rules; drop view suppressed_now; drop table meant; drop table chosen")
    return {cause: int(counted[cause]) for cause in CAUSES if cause in counted}


def _look_up(connection: duckdb.DuckDBPyConnection, directory: Directory, audience: Audience, folder: Path) -> None:
    """Note of every member which destination may have them, and who could get a message of their own."""
    destinations = has_files_of_people(audience)
    if not destinations:
        return
    members = files.read_parquet(connection, folder / "members.parquet")
    with_causes(consented(directory, audience, members), destinations).create_view("looked_up", replace=True)
    connection.execute(f"create or replace temp table {_table(audience)} as from looked_up")
    connection.execute("drop view looked_up")
    contact_plan.stand_for(connection, audience, candidates(connection.table(_table(audience)), destinations))


def _finish(
    connection: duckdb.DuckDBPyConnection, audience: Audience, folder: Path, held_back: dict[str, int]
) -> Choice:
    destinations = has_files_of_people(audience)
    reach: dict[str, Reach] = {}
    if destinations:
        people = connection.table(_table(audience))
        if any(is_contact(to) for to in destinations):
            people = with_decisions(people, _decisions(connection, audience), destinations)
        reach = {to.id: reach_of(people, to) for to in destinations}
        files.write_parquet(recipients(people, destinations), folder / RECIPIENTS)
    facts = {
        file.name: files.facts_of(connection, file)
        for file in (folder / name for name in (*PEOPLE_FILES, RECIPIENTS, FACTS_FILE))
        if file.is_file()
    }
    content = json.dumps({name: one.sha256 for name, one in facts.items()}, sort_keys=True)
    return Choice(
        members=facts["members.parquet"].rows,
        members_sha256=facts["members.parquet"].sha256,
        holdout=facts["holdout.parquet"].rows,
        held_back=held_back,
        reach=reach,
        content_sha256=hashlib.sha256(content.encode()).hexdigest(),
    )


def _decisions(connection: duckdb.DuckDBPyConnection, audience: Audience) -> duckdb.DuckDBPyRelation:
    """`customer_key, held_back` of whom the audience could write to."""
    decided = connection.table("contact_decisions").filter(f"audience_id = '{audience.id}'")
    return decided.select("customer_key, held_back")


def _table(audience: Audience) -> str:
    return identifier(f"looked_up:{audience.id}")
