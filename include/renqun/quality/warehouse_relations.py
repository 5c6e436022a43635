"""What the staging and marts gates look at: views into the warehouse, and one row for each batch or group."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from renqun.quality.relations import identifier, literal, make_run, mirror
from renqun.quality.suite import Suite
from renqun.run import RunContext
from renqun.thresholds import shop_vars

_STAGED = {
    "orders": ("staging", "stg_generic__order_lines"),
    "traffic_events": ("staging", "stg_generic__events"),
    "traffic_sources": ("staging", "stg_generic__traffic_sources"),
    "members": ("staging", "stg_generic__members"),
    "consent": ("vault", "stg_generic__consents"),
}
"""Source → the staging relation that holds its sound rows."""

_QUARANTINED = ("vault", "stg_generic__quarantined_rows")
_PERSONAL = "'phone', 'email', 'birthday', 'row_text', '_row_text'"


def make_context(connection: duckdb.DuckDBPyConnection, ctx: RunContext, database: str) -> None:
    """Make `run.context` and `run.vars` for a build.

    `facts_from` is the first date whose traffic facts this build can have changed: a session of a new batch may have
    begun the day before it.
    """
    ops = f"{identifier(database)}.ops"
    day = f"date {literal(ctx.ds)}"
    previous = f"(select max(as_of_date) from {ops}.built_dates where as_of_date < {day})"
    pending = f"(select min(ds) from {ops}.batches where is_pending)"
    make_run(
        connection,
        ctx,
        shop_vars(ctx.shop),
        previous_as_of_date=previous,
        facts_from=f"least(coalesce({previous}, date '0001-01-02'), coalesce({pending}, {day})) - 1",
        has_orders=f"exists (select 1 from {ops}.batches where source = 'orders')",
        has_traffic=f"exists (select 1 from {ops}.batches where source = 'traffic_events')",
    )


def make_staging(connection: duckdb.DuckDBPyConnection, ctx: RunContext, database: str) -> dict[str, str]:
    """Make the staging relations of the build's new batches, `staging.staged_batches` and `staging.staged_groups`.

    Only the new batches' files are read: a day's gate costs what the day's data costs.

    Returns:
        Object → why it may have no rows in this run.
    """
    name = identifier(database)
    pending = connection.execute(
        f"select source, raw_file from {name}.ops.batches where is_pending order by 1, 2"
    ).fetchall()
    connection.execute("create schema if not exists staging")
    mirror(connection, database, ("ops",))
    fine = {}
    counts = []
    for source, (schema, table) in _STAGED.items():
        files = ", ".join(literal(file) for of, file in pending if of == source)
        if not files:
            fine[table] = f"this build has no new batch of {source}"
        condition = f"_raw_file in ({files})" if files else "false"
        connection.execute(
            f"create or replace view staging.{table} as select * from {name}.{schema}.{table} where {condition}"
        )
        counts.append(f"select _batch_id, true as is_sound, count(*) as n from staging.{table} group by 1")
    if not pending:
        fine["staged_batches"] = "this build has no new batch"
    files = ", ".join(literal(file) for _, file in pending)
    counts.append(
        f"select _batch_id, false, count(*) from {name}.{_QUARANTINED[0]}.{_QUARANTINED[1]}"
        f" where {f'_raw_file in ({files})' if files else 'false'} group by 1"
    )
    _make_staged_batches(connection, " union all ".join(counts))
    _make_staged_groups(connection, ctx)
    return fine


def make_mart_columns(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    """Make `marts.mart_columns`: every column outside the vault, and whether its name is one of personal data."""
    connection.execute(
        "create or replace table marts.mart_columns as"
        " select table_schema, table_name, column_name, data_type as column_type,"
        f" lower(column_name) in ({_PERSONAL}) as is_personal"
        " from information_schema.columns"
        f" where table_catalog = {literal(database)} and table_schema in ('staging', 'intermediate', 'marts')"
    )


def absent_groups(connection: duckdb.DuckDBPyConnection, suites: Sequence[Suite]) -> dict[str, str]:
    """Object → why it may be empty, for objects that are fed by a group which the shop does not have."""
    present = {row[0] for row in connection.execute("select distinct group_name from ops.batches").fetchall()}
    return {
        suite.object: f"the shop has no accepted export of the group {suite.fed_by}"
        for suite in suites
        if suite.fed_by is not None and suite.fed_by not in present
    }


def _make_staged_batches(connection: duckdb.DuckDBPyConnection, counts: str) -> None:
    connection.execute(
        "create or replace table staging.staged_batches as"
        " with counted as ("
        "   select _batch_id as batch_id, sum(n) filter (where is_sound) as rows_staged,"
        "          sum(n) filter (where not is_sound) as rows_quarantined_staged"
        f"  from ({counts}) group by 1"
        " )"
        " select batches.batch_id, batches.source, batches.ds, batches.file_name, batches.rows_read,"
        "   batches.rows_quarantined, coalesce(counted.rows_staged, 0) as rows_staged,"
        "   coalesce(counted.rows_quarantined_staged, 0) as rows_quarantined_staged"
        " from ops.batches as batches left join counted on batches.batch_id = counted.batch_id"
        " where batches.is_pending"
    )


def _make_staged_groups(connection: duckdb.DuckDBPyConnection, ctx: RunContext) -> None:
    groups = ", ".join(
        f"({literal(group)}, {(ctx.paths.raw / 'closed' / group / f'{ctx.ds}.json').exists()})"
        for group in ctx.shop.expect
    )
    rows = f"(values {groups}) as expected (group_name, is_closed)" if groups else "(select null, true where false)"
    connection.execute(
        "create or replace table staging.staged_groups as"
        " select expected.group_name, expected.is_closed, max(batches.ds) as newest_ds"
        f" from {rows} left join ops.batches as batches on expected.group_name = batches.group_name"
        " group by all"
    )
