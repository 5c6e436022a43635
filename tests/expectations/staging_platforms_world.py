"""Two good rows of every staging model of a platform, with the columns that the gate asks about.

Model → column → its value. Days are the folder's; times lie before its end.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb

from renqun.quality.warehouse_relations import STAGED
from renqun.run import RunContext

PLATFORMS = {source: model for source, model in STAGED.items() if not model.startswith("stg_generic__")}

_TIME, _DAY, _COUNT, _MONEY = (
    "timestamp '2026-03-10 02:00'",
    "date '2026-03-10'",
    "3::decimal(18, 0)",
    "12.30::decimal(18, 2)",
)
_NOTHING, _PIECES = "0::decimal(18, 2)", "2::decimal(18, 6)"
_ADS = {
    "first_date": _DAY,
    "last_date": _DAY,
    "impression_count": "100::decimal(18, 0)",
    "click_count": _COUNT,
    "cost_amount": _MONEY,
}


def _counts(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, _COUNT)


MODELS: dict[str, dict[str, str]] = {
    "stg_taobao__orders": {
        "order_id": "'o1'",
        "customer_id": "'m1'",
        "order_paid_amount": _MONEY,
        "order_refunded_amount": _NOTHING,
        "ordered_at": _TIME,
        "paid_at": _TIME,
    },
    "stg_taobao__order_items": {
        "order_id": "'o1'",
        "item_id": "'i1'",
        "refund_status": "' 退款成功'",
        "quantity": _PIECES,
        "unit_price": _NOTHING,
        "refunded_amount": _MONEY,
        "ordered_at": _TIME,
        "paid_at": _TIME,
    },
    "stg_taobao__refunds": {
        "refund_id": "'r1'",
        "order_id": "'o1'",
        "refund_status": "'success'",
        "refund_amount": _MONEY,
        "is_succeeded": "true",
        "requested_at": _TIME,
        "refunded_at": _TIME,
    },
    "stg_taobao__excluded_orders": {"order_id": "'o1'"},
    "stg_shopify__orders": {
        "order_id": "'#1001'",
        "customer_id": "'7001'",
        "item_id": "'sku-1'",
        "quantity": _PIECES,
        "unit_price": _MONEY,
        "ordered_at": _TIME,
        "paid_at": _TIME,
        "cancelled_at": "null::timestamp",
    },
    "stg_shopify__customers": {"customer_id": "'7001'"},
    "stg_woocommerce__orders": {"order_id": "'w1'", "order_paid_amount": _MONEY, "ordered_at": _TIME},
    "stg_amazon__orders": {
        "order_id": "'a1'",
        "item_id": "'i1'",
        "quantity": _NOTHING,
        "unit_price": _NOTHING,
        "line_paid_amount": "null::decimal(18, 2)",
        "ordered_at": _TIME,
        "updated_at": _TIME,
    },
    "stg_ga4__events": {
        "visitor_id": "null::varchar",
        "customer_id": "'m1'",
        "event_name": "'view_item'",
        "event_at": _TIME,
    },
    "stg_sycm__items": {
        "item_id": "'i1'",
        "business_date": _DAY,
        "bounce_rate": "1::decimal(18, 6)",
        **_counts(
            "visitors",
            "views",
            "favourite_persons",
            "cart_persons",
            "cart_quantity",
            "buyers_placed",
            "quantity_placed",
            "buyers_paid",
            "quantity_paid",
            "new_buyers_paid",
            "returning_buyers_paid",
            "search_visitors",
            "search_buyers_paid",
        ),
    },
    "stg_sycm__shop_sources": {
        "source_level_1": "'经营优势'",
        "source_level_2": "'搜索'",
        "source_level_3": "null::varchar",
        "source_level_4": "null::varchar",
        "business_date": _DAY,
        **_counts(
            "visitor_count",
            "view_count",
            "cart_person_count",
            "favourite_person_count",
            "buyers_placed_count",
            "buyers_paid_count",
        ),
    },
    "stg_sycm__shop_daily": {
        "business_date": _DAY,
        "bounce_rate": "0::decimal(18, 6)",
        **_counts(
            "visitors",
            "new_visitors",
            "returning_visitors",
            "views",
            "item_visitors",
            "item_views",
            "favourite_persons",
            "cart_persons",
            "cart_quantity",
            "buyers_placed",
            "quantity_placed",
            "buyers_paid",
            "orders_paid",
            "lines_paid",
            "quantity_paid",
            "members",
            "new_members",
        ),
    },
    "stg_wanxiangtai__reports": _ADS,
    "stg_zhitongche__reports": _ADS,
    "stg_yinlimofang__reports": _ADS,
    "stg_google_ads__reports": _ADS,
    # A report that has no column of clicks tells none.
    "stg_meta_ads__reports": {**_ADS, "click_count": "null::decimal(18, 2)"},
    "stg_taobaoke__settlements": {
        "order_id": "'o1'",
        "line_id": "'l1'",
        "affiliate_id": "'affiliate:0a1b'",
        "commission_amount": _NOTHING,
        "ordered_at": _TIME,
        "confirmed_at": _TIME,
        "settled_at": _TIME,
    },
    "stg_taobaoke__overview": {
        "content": "'推广概览'",
        "business_date": _DAY,
        "attributed_amount": _NOTHING,
        **_counts(
            "click_count",
            "click_person_count",
            "attributed_order_count",
            "attributed_buyer_count",
            "settled_order_count",
        ),
    },
}


def build(connection: duckdb.DuckDBPyConnection, models: Collection[str] = MODELS.keys()) -> None:
    """Make the staging relations, as the gate sees those of one new batch each."""
    connection.execute("create schema if not exists staging")
    for model in models:
        columns = ", ".join(f"{value} as {name}" for name, value in MODELS[model].items())
        connection.execute(
            f"create table staging.{model} as select {columns}, date '2026-03-10' as _folder_date,"
            f" timestamp '2026-03-10 16:00' as _exported_at, 'b_{model}' as _batch_id, _source_row,"
            f" '/raw/{model}.parquet' as _raw_file from (values (1), (2)) as t (_source_row)"
        )


def build_warehouse(ctx: RunContext, change: str = "") -> Path:
    """The same as a warehouse file, with a ledger of one new batch for each kind of export."""
    file: Path = ctx.paths.warehouse
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(file)) as warehouse:
        build(warehouse)
        warehouse.execute("create schema ops; create schema vault")
        warehouse.execute("create table ops.built_dates as select date '2026-03-09' as as_of_date")
        pairs = ", ".join(f"('{source}', '{model}')" for source, model in PLATFORMS.items())
        warehouse.execute(
            "create table ops.batches as select 'b_' || model as batch_id, source, 'orders' as group_name,"
            " date '2026-03-10' as ds, '/raw/' || model || '.parquet' as raw_file, model || '.csv' as file_name,"
            f" 2 as rows_read, 0 as rows_quarantined, true as is_pending from (values {pairs}) as t (source, model)"
        )
        warehouse.execute(
            "create table vault.stg_generic__quarantined_rows as"
            " select _batch_id, _source_row, _raw_file from staging.stg_taobao__orders where false"
        )
        if change:
            warehouse.execute(change)
    return file
