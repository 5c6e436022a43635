"""The tables that remember: segment spells and sizes depend on which dates were built, not on exports alone."""

from __future__ import annotations

from pathlib import Path

from renqun.warehouse.connection import connect, has_table

MEMORY_TABLES = ("fct_segment_memberships", "agg_segment_sizes__by_day")
_SCHEMA = "marts"


def copy_memory(origin: Path, target: Path) -> list[str]:
    """Copy the tables that remember from one warehouse file to another, replacing them there, in one transaction.

    Returns:
        The tables that were copied; a warehouse that was never built has none.
    """
    with connect(target) as connection:
        quoted = str(origin).replace("'", "''")
        connection.execute(f"attach '{quoted}' as origin (read_only)")
        present = {
            row[0]
            for row in connection.execute(
                "select table_name from duckdb_tables() where database_name = 'origin' and schema_name = ?",
                [_SCHEMA],
            ).fetchall()
        }
        copied = [table for table in MEMORY_TABLES if table in present]
        connection.execute("begin")
        connection.execute(f"create schema if not exists {_SCHEMA}")
        for table in copied:
            if has_table(connection, _SCHEMA, table):
                # Contents only: the table's own constraints stay as dbt made them.
                connection.execute(f"delete from {_SCHEMA}.{table}")
                connection.execute(f"insert into {_SCHEMA}.{table} by name from origin.{_SCHEMA}.{table}")
            else:
                connection.execute(f"create table {_SCHEMA}.{table} as from origin.{_SCHEMA}.{table}")
        connection.execute("commit")
    return copied
