"""A warehouse whose home lies elsewhere now reads raw where it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from renqun.warehouse import ledger
from renqun.warehouse.moved import follow_raw


def _home(root: Path) -> Path:
    raw = root / "it's home" / "raw"
    day = raw / "orders" / "date=2026-03-01"
    day.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute("copy (select 7 as order_id) to ? (format parquet)", [str(day / "b1.parquet")])
    return raw


def test_views_over_raw_follow_a_home_that_was_moved(tmp_path: Path) -> None:
    before, after = _home(tmp_path / "before"), tmp_path / "after" / "raw"
    with duckdb.connect(str(tmp_path / "renqun.duckdb")) as connection:
        ledger.ensure(connection)
        connection.execute("create schema staging")
        files = f"{before}/orders/*/*.parquet".replace("'", "''")
        connection.execute(f"create view staging.orders as select order_id from read_parquet('{files}')")
        connection.execute("create view staging.behind as select order_id + 1 as n from staging.orders")
        # Nothing was built yet: nobody knows where raw lay.
        assert follow_raw(connection, str(after)) == 0
        file = f"{before}/orders/date=2026-03-01/b1.parquet"
        connection.execute(
            "insert into ops.batches values ('b1', 'orders', 'orders', '2026-03-01', ?, 'f', 1, 0, false)", [file]
        )
        assert follow_raw(connection, str(before)) == 0
        after.parent.mkdir()
        shutil.move(before, after)
        assert follow_raw(connection, str(after)) == 1
        assert connection.execute("select n from staging.behind").fetchall() == [(8,)]
        assert connection.execute("select count(*) from duckdb_views() where not internal").fetchall() == [(2,)]
