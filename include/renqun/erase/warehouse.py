"""The warehouse without a person: a new file that holds what no build can make again, and nothing else.

Deleting rows would leave their bytes in freed pages, and figures that they are part of. So the ledger and the tables
that remember are copied without the person into a new file, and the next build makes everything else from raw: as after
the withdrawal of a batch.
"""

from __future__ import annotations

import shutil
from datetime import date

import duckdb

from renqun.erase.search import Words
from renqun.erase.tally import Tallies
from renqun.persons.identifiers import columns_of
from renqun.settings import ShopPaths
from renqun.sql_text import identifier, literal
from renqun.warehouse import exposures, ledger
from renqun.warehouse.connection import connect, has_table
from renqun.warehouse.memory import KEY_MEMORY, MEMORY_TABLES, PUBLICATION_MEMORY

_PLACE = "warehouse"
_KEPT = {
    "marts": (*MEMORY_TABLES, *PUBLICATION_MEMORY),
    "vault": (KEY_MEMORY,),
}
_NEW = "erasing.duckdb"
_MARK = "erased-"


def erase_from_warehouse(
    paths: ShopPaths, words: Words, fingerprint: str, touched_from: date | None, tallies: Tallies
) -> None:
    """Put a warehouse without the person in the place of the shop's; the caller holds the writer lock.

    Args:
        paths: the shop's folders.
        words: who.
        fingerprint: what the erasure is called.
        touched_from: the date of the first batch that lost rows: segments of the built dates since then are evaluated
            anew by the next build. None = raw lost nothing.
        tallies: where the counts go.
    """
    for left in ("scratch", "publish", "plans"):
        shutil.rmtree(paths.warehouse_dir / left, ignore_errors=True)
    for progress in (paths.warehouse_dir / "dbt").glob("*/progress.json"):
        progress.unlink(missing_ok=True)
    new = paths.warehouse_dir / _NEW
    new.unlink(missing_ok=True)
    if not paths.warehouse.exists():
        return
    with connect(paths.warehouse) as connection:
        connection.execute("checkpoint")
    tallies.note(_PLACE, searched=1, found=words.count_in(paths.warehouse), files=1)
    with connect(new) as connection:
        connection.execute(f"attach {literal(str(paths.warehouse))} as origin (read_only)")
        ledger.ensure(connection)
        exposures.ensure(connection)
        for schema, table in _tables(connection):
            _copy(connection, schema, table, words)
        if touched_from is not None:
            # A batch that was loaded and is there no more: the next build rebuilds, and evaluates the dates since then.
            mark = [f"{_MARK}{fingerprint}", touched_from]
            connection.execute("insert into ops.loaded_batches values (?, ?, true)", mark)
        connection.execute("detach origin")
        connection.execute("checkpoint")
    new.replace(paths.warehouse)


def needs_build(paths: ShopPaths) -> bool:
    """Whether an erasure has left the next build everything to do."""
    if not paths.warehouse.exists():
        return False
    with connect(paths.warehouse, read_only=True) as connection:
        if not has_table(connection, "ops", "loaded_batches"):
            return False
        query = "select 1 from ops.loaded_batches where starts_with(batch_id, ?) limit 1"
        return connection.execute(query, [_MARK]).fetchone() is not None


def _tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'origin' order by all"
    ).fetchall()
    return [(schema, table) for schema, table in rows if schema == "ops" or table in _KEPT.get(schema, ())]


def _copy(connection: duckdb.DuckDBPyConnection, schema: str, table: str, words: Words) -> None:
    origin = f"origin.{schema}.{identifier(table)}"
    condition = words.condition(connection, columns_of(connection.sql(f"from {origin}")))
    rows = f"select * from {origin}" + (f" where not ({condition})" if condition else "")
    connection.execute(f"create schema if not exists {schema}")
    if has_table(connection, schema, table):
        connection.execute(f"insert into {schema}.{identifier(table)} by name {rows}")
    else:
        connection.execute(f"create table {schema}.{identifier(table)} as {rows}")
