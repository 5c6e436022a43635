"""Raw of an earlier release: a source has learnt a column since, and accepted files are never rewritten."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest
from raw_shop import RawShop, Warehouse

from renqun.ingest.catalogue import get_source
from renqun.ingest.ledger import accepted_parquet, read_record, sources_with_older_columns, write_record
from renqun.ingest.promote import promote_batches
from renqun.ingest.receive import receive_files
from renqun.settings import Home

OLD_DAY, NEW_DAY = date(2024, 1, 30), date(2024, 1, 31)
NEW_COLUMN = "discount_amount"
ORDER = {
    "customer_id": "c1",
    "ordered_at": "2024-01-30 10:00",
    "item_id": "i1",
    "quantity": "1",
    "unit_price": "5",
    NEW_COLUMN: "1",
}


def test_files_without_a_column_that_came_later_are_built_beside_newer_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = RawShop(tmp_path)
    warehouse = Warehouse(shop, tmp_path / "warehouse.duckdb")
    shop.add_batch("orders", OLD_DAY, [{**ORDER, "order_id": "old"}], file_name="old.csv")
    older = Path(shop.batches[0]["raw_file"])
    with duckdb.connect() as connection:
        connection.execute(f"create table kept as select * exclude ({NEW_COLUMN}) from '{older}'")
        connection.execute(f"copy kept to '{older}' (format parquet)")
    shop.add_batch("orders", NEW_DAY, [{**ORDER, "order_id": "new"}], file_name="new.csv")
    monkeypatch.setenv("RENQUN_RAW_BY_NAME", "members,orders")
    warehouse.build(NEW_DAY, select=["stg_generic__order_lines"])
    lines = warehouse.rows("select order_id, discount_amount from staging.stg_generic__order_lines order by order_id")
    assert [(order, None if amount is None else float(amount)) for order, amount in lines] == [
        ("new", 1.0),
        ("old", None),
    ]


def test_the_ledger_knows_which_sources_have_such_files(tmp_path: Path) -> None:
    home = Home(tmp_path)
    shop = home.shop("default")
    paths = home.paths(shop.id)
    dropped = paths.landing / "orders" / str(OLD_DAY) / "orders.csv"
    dropped.parent.mkdir(parents=True)
    row = {**ORDER, "order_id": "o1"}
    dropped.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    receive_files(home, shop, "orders", [OLD_DAY], look_again_seconds=0)
    (batch,) = promote_batches(home, shop, "orders", [OLD_DAY]).promoted
    assert sources_with_older_columns(paths) == []

    entry = accepted_parquet(paths, batch).with_suffix(".json")
    record = read_record(entry)
    assert {*record.columns, *record.missing_columns} >= {column.name for column in get_source("orders").columns}
    write_record(entry, record.model_copy(update={"columns": tuple(c for c in record.columns if c != NEW_COLUMN)}))
    assert sources_with_older_columns(paths) == ["orders"]
