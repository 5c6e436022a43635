"""What the audience and published gates look at: members, and the written files as they read back from the disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from renqun.quality.relations import literal
from renqun.storage import sha256_of

MEMBERS = "members.parquet"
MANIFEST = "manifest.json"
LIST_STEM = "triggers"
_CHANGES = ("added", "removed")
_MEMBER_COLUMNS = ("customer_key", "entered_on", "reason")

_VERSION = """
create or replace table published.version as
with

selected as (
    select customer_key, count(*) as times_selected from published.expected group by customer_key
),

written as (
    select file_name, part, customer_key, count(*) as times_written from published.people group by all
),

member_files as (
    select distinct file_name from published.file_columns
    where column_name = 'customer_key' and not regexp_matches(file_name, '^(added|removed|triggers)[.]')
),

members as (
    select
        coalesce(promised.file_name, found.file_name) as file_name,
        coalesce(promised.customer_key, found.customer_key) as key,
        promised.times_selected,
        found.times_written
    from (from member_files cross join selected) as promised
    full join (from written where part = 'members') as found
        on promised.file_name = found.file_name and promised.customer_key = found.customer_key
)

select
    file_name, key as customer_key, times_selected, times_written, {facts} as has_selected_facts,
    false as is_added, false as is_removed
from members
union all
select
    written.file_name, written.customer_key, selected.times_selected, written.times_written, true,
    written.part = 'added', written.part = 'removed'
