"""A trigger list: which facts of an audience's members are due, and which of them nobody has been told of yet.

A fact is published once for ever. The ledger of what was published is the published versions themselves: there is no
second book that could disagree with them (docs/adr/0022-send-once.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from renqun.errors import TechnicalError
from renqun.publish import files
from renqun.publish.definitions import Audience
from renqun.publish.history import AudienceFolder, AudienceVersion
from renqun.publish.manifest import TriggerEntry
from renqun.publish.members import Marts
from renqun.publish.trigger_facts import FACTS, facts_of, local_of, utc_of
from renqun.publish.triggers import Trigger
from renqun.storage import sha256_of

Relation = duckdb.DuckDBPyRelation
Expression = duckdb.Expression

_COLUMN, _CONSTANT, _CALL = duckdb.ColumnExpression, duckdb.ConstantExpression, duckdb.FunctionExpression

LIST_NAME = "triggers"
"""The list's files: `triggers.parquet` and `triggers.csv`."""
LIST_COLUMNS = (
    ("customer_key", "VARCHAR"), ("dedupe_key", "VARCHAR"), ("fact", "VARCHAR"), ("fact_key", "VARCHAR"),
    ("channel", "VARCHAR"), ("offer", "VARCHAR"), ("is_late", "BOOLEAN"), ("fact_at", "TIMESTAMP"),
    ("due_at", "TIMESTAMP"),
)  # fmt: skip
LIST_ORDER = "due_at, customer_key"
_DATE_OF_LIST = r"as_of=(\d{4}-\d{2}-\d{2})/[0-9a-f]{16}/triggers[.]parquet$"
CSV_COLUMNS = (
    "customer_key, dedupe_key, fact, fact_key, channel, offer, is_late,"
    " strftime(due_at, '%Y-%m-%dT%H:%M:%SZ') as due_at"
)
"""What leaves the house: whom, about what, by which way, and from when on. `fact_key` begins with a word of ours, so
that no spreadsheet takes it for a formula."""


@dataclass(frozen=True)
class Ledger:
    """What was published of an audience's list before."""

    files: tuple[str, ...]
    """The path of every list, in the order of publishing; the folder above it names its business date."""
    digest: str
    """Changes when a list is added; of no lists, too, it is a text."""


@dataclass(frozen=True)
class ListCounts:
    """What became of the facts that were due of people who agreed."""

    due: int
    sent_before: int
    waiting: int
    """Of people who had a message of this list too lately (`reentry`)."""
    superseded: int
    """Further facts of people who are in the list with another one."""


def data_as_of(as_of: date, zone: ZoneInfo) -> datetime:
    """The end of a business date: facts before it are known, as far as exports tell."""
    return datetime.combine(as_of + timedelta(days=1), time(0), tzinfo=zone).astimezone(UTC)


def due_facts(
    marts: Marts, shop_id: str, audience: Audience, trigger: Trigger, members: Relation, zone: ZoneInfo
) -> Relation:
    """The facts of members that are due now, whether or not anybody was told of them; in the order of the list.

    Args:
        marts: what the facts are read from.
        shop_id: part of the dedupe key.
        audience: the audience.
        trigger: its block.
        members: who may be named, with a column `customer_key`.
        zone: the shop's.
    """
    end = data_as_of(marts.as_of, zone).replace(tzinfo=None)
    facts = facts_of(marts, trigger, zone.key)
    allowed = members.select("customer_key").distinct()
    timed = (
        facts.set_alias("facts")
        .join(allowed.set_alias("allowed"), "customer_key", how="semi")
        .select(duckdb.StarExpression(), _in_window(_due_at(trigger, zone.key), trigger, zone.key).alias("due_at"))
    )
    is_wanted = (_COLUMN("due_at") < _CONSTANT(end + timedelta(hours=trigger.lead_hours))) & (
        _COLUMN("due_at") >= _CONSTANT(end - timedelta(hours=trigger.give_up_hours))
    )
    named = [shop_id, audience.id, trigger.fact]
    whose = [_COLUMN("customer_key")] if FACTS[trigger.fact].is_personal else []
    parts = _CALL("concat_ws", _CONSTANT("|"), *map(_CONSTANT, named), _COLUMN("fact_key"), *whose)
    return (
        timed.filter(is_wanted)
        .select(
            _COLUMN("customer_key"),
            _CALL("substr", _CALL("sha256", parts), _CONSTANT(1), _CONSTANT(32)).alias("dedupe_key"),
            _CONSTANT(trigger.fact).alias("fact"),
            _COLUMN("fact_key"),
            _CONSTANT(trigger.channel).alias("channel"),
            _CONSTANT(trigger.offer).alias("offer"),
            (_COLUMN("due_at") < _CONSTANT(end)).alias("is_late"),
            _COLUMN("fact_at").cast("TIMESTAMP").alias("fact_at"),
            _COLUMN("due_at").cast("TIMESTAMP").alias("due_at"),
        )
        .order(f"{LIST_ORDER}, fact_key")
    )


