"""How a reader opens a version of the marts: one script, the same for `open.sql` and for `renqun sql`."""

from __future__ import annotations

from datetime import date

import duckdb

from renqun.errors import RequestError
from renqun.publish.layout import MARTS_DATABASE
from renqun.publish.manifest import MartsManifest, PartitionedMart
from renqun.publish.versions import find_marts
from renqun.settings import Home, Settings
from renqun.sql_text import identifier, literal

_QUERIES = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.RELATION})
_HEAD = """\
-- Opens this version of the marts read-only, every mart as a view: from this folder,
--     duckdb -init open.sql
-- The marts of traffic history are views over the parts in `../../parts/`, which belong to the published folder.
"""


def opening_statements(manifest: MartsManifest, *, folder: str, root: str) -> list[str]:
    """The statements that make every mart of a version a view of the schema `marts`.

    Args:
        manifest: the version's manifest.
        folder: prefix of the version's own files.
        root: prefix of `parts/`.
    """
    statements = [
        "set TimeZone = 'UTC'",
        f"attach if not exists {literal(folder + MARTS_DATABASE)} as published (read_only)",
        "create schema if not exists marts",
    ]
    for table in sorted(manifest.tables):
        statements.append(
            f"create or replace view marts.{identifier(table)} as select * from published.main.{identifier(table)}"
        )
    for name, mart in sorted(manifest.partitioned.items()):
        statements.append(f"create or replace view marts.{identifier(name)} as {_select_parts(mart, root)}")
    statements.append("use marts")
    return statements


def open_script(manifest: MartsManifest) -> str:
    """The text of `open.sql`, with paths relative to the version's folder."""
    return _HEAD + "".join(f"{line};\n" for line in opening_statements(manifest, folder="", root="../../"))


def execute_query(connection: duckdb.DuckDBPyConnection, text: str) -> duckdb.DuckDBPyConnection:
    """Run one query of a reader; nothing else.

    Raises:
        RequestError: it is no single query, or fails.
    """
    try:
        statements = connection.extract_statements(text)
        if len(statements) != 1 or statements[0].type not in _QUERIES:
            raise RequestError(
                "this is not one query", remedy="give a single select (or describe, or explain); nothing can be written"
            )
        return connection.execute(statements[0])
    except duckdb.Error as error:
        raise RequestError(
            f"the query failed: {error}", remedy="'renqun sql' without a query lists the marts"
        ) from error


def open_marts(
    home: Home, shop_id: str, as_of: date | None = None, *, version: str | None = None
) -> duckdb.DuckDBPyConnection:
    """A connection in which every mart of a published version is a view; nothing published can be written.

    The marts are found with and without the schema (`marts.fct_orders`, `fct_orders`); what the gates found is the
    view `quality_results`, how each task ended `run_ledger`. The caller closes the connection.

    Args:
        home: the home.
        shop_id: the shop.
        as_of: the business date; None = `latest`.
        version: one version of that date; None = the newest.

    Raises:
        RequestError: no such version was published.
    """
    from renqun.observe.runs import attach_run_ledger
    from renqun.quality.results import attach_quality_results

    paths = home.paths(shop_id)
    marts = find_marts(paths, as_of=as_of, version=version)
    settings = Settings()
    connection = duckdb.connect(config={"memory_limit": settings.memory_limit, "threads": settings.threads})
    try:
        for statement in opening_statements(
            marts.manifest, folder=f"{marts.folder}/", root=f"{paths.published_marts}/"
        ):
            connection.execute(statement)
        attach_quality_results(connection, paths)
        attach_run_ledger(connection, paths)
    except BaseException:
        connection.close()
        raise
    return connection


def _select_parts(mart: PartitionedMart, root: str) -> str:
    if mart.parts:
        paths = ", ".join(literal(root + part.path) for part in mart.parts)
        return f"select * from read_parquet([{paths}], hive_partitioning = false, union_by_name = false)"
    columns = ", ".join(f"null::{kind} as {identifier(name)}" for name, kind in mart.columns)
    return f"select {columns} where false"
