"""A home that was restored or moved lies elsewhere: views over raw follow it."""

from __future__ import annotations

import re

import duckdb

from renqun.warehouse.connection import has_table


def follow_raw(connection: duckdb.DuckDBPyConnection, raw_root: str) -> int:
    """Let every view that reads raw read it where it lies now; the next build does not make all of them anew.

    Where raw lay before is what the last build noted of its batches; nothing is done where that is the same.

    Returns:
        How many views were made anew.
    """
    if not has_table(connection, "ops", "batches"):
        return 0
    row = connection.execute("select raw_file, source from ops.batches order by raw_file limit 1").fetchone()
    before = str(row[0]).partition(f"/{row[1]}/date=")[0] if row else raw_root
    if before == raw_root:
        return 0
    old, new = ("'" + root.replace("'", "''") + "/" for root in (before, raw_root))
    views = connection.execute(
        "select sql from duckdb_views() where not internal and database_name = current_database() and contains(sql, ?)"
        " order by view_oid",
        [old],
    ).fetchall()
    connection.execute("begin")
    for (sql,) in views:
        connection.execute(re.sub(r"^CREATE VIEW", "CREATE OR REPLACE VIEW", str(sql)).replace(old, new))
    connection.execute("commit")
    return len(views)