def ledger_of(folder: AudienceFolder, content_key: str) -> Ledger:
    """The lists that were published of an audience, withdrawn ones included: nobody knows who has read them.

    Versions of this very content do not count: a list that is published again is the same list, under the same keys.

    Raises:
        TechnicalError: a list is not what its manifest says.
    """
    versions = [
        version for version in folder.versions() if version.manifest.trigger and _content_key(version) != content_key
    ]
    named = [f"{version.manifest.as_of}/{version.version}" for version in versions]
    digest = hashlib.sha256("\n".join(named).encode("utf-8")).hexdigest()[:16]
    return Ledger(tuple(str(_sound_list(one)) for one in versions), digest)


def unsent(
    marts: Marts, facts: Relation, ledger: Ledger, audience: Audience, aliases: Sequence[Relation]
) -> tuple[Relation, ListCounts]:
    """Of the facts that are due, those that go out now: never sent, one a person, in the order of the list.

    Of several facts of a person the one that is not late goes first, then the one due first.

    Args:
        marts: the workbench and the business date.
        facts: what `due_facts` gave.
        ledger: what was published before.
        audience: the audience, with its re-entry rule.
        aliases: `customer_key_aliases` of these marts, and of newer ones: a person whose key has changed is the
            same person.
    """
    connection = marts.connection
    due = files.rows_of(facts)
    sent = _sent(connection, ledger)
    persons = _persons(connection, facts, aliases)
    sent_to = sent.set_alias("sent").join(persons.set_alias("persons"), "sent.customer_key = persons.known_as")
    already = sent_to.select("persons.customer_key, sent.fact, sent.fact_key").distinct()
    # What is sent of an order is sent, whoever it belongs to by now.
    if audience.trigger and not FACTS[audience.trigger.fact].is_personal:
        named = sent.select("fact, fact_key").distinct()
        fresh = facts.set_alias("facts").join(named.set_alias("sent"), "fact, fact_key", how="anti")
    else:
        fresh = facts.set_alias("facts").join(already.set_alias("sent"), "customer_key, fact, fact_key", how="anti")
    fresh_count = files.rows_of(fresh)
    rested = fresh
    if audience.reentry:
        since = _CONSTANT(marts.as_of - timedelta(days=audience.reentry.after_days))
        lately = sent_to.filter(_COLUMN("as_of") > since).select("persons.customer_key").distinct()
        rested = fresh.set_alias("fresh").join(lately.set_alias("lately"), "customer_key", how="anti")
    rested_count = files.rows_of(rested)
    names = ", ".join(name for name, _ in LIST_COLUMNS)
    chosen = rested.project(
        f"{names}, row_number() over (partition by customer_key order by is_late, due_at, fact_key) as place"
    )
    listed = chosen.filter("place = 1").select(names).order(LIST_ORDER)
    return listed, ListCounts(due, due - fresh_count, fresh_count - rested_count, rested_count - files.rows_of(listed))


