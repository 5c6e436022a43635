"""The project as a whole: every model has what a reader needs, and its SQL keeps to what two engines understand."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
import yaml
from raw_shop import MARKET_MODELS, OWN_MODELS, PROJECT, RawShop, Warehouse
from sqlglot import ErrorLevel, exp

MODELS = sorted(path for path in (PROJECT / "models").glob("**/*") if path.suffix in {".sql", ".py"})
CLOCK_OR_CHANCE = re.compile(
    r"\b(current_date|current_timestamp|current_time|localtimestamp|now|today|random|rand|uuid)\b *\(?", re.I
)
EMPTY_DAY, FULL_DAY = date(2024, 1, 30), date(2024, 1, 31)


@pytest.fixture(scope="module")
def empty_then_full(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A shop without a file, built with all data tests; then its first day with files."""
    folder = tmp_path_factory.mktemp("project")
    shop = RawShop(folder)
    warehouse = Warehouse(shop, folder / "warehouse.duckdb")
    models = (*OWN_MODELS, *MARKET_MODELS, "+path:models/marts/audiences")
    warehouse.build(
        EMPTY_DAY, "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious", select=models
    )
    assert all(
        warehouse.rows(f"select count(*) from marts.{name}") == [(0,)]
        for name in (
            "fct_orders",
            "fct_order_lines",
            "fct_refunds",
            "fct_events",
            "fct_sessions",
            "dim_customers",
            "dim_items",
            "fct_traffic_sources__by_day",
            "fct_item_traffic__by_day",
            "fct_ad_spend__by_day",
            "fct_affiliate_orders",
        )
    )
    # A build before this one has consumed something, so that models are built by increments.
    warehouse.consumed.add(shop.add_batch("orders", EMPTY_DAY, [], file_name="nothing.csv"))
    orders = {
        "order_id": "o1",
        "customer_id": "c1",
        "ordered_at": "2024-01-31 10:00",
        "item_id": "i1",
        "quantity": "1",
        "unit_price": "5",
    }
    event = {"event_id": "e1", "event_at": "2024-01-31 10:00", "event_type": "view", "visitor_id": "v1"}
    shop.add_batch(
        "orders",
        FULL_DAY,
        [orders, {"order_id": "bad"}],
        file_name="orders.csv",
        reasons={2: "missing_required:item_id"},
    )
    shop.add_batch("traffic_events", FULL_DAY, [event], file_name="events.csv")
    warehouse.build(FULL_DAY, "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious", select=models)
    return warehouse


def test_rows_read_are_staged_or_quarantined(empty_then_full: Warehouse) -> None:
    counted = empty_then_full.rows(
        "select b.source, b.rows_read, c.staged_row_count, c.quarantined_row_count from ops.batches as b"
        " inner join intermediate.int_batch_row_counts as c on b.batch_id = c.batch_id order by 1"
    )
    assert counted == [("orders", 2, 1, 1), ("traffic_events", 1, 1, 0)]


def test_quarantined_text_is_in_the_vault_only(empty_then_full: Warehouse) -> None:
    assert empty_then_full.rows("select quarantine_reason from vault.stg_generic__quarantined_rows") == [
        ("missing_required:item_id",)
    ]


def test_personal_columns_are_in_the_vault_only(empty_then_full: Warehouse) -> None:
    with duckdb.connect(str(empty_then_full.path)) as connection:
        found = connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns"
            " where lower(column_name) in ('phone', 'email', 'birthday', 'row_text') and table_schema <> 'vault'"
        ).fetchall()
    assert found == []


def test_only_the_day_is_touched_when_built_by_increments(empty_then_full: Warehouse) -> None:
    assert empty_then_full.rows("select is_full from intermediate.int_build_scope") == [(False,)]
    assert empty_then_full.rows("select touched_date from intermediate.int_touched_dates") == [(FULL_DAY,)]


