"""The relations that a gate looks at, as views in its own in-memory DuckDB."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from renqun.errors import TechnicalError
from renqun.quality.suite import Suite
from renqun.run import RunContext


def literal(value: object) -> str:
    """A text as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def make_run(
    connection: duckdb.DuckDBPyConnection, ctx: RunContext, variables: Mapping[str, Any], **facts: Any
) -> None:
    """Make `run.context` and `run.vars`, one row each: what queries may ask about the run.

    Args:
        connection: the gate's connection.
        ctx: the run; its date is `as_of_date`.
        variables: the shop's vars; those that are one value become columns of `run.vars`.
        facts: more columns of `run.context`, as SQL expressions.
    """
    context = {
        "shop_id": literal(ctx.shop.id),
        "as_of_date": f"date {literal(ctx.ds)}",
        "currency": literal(ctx.shop.currency),
        "time_zone": literal(ctx.shop.time_zone),
        **facts,
    }
    scalars = {name: value for name, value in variables.items() if isinstance(value, bool | int | float | str)}
    connection.execute("create schema if not exists run")
    columns = ", ".join(f"{expression} as {identifier(name)}" for name, expression in context.items())
    connection.execute(f"create or replace table run.context as select {columns}")
    values = ", ".join(f"{_value(value)} as {identifier(name)}" for name, value in scalars.items())
    connection.execute(f"create or replace table run.vars as select {values or '1 as nothing'}")


def attach(connection: duckdb.DuckDBPyConnection, file: Path, what: str) -> str:
    """Attach a DuckDB file read-only, under the name that views inside it use.

    Raises:
        TechnicalError: it cannot be opened.
    """
    try:
        connection.execute(f"attach {literal(file)} (read_only)")
        row = connection.execute(
            "select database_name from duckdb_databases() where path = ? order by database_oid desc",
            [str(file)],
        ).fetchone()
    except duckdb.Error as error:
        raise TechnicalError(
            f"{what} cannot be opened: {error}",
            where=str(file),
            remedy="end the program that has the file open; if the file is absent, build the marts first",
        ) from error
    return str(row[0]) if row else file.stem


def mirror(
    connection: duckdb.DuckDBPyConnection, database: str, schemas: Collection[str], suites: Sequence[Suite] = ()
) -> None:
    """Make a view `<schema>.<table>` for every relation of an attached database.

    A relation whose suite has a scope shows only the rows in it; all of its rows are in `whole.<table>`, for checks of
    other relations that look something up there.
    """
    scopes = {f"{suite.stage}.{suite.object}": suite.scope for suite in suites if suite.scope}
    found = connection.execute(
        "select table_schema, table_name from information_schema.tables where table_catalog = ? order by 1, 2",
        [database],
    ).fetchall()
    for schema, table in found:
        if schema not in schemas:
            continue
        scope = scopes.get(f"{schema}.{table}")
        shown = {schema: f" where {scope}", "whole": ""} if scope else {schema: ""}
        for place, condition in shown.items():
            connection.execute(f"create schema if not exists {identifier(place)}")
            connection.execute(
                f"create or replace view {identifier(place)}.{identifier(table)} as"
                f" select * from {identifier(database)}.{identifier(schema)}.{identifier(table)}{condition}"
            )


def _value(value: Any) -> str:
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, float):
        return f"cast({value!r} as double)"
    return literal(value)
