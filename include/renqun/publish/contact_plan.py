"""Who gets a message of their own today, and by which audience: the frequency cap, then the highest priority.

It concerns destinations that write to people (e-mail, text message, CRM). Lists for advertising and the canonical list
are neither counted nor capped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb

from renqun.publish.definitions import Audience
from renqun.publish.history import AudienceFolder, sound_file
from renqun.settings import ShopPaths

CONTACTED = "contacted.parquet"
"""In a version: `customer_key, destination` of everybody to whom it writes. What the cap counts."""
LIST_FILE = "triggers.parquet"
"""In a version of an audience with a trigger: whom its list of due messages names. The cap counts them, too."""

_CANDIDATES = "create or replace temp table contact_candidates (customer_key varchar, audience_id varchar)"
_MESSAGES = "create or replace temp table contact_messages (customer_key varchar, audience_id varchar, sent_on date)"


def begin(connection: duckdb.DuckDBPyConnection, paths: ShopPaths, as_of: date, audiences: Sequence[Audience]) -> None:
    """Read what was sent on the days before, as far back as any cap looks; nobody is a candidate yet.

    A message is a person in a contact file of an audience on a business date, however many versions it took.
    Withdrawn versions are left out: nobody should have used them.
    """
    connection.execute(_CANDIDATES)
    connection.execute(_MESSAGES)
    days = max((one.frequency_cap.days for one in audiences if one.frequency_cap), default=0)
    for audience_id, sent_on, file in _contacted_files(paths, as_of - timedelta(days=days - 1), as_of):
        connection.execute(
            "insert into contact_messages select distinct customer_key, ?, ?"
            " from read_parquet(?, hive_partitioning = false)",
            [audience_id, sent_on, str(file)],
        )


def stand_for(connection: duckdb.DuckDBPyConnection, audience: Audience, people: duckdb.DuckDBPyRelation) -> None:
    """Enter the people (`customer_key`) whom an audience could write to."""
    people.select("customer_key").create_view("candidates_now", replace=True)
    connection.execute(
        "insert into contact_candidates select distinct customer_key, ? from candidates_now", [audience.id]
    )
    connection.execute("drop view candidates_now")


def decide(connection: duckdb.DuckDBPyConnection, as_of: date, audiences: Sequence[Audience]) -> None:
    """Decide on every candidate: `contact_decisions (customer_key, audience_id, held_back)`.

    `held_back` is null where the audience writes to the person; `frequency_cap` where enough was sent before;
    `other_audience` where an audience of higher priority writes today (of equal ones the first by id). Who is capped
    for one audience may still be written to by another. Messages to former keys of a person are the person's.
    """
    connection.execute(
        "create or replace temp table contact_rules"
        " (audience_id varchar, priority integer, times integer, first_day date)"
    )
    for one in audiences:
        cap = one.frequency_cap
        first_day = as_of - timedelta(days=cap.days - 1) if cap else None
        connection.execute(
            "insert into contact_rules values (?, ?, ?, ?)",
            [one.id, one.priority, cap.times if cap else None, first_day],
        )
    connection.execute(
        """
        create or replace temp table contact_decisions as
        with

        people as (
            select distinct customer_key from contact_candidates
        ),

        keys as (
            select customer_key, customer_key as any_key from people
            union
            select former.customer_key, former.former_key
            from former_keys as former inner join people on former.customer_key = people.customer_key
        ),

        messages as (
            select distinct keys.customer_key, messages.audience_id, messages.sent_on
            from contact_messages as messages inner join keys on messages.customer_key = keys.any_key
        ),

        capped as (
            select distinct messages.customer_key, rules.audience_id
            from messages inner join contact_rules as rules on messages.sent_on >= rules.first_day
            group by messages.customer_key, rules.audience_id, rules.times
            having count(*) >= rules.times
        ),

        looked_at as (
            select
                candidates.customer_key,
                candidates.audience_id,
                capped.customer_key is not null as is_capped,
                rules.priority
            from contact_candidates as candidates
            inner join contact_rules as rules on candidates.audience_id = rules.audience_id
            left join capped
                on candidates.customer_key = capped.customer_key and candidates.audience_id = capped.audience_id
        )

        select
            customer_key,
            audience_id,
            case
                when is_capped then 'frequency_cap'
                when row_number() over (
                    partition by customer_key, is_capped order by priority desc, audience_id
                ) > 1 then 'other_audience'
            end as held_back
        from looked_at
        """
    )


def end(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget everything that was read and decided."""
    for name in ("contact_candidates", "contact_messages", "contact_rules", "contact_decisions"):
        connection.execute(f"drop table if exists {name}")


def _contacted_files(paths: ShopPaths, first_day: date, as_of: date) -> Iterator[tuple[str, date, Path]]:
    """What the versions of the days before wrote, each file as its manifest describes it."""
    if first_day >= as_of or not paths.published_audiences.is_dir():
        return
    for root in sorted(path for path in paths.published_audiences.iterdir() if path.is_dir()):
        for version in AudienceFolder(root).versions():
            is_counted = first_day <= version.manifest.as_of < as_of and not version.is_withdrawn
            for name in (CONTACTED, LIST_FILE):
                if is_counted and name in version.manifest.files:
                    yield root.name, version.manifest.as_of, sound_file(version, name)