def _compiled(warehouse: Warehouse) -> list[Path]:
    files = sorted(
        path
        for path in (warehouse.path.parent / "dbt" / "target" / "compiled" / "renqun" / "models").glob("**/*.sql")
        if path.parent.suffix != ".yml"
    )
    assert len(files) > 30
    return files


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([("a", True), ("b", True)], []),
        ([("a", True), ("a", False)], [("s", "a", 2)]),
        ([(None, True)], [("s", None, 1)]),
        ([("a", None)], [("s", "a", 1)]),
    ],
    ids=["sound", "twice", "no key", "a gap"],
)
def test_the_test_of_a_grain_bites(
    empty_then_full: Warehouse, rows: list[tuple[str | None, bool | None]], found: list[tuple[Any, ...]]
) -> None:
    compiled = empty_then_full.path.parent / "dbt" / "target" / "compiled" / "renqun" / "models"
    (test,) = compiled.glob("**/dim_customers.yml/unique_combination_*.sql")
    with duckdb.connect() as connection:
        connection.execute(f"attach ':memory:' as {empty_then_full.path.stem}; use {empty_then_full.path.stem}")
        connection.execute(
            "create schema marts; create table marts.dim_customers (customer_key text, is_member boolean, shop_id text"
            " default 's', customer_ids text default '', is_fan boolean default true, is_buyer boolean default true)"
        )
        connection.executemany("insert into marts.dim_customers (customer_key, is_member) values (?, ?)", rows)
        assert connection.execute(test.read_text(encoding="utf-8")).fetchall() == found


def test_every_model_is_duckdb_and_has_a_counterpart_in_spark(empty_then_full: Warehouse) -> None:
    refused = []
    for path in _compiled(empty_then_full):
        try:
            tree = sqlglot.parse_one(path.read_text(encoding="utf-8"), read="duckdb")
            # Where raw lies is the engine's own business: on Spark a source is a table.
            tree = tree.transform(lambda node: exp.to_table("raw_files") if _is_raw(node) else node)
            tree.sql(dialect="spark", unsupported_level=ErrorLevel.RAISE)
        except sqlglot.errors.SqlglotError as error:
            refused.append(f"{path.stem}: {error}")
    assert refused == []


def _is_raw(node: Any) -> bool:
    return isinstance(node, exp.Table) and isinstance(node.this, exp.ReadParquet)


def test_no_model_asks_the_clock_or_chance(empty_then_full: Warehouse) -> None:
    asking = [
        path.stem
        for path in _compiled(empty_then_full)
        if CLOCK_OR_CHANCE.search(
            re.sub(r"--[^\n]*|/\*.*?\*/|'[^']*'", "", path.read_text(encoding="utf-8"), flags=re.S)
        )
    ]
    assert asking == []


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_model_has_its_description_beside_it(model: Path) -> None:
    content = yaml.safe_load(model.with_suffix(".yml").read_text(encoding="utf-8"))
    (described,) = content["models"]
    assert described["name"] == model.stem
    meta = described["config"]["meta"]
    assert meta["grain"]
    assert meta["owner"]
    assert described["description"].strip()
    assert described["columns"]
    assert all(column.get("description") for column in described["columns"])


def test_no_contract_has_a_type_that_only_one_engine_knows() -> None:
    types = {
        column["data_type"]: path.stem
        for path in sorted(PROJECT.glob("models/**/*.yml"))
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
        for column in model["columns"]
        if "data_type" in column
    }
    of_duckdb = re.compile(r"hugeint|uhugeint|u?tinyint|usmallint|uinteger|ubigint|bit|uuid|time|timetz")
    assert {kind: model for kind, model in types.items() if of_duckdb.fullmatch(kind.lower())} == {}
    assert {"varchar", "bigint", "date"} <= types.keys()


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_model_is_short(model: Path) -> None:
    assert len(model.read_text(encoding="utf-8").splitlines()) <= 120