def entry_of(
    listed: Relation, trigger: Trigger, counts: ListCounts, held_back: dict[str, int], as_of: date, zone: ZoneInfo
) -> TriggerEntry:
    """What the manifest says of a list: how late it is above all."""
    rows, late, first, last = listed.aggregate(
        "count(*) as rows, count(*) filter (is_late) as late, min(due_at) as first, max(due_at) as last"
    ).fetchall()[0]
    end = data_as_of(as_of, zone)
    earliest = first.replace(tzinfo=UTC) if first else None
    return TriggerEntry(
        fact=trigger.fact,
        channel=trigger.channel,
        offer=trigger.offer,
        data_as_of=end,
        rows=rows,
        late=late,
        longest_lateness_seconds=max(int((end - earliest).total_seconds()), 0) if earliest else 0,
        earliest_due_at=earliest,
        latest_due_at=last.replace(tzinfo=UTC) if last else None,
        due=counts.due + held_back.get("no_consent", 0),
        held_back=held_back,
        sent_before=counts.sent_before,
        waiting=counts.waiting,
        superseded=counts.superseded,
    )


def _due_at(trigger: Trigger, zone: str) -> Expression:
    delay = trigger.delay
    if delay.hours is not None:
        return _COLUMN("fact_at") + _CALL("to_hours", _CONSTANT(delay.hours))
    day = local_of(_COLUMN("fact_at"), zone).cast("DATE") + _CONSTANT(delay.days)
    return utc_of(day + _CONSTANT(delay.at).cast("TIME"), zone)


def _in_window(due_at: Expression, trigger: Trigger, zone: str) -> Expression:
    """The first moment from `due_at` on at which messages go out."""
    local = local_of(due_at, zone)
    opens = _CONSTANT(trigger.window.from_).cast("TIME")
    today, clock = local.cast("DATE"), local.cast("TIME")
    tomorrow = utc_of((today + _CONSTANT(1)) + opens, zone)
    return duckdb.CaseExpression(clock < opens, utc_of(today + opens, zone)).otherwise(
        duckdb.CaseExpression(clock >= _CONSTANT(trigger.window.to).cast("TIME"), tomorrow).otherwise(due_at)
    )


def _sent(connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> Relation:
    """Every fact that was published: `customer_key, fact, fact_key, as_of`."""
    if not ledger.files:
        return connection.sql(
            "select null::varchar as customer_key, null::varchar as fact, null::varchar as fact_key,"
            " null::date as as_of where false"
        )
    return connection.sql(
        "select customer_key, fact, fact_key, cast(regexp_extract(filename, ?, 1) as date) as as_of"
        " from read_parquet(?, filename = true, hive_partitioning = false, union_by_name = true)",
        params=[_DATE_OF_LIST, list(ledger.files)],
    )


def _persons(connection: duckdb.DuckDBPyConnection, facts: Relation, aliases: Sequence[Relation]) -> Relation:
    """Every key under which the person of a fact was ever known: `customer_key, known_as`, itself included."""
    facts.select("customer_key").distinct().create_view("trigger_people", replace=True)
    _union([one.select("from_key, to_key") for one in aliases]).create_view("trigger_aliases", replace=True)
    return connection.sql(
        """
        with recursive
        pairs as (
            select from_key as one, to_key as other from trigger_aliases
            union
            select to_key as one, from_key as other from trigger_aliases
        ),
        chain as (
            select customer_key, customer_key as known_as from trigger_people
            union
            select chain.customer_key, pairs.other as known_as
            from chain inner join pairs on chain.known_as = pairs.one
        )
        select customer_key, known_as from chain
        """
    )


def _union(relations: Sequence[Relation]) -> Relation:
    joined = relations[0]
    for one in relations[1:]:
        joined = joined.union(one)
    return joined


def _content_key(version: AudienceVersion) -> str:
    return version.manifest.content_key()


def _sound_list(version: AudienceVersion) -> Path:
    file = version.folder / f"{LIST_NAME}.parquet"
    if not file.is_file() or sha256_of(file) != version.manifest.files[file.name].sha256:
        raise TechnicalError(
            "a published trigger list is not what its manifest says: nobody can tell what was sent",
            where=str(file),
            remedy="'renqun verify' on that folder says what is wrong; put it back from a backup",
        )
    return file
