"""The tables that remember: spells, sizes, flows and published keys depend on which dates were built."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from renqun.warehouse.connection import connect, has_table

MEMORY_TABLES = (
    "fct_segment_memberships",
    "agg_segment_sizes__by_day",
    "fct_customer_stage_spells",
    "agg_stage_flows__by_day",
)
"""Marts whose rows of a past date late exports may change."""

KEY_MEMORY = "int_customer_key_changes"
"""Under which keys people were published. Other warehouses get it and never give it back: what was published was."""

PUBLICATION_MEMORY = ("fct_audience_outcomes", "agg_audience_lift")
"""Marts that depend on which dates were published: what came of audiences that only some days had."""

EXPOSURE_MEMORY = ("audience_versions", "audience_exposures")
"""What was read of published audiences: their folders may be gone. Only a build of a past date needs a copy."""

_SCHEMAS = dict.fromkeys(MEMORY_TABLES, "marts") | {KEY_MEMORY: "vault"}
_ALL_SCHEMAS = _SCHEMAS | dict.fromkeys(EXPOSURE_MEMORY, "ops")


def copy_memory(origin: Path, target: Path, tables: Iterable[str] = _SCHEMAS) -> list[str]:
    """Copy the tables that remember from one warehouse file to another, replacing them there, in one transaction.

    Returns:
        The tables that were copied; a warehouse that was never built has none.
    """
    with connect(target) as connection:
        quoted = str(origin).replace("'", "''")
        connection.execute(f"attach '{quoted}' as origin (read_only)")
        present = set(
            connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'origin'"
            ).fetchall()
        )
        copied = [table for table in tables if (_ALL_SCHEMAS[table], table) in present]
        connection.execute("begin")
        for table in copied:
            schema = _ALL_SCHEMAS[table]
            connection.execute(f"create schema if not exists {schema}")
            if has_table(connection, schema, table):
                # Contents only: the table's own constraints stay as dbt made them.
                connection.execute(f"delete from {schema}.{table}")
                connection.execute(f"insert into {schema}.{table} by name from origin.{schema}.{table}")
            else:
                connection.execute(f"create table {schema}.{table} as from origin.{schema}.{table}")
        connection.execute("commit")
    return copied
