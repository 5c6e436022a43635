"""What the audience and published gates look at: members, and the written files as they read back from the disk."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from renqun.publish.destinations import Destination, destination
from renqun.publish.destinations.writing import read_rows
from renqun.quality.relations import literal
from renqun.storage import sha256_of

MEMBERS = "members.parquet"
MANIFEST = "manifest.json"
KEYS = "customer_key"
LIST_STEM = "triggers"
_CHANGES = ("added", "removed")
_ASIDE = ("holdout", "contacted", LIST_STEM)
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
    where column_name = 'customer_key' and regexp_matches(file_name, '^(members|canonical)[.]')
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
where written.part in ('added', 'removed')
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


def make_published(connection: duckdb.DuckDBPyConnection, folder: Path, expected: Path, forbidden: Path) -> None:
    """Make the relations of a version's folder.

    `published.files`: one row a file, as it is and as the manifest has it. `published.file_columns`: every column in
    order. `published.members_file`: the rows of `members.parquet`. `published.version`: one row a file and person that
    should be or is in it. `published.addressed`: one row a file that addresses people, and how many of its rows
    address somebody who must be left alone, by the list of hashed cells in `forbidden`. `published.holdout_file`: who
    is kept out, and whether the members have them all the same.
    """
    connection.execute("create schema if not exists published")
    connection.execute(f"create or replace view published.expected as from read_parquet({literal(expected)})")
    manifest = _manifest(folder)
    listed = None if manifest is None else dict(manifest.get("files", {}))
    delivered = _delivered(manifest or {})
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
        relation = _relation(file) if file in found and name not in delivered else None
        rows = _row_count(connection, name, relation) if relation else None
        if name in delivered and file in found:
            rows = _rows_delivered(connection, delivered[name], file)
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
        if relation is not None and "customer_key" in _columns_of(connection, name):
            part = file.stem if file.stem in _CHANGES + _ASIDE else "members"
            people.append(f"select {literal(name)}, {literal(part)}, cast(customer_key as varchar) from {relation}")
    connection.execute(f"create or replace table published.people as {' union all '.join(people)}")
    facts = "false"
    if set(_MEMBER_COLUMNS) <= _columns_of(connection, MEMBERS):
        same = " and ".join(f"m.{column} is not distinct from e.{column}" for column in _MEMBER_COLUMNS)
        members = _relation(folder / MEMBERS)
        facts = f"exists (select 1 from {members} as m, published.expected as e where {same} and e.customer_key = key)"
        connection.execute(f"create or replace view published.members_file as select * from {members}")
    connection.execute(_VERSION.format(facts=facts))
    connection.execute(
        "create or replace table published.holdout_file as select customer_key, customer_key in"
        " (select customer_key from published.people where part = 'members') as is_member"
        " from published.people where part = 'holdout'"
    )
    _make_addressed(connection, folder, delivered, forbidden)


def _make_addressed(
    connection: duckdb.DuckDBPyConnection, folder: Path, delivered: Mapping[str, Destination], forbidden: Path
) -> None:
    """Compare every cell of every list with the cells that must not be there; lists of removals address nobody."""
    connection.execute(f"create or replace view published.forbidden as from read_parquet({literal(forbidden)})")
    connection.execute(
        "create or replace table published.addressed (file_name varchar, row_count bigint, forbidden_count bigint)"
    )
    # A list of nobody is looked at like any other: it has its row.
    connection.execute(
        "insert into published.addressed"
        f" select lists.file_name, count(customer_key), count(*) filter (where {_is_forbidden(KEYS, KEYS)})"
        " from (select distinct file_name from published.file_columns where column_name = 'customer_key'"
        " and regexp_matches(file_name, '^(members|canonical|contacted|added|triggers)[.]')) as lists"
        " left join published.people as people on lists.file_name = people.file_name group by lists.file_name"
    )
    for name, to in delivered.items():
        file = folder / name
        if not file.is_file() or _is_reduce(name, to):
            continue
        try:
            rows = read_rows(connection, to, [file])
            tests = " or ".join(_is_forbidden(to.id, column) for column in rows.columns)
            (counted,) = rows.aggregate(f"count(*), count(*) filter (where {tests})").fetchall()
        except (duckdb.Error, ValueError, OSError, zipfile.BadZipFile):
            counted = (None, None)
        connection.execute("insert into published.addressed values (?, ?, ?)", [name, *counted])


def _is_forbidden(destination: str, column: str) -> str:
    return (
        f"coalesce(sha256({column}) in (select cell_sha256 from published.forbidden"
        f" where destination = {literal(destination)}), false)"
    )


def _is_reduce(name: str, to: Destination) -> bool:
    return name.startswith(f"{to.id}_reduce")


def _delivered(manifest: Mapping[str, Any]) -> dict[str, Destination]:
    """The destination of every file that the manifest draft delivers."""
    return {
        name: destination(destination_id)
        for destination_id, delivery in manifest.get("deliveries", {}).items()
        for name in (*delivery["full"], *delivery["append"], *delivery["reduce"])
    }


def _rows_delivered(connection: duckdb.DuckDBPyConnection, to: Destination, file: Path) -> int | None:
    """Rows of a destination's file, as it reads it; None where it cannot be read."""
    try:
        return len(read_rows(connection, to, [file]))
    except (duckdb.Error, ValueError, OSError, zipfile.BadZipFile):
        return None


def _manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest draft; None where it is not written yet."""
    file = folder / MANIFEST
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


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


def relation_of(file: Path) -> str | None:
    """SQL that reads one of our own files that hold a table; None where it is not there."""
    return _relation(file) if file.is_file() else None


def _columns_of(connection: duckdb.DuckDBPyConnection, name: str) -> set[str]:
    found = connection.execute("select column_name from published.file_columns where file_name = ?", [name])
    return {row[0] for row in found.fetchall()}