from written left join selected on written.customer_key = selected.customer_key
where written.part <> 'members'
"""


def make_audience(
    connection: duckdb.DuckDBPyConnection,
    audience_id: str,
    members: Path,
    previous: Path | None,
    max_change_share: float | None,
    min_previous: int,
    segment_id: str | None = None,
) -> None:
    """Make `audience.audience_members`, and `audience.size` with one row: the size beside that published last, and the
    segment that is the whole rule of the audience, where one is."""
    connection.execute("create schema if not exists audience")
    connection.execute(f"create or replace view audience.audience_members as from read_parquet({literal(members)})")
    before = "cast(null as bigint)" if previous is None else f"(select count(*) from read_parquet({literal(previous)}))"
    share = "null" if max_change_share is None else repr(float(max_change_share))
    connection.execute(
        "create or replace table audience.size as"
        f" select {literal(audience_id)} as audience_id, (select count(*) from audience.audience_members) as customers,"
        f" {before} as previous_customers, cast({share} as double) as max_change_share,"
        f" {int(min_previous)} as min_previous, cast({literal(segment_id) if segment_id else 'null'} as varchar)"
        " as segment_id"
    )


def make_list(connection: duckdb.DuckDBPyConnection, folder: Path, chosen: Path | None, sent: Sequence[Path]) -> None:
    """Make `published.triggers_file`, behind `make_published`: one row for each dedupe key that is in the list's files.

    Args:
        connection: the gate's.
        folder: the staging folder.
        chosen: the list as it was chosen; None where the audience has none.
        sent: the lists that were published of the audience before.
    """
    parts = {"parquet": folder / f"{LIST_STEM}.parquet", "csv": folder / f"{LIST_STEM}.csv"}
    columns = "dedupe_key, customer_key, due_at, is_late"
    found = {name: _relation(file) if file.is_file() else f"(select {_NO_ROWS})" for name, file in parts.items()}
    was_chosen = f"read_parquet({literal(chosen)})" if chosen else f"(select {_NO_ROWS})"
    old = f"read_parquet([{', '.join(literal(file) for file in sent)}])" if sent else f"(select {_NO_ROWS})"
    connection.execute(
        f"""
        create or replace table published.triggers_file as
        with
        written as (select {columns}, count(*) over (partition by dedupe_key) as times from {found["parquet"]}),
        told as (select dedupe_key, min(customer_key) as customer_key, min(due_at) as due_at, count(*) as times
                 from {found["csv"]} group by dedupe_key),
        chosen as (select {columns} from {was_chosen})
        select
            coalesce(written.dedupe_key, told.dedupe_key, chosen.dedupe_key) as dedupe_key,
            coalesce(written.customer_key, told.customer_key, chosen.customer_key) as customer_key,
            coalesce(written.times, 0) as times_written,
            coalesce(told.times, 0) as times_told,
            chosen.dedupe_key is not null as is_chosen,
            written.customer_key is not distinct from chosen.customer_key
                and written.due_at is not distinct from chosen.due_at as is_as_chosen,
            told.customer_key is not distinct from written.customer_key
                and told.due_at is not distinct from strftime(written.due_at, '%Y-%m-%dT%H:%M:%SZ') as is_told_alike,
            written.due_at,
            count(*) over (partition by coalesce(written.customer_key, told.customer_key, chosen.customer_key))
                as messages_of_customer,
            exists (
                select 1 from published.expected as members
                where members.customer_key = coalesce(written.customer_key, told.customer_key)
            ) as is_member,
            exists (select 1 from {old} as old where old.dedupe_key = coalesce(written.dedupe_key, told.dedupe_key))
                as is_sent_before
        from written
        full join told on written.dedupe_key = told.dedupe_key
        full join chosen on coalesce(written.dedupe_key, told.dedupe_key) = chosen.dedupe_key
        """
    )


_NO_ROWS = (
    "null::varchar as dedupe_key, null::varchar as customer_key, null::timestamp as due_at, null::boolean as is_late"
    " where false"
)


def make_published(connection: duckdb.DuckDBPyConnection, folder: Path, expected: Path) -> None:
    """Make the relations of a version's folder.

    `published.files`: one row a file, as it is and as the manifest has it. `published.file_columns`: every column in
    order. `published.members_file`: the rows of `members.parquet`. `published.version`: one row a file and person that
    should be or is in it.
    """
    connection.execute("create schema if not exists published")
    connection.execute(f"create or replace view published.expected as from read_parquet({literal(expected)})")
    listed = _manifest_files(folder)
    found = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST)
    names = sorted({path.name for path in found} | set(listed or {}) | {MEMBERS})
    connection.execute(
        "create or replace table published.files (file_name varchar, is_there boolean, is_listed boolean,"
        " row_count bigint, listed_row_count bigint, sha256 varchar, listed_sha256 varchar)"
    )
    connection.execute(
        "create or replace table published.file_columns"
        " (file_name varchar, position bigint, column_name varchar, column_type varchar)"
    )
    people = ["select null::varchar as file_name, null::varchar as part, null::varchar as customer_key where false"]
    for name in names:
        file = folder / name
        entry = (listed or {}).get(name, {})
        relation = _relation(file) if file in found else None
        rows = _row_count(connection, name, relation) if relation else None
        connection.execute(
            "insert into published.files values (?, ?, ?, ?, ?, ?, ?)",
            [
                name,
                file in found,
                listed is None or name in listed,
                rows,
                entry.get("rows") if listed is not None else rows,
                sha256_of(file) if file in found else None,
                entry.get("sha256") if listed is not None else (sha256_of(file) if file in found else None),
            ],
        )
        # A list names some of the members, and has a suite of its own.
        if relation is not None and file.stem != LIST_STEM and "customer_key" in _columns_of(connection, name):
            part = file.stem if file.stem in _CHANGES else "members"
            people.append(f"select {literal(name)}, {literal(part)}, cast(customer_key as varchar) from {relation}")
    connection.execute(f"create or replace table published.people as {' union all '.join(people)}")
    facts = "false"
    if set(_MEMBER_COLUMNS) <= _columns_of(connection, MEMBERS):
        same = " and ".join(f"m.{column} is not distinct from e.{column}" for column in _MEMBER_COLUMNS)
        members = _relation(folder / MEMBERS)
        facts = f"exists (select 1 from {members} as m, published.expected as e where {same} and e.customer_key = key)"
        connection.execute(f"create or replace view published.members_file as select * from {members}")
    connection.execute(_VERSION.format(facts=facts))


def _manifest_files(folder: Path) -> dict[str, dict[str, Any]] | None:
    """What the manifest draft says of the files; None where it is not written yet."""
    file = folder / MANIFEST
    if not file.exists():
        return None
    return dict(json.loads(file.read_text(encoding="utf-8")).get("files", {}))


def _relation(file: Path) -> str | None:
    """SQL that reads one of our own files; nothing about it is guessed. None for kinds that hold no table."""
    if file.suffix == ".parquet":
        return f"read_parquet({literal(file)})"
    if file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as stream:
            header = stream.readline().rstrip("\r\n").split(",")
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
        return (
            f"read_csv({literal(file)}, header = true, delim = ',', quote = '\"', escape = '\"', auto_detect = false,"
            f" strict_mode = true, nullstr = '', columns = {{{columns}}})"
        )
    return None


def _row_count(connection: duckdb.DuckDBPyConnection, name: str, relation: str) -> int | None:
    """Rows of a file, its columns noted on the way; None where the file cannot be read."""
    try:
        described = connection.execute(f"describe select * from {relation}").fetchall()
        row = connection.execute(f"select count(*) from {relation}").fetchone()
    except duckdb.Error:
        return None
    connection.executemany(
        "insert into published.file_columns values (?, ?, ?, ?)",
        [[name, position, column[0], column[1]] for position, column in enumerate(described, start=1)],
    )
    return int(row[0]) if row else None


def _columns_of(connection: duckdb.DuckDBPyConnection, name: str) -> set[str]:
    found = connection.execute("select column_name from published.file_columns where file_name = ?", [name])
    return {row[0] for row in found.fetchall()}
