"""What the staging and marts gates look at: views into the warehouse, and one row for each batch or group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import duckdb

from renqun.quality.relations import identifier, literal, make_run, mirror
from renqun.quality.suite import Suite
from renqun.run import RunContext
from renqun.thresholds import shop_vars

STAGED = {
    "orders": "stg_generic__order_lines",
    "taobao_orders": "stg_taobao__orders",
    "taobao_order_items": "stg_taobao__order_items",
    "taobao_refunds": "stg_taobao__refunds",
    "taobao_excluded_orders": "stg_taobao__excluded_orders",
    "shopify_orders": "stg_shopify__orders",
    "woocommerce_orders": "stg_woocommerce__orders",
    "amazon_orders": "stg_amazon__orders",
    "traffic_events": "stg_generic__events",
    "ga4_events": "stg_ga4__events",
    "traffic_sources": "stg_generic__traffic_sources",
    "sycm_items": "stg_sycm__items",
    "sycm_shop_sources": "stg_sycm__shop_sources",
    "sycm_shop_daily": "stg_sycm__shop_daily",
    "wanxiangtai_reports": "stg_wanxiangtai__reports",
    "zhitongche": "stg_zhitongche__reports",
    "yinlimofang": "stg_yinlimofang__reports",
    "google_ads": "stg_google_ads__reports",
    "meta_ads": "stg_meta_ads__reports",
    "taobaoke_settlements": "stg_taobaoke__settlements",
    "taobaoke_overview": "stg_taobaoke__overview",
    "members": "stg_generic__members",
    "shopify_customers": "stg_shopify__customers",
    "consent": "stg_generic__consents",
    "suppressions": "stg_generic__suppressions",
}
"""Source → the staging relation that holds its sound rows; the macro `staged_models` says the same to dbt."""

_GENERIC = "stg_generic__"

IN_VAULT = frozenset({"stg_generic__consents", "stg_generic__suppressions"})
"""Staging relations whose every row is about a person's contact."""

ORDER_SOURCES = (
    "orders", "taobao_orders", "taobao_order_items", "shopify_orders", "woocommerce_orders", "amazon_orders",
)  # fmt: skip
"""Exports that tell of orders: a shop that has one of them has orders (macro `order_sources`)."""

EVENT_SOURCES = ("traffic_events", "ga4_events")
"""Exports that tell of single visits: a shop that has one of them has traffic (macro `event_source_names`)."""

_BY_DAY = ("agg_shop_kpis__by_day", "agg_customer_coverage__by_day", "fct_kpi_anomalies")
"""Marts with a row for every day from the first event or order on: without either there is no first day."""

_QUARANTINED = ("vault", "stg_generic__quarantined_rows")
_PERSONAL = "'phone', 'email', 'birthday', 'row_text', '_row_text'"


@dataclass(frozen=True)
class Staged:
    """What of staging a build has to be asked about."""

    objects: tuple[str, ...]
    """The relations that the gate looks at."""
    empty_is_fine: dict[str, str] = field(default_factory=dict)
    """Object → why it may have no rows in this run."""


def make_context(connection: duckdb.DuckDBPyConnection, ctx: RunContext, database: str) -> None:
    """Make `run.context` and `run.vars` for a build.

    `facts_from` is the first date whose traffic facts this build can have changed: a session of a new batch may have
    begun the day before it.
    """
    ops = f"{identifier(database)}.ops"
    day = f"date {literal(ctx.ds)}"
    previous = f"(select max(as_of_date) from {ops}.built_dates where as_of_date < {day})"
    pending = f"(select min(ds) from {ops}.batches where is_pending)"
    make_run(
        connection,
        ctx,
        shop_vars(ctx.shop),
        previous_as_of_date=previous,
        facts_from=f"least(coalesce({previous}, date '0001-01-02'), coalesce({pending}, {day})) - 1",
        has_orders=f"exists (select 1 from {ops}.batches where source in ({_listed(ORDER_SOURCES)}))",
        has_traffic=f"exists (select 1 from {ops}.batches where source in ({_listed(EVENT_SOURCES)}))",
    )


def make_staging(connection: duckdb.DuckDBPyConnection, ctx: RunContext, database: str) -> Staged:
    """Make the staging relations of the build's new batches, `staging.staged_batches` and `staging.staged_groups`.

    Only the new batches' files are read, and only their kinds of export are asked about: a day's gate costs what the
    day's data costs, however many kinds of export there are.
    """
    name = identifier(database)
    pending = connection.execute(
        f"select source, raw_file, rows_read, rows_quarantined from {name}.ops.batches where is_pending order by 1, 2"
    ).fetchall()
    connection.execute("create schema if not exists staging")
    mirror(connection, database, ("ops",))
    fine = {} if pending else {"staged_batches": "this build has no new batch"}
    objects = ["staged_batches", "staged_groups"]
    counts = []
    for source in sorted({one[0] for one in pending} & STAGED.keys()):
        table, batches = STAGED[source], [one for one in pending if one[0] == source]
        schema = "vault" if table in IN_VAULT else "staging"
        connection.execute(
            f"create or replace view staging.{table} as select * from {name}.{schema}.{table}"
            f" where _raw_file in ({_listed(one[1] for one in batches)})"
        )
        counts.append(f"select _batch_id, true as is_sound, count(*) as n from staging.{table} group by 1")
        objects.append(table)
        # Who writes a generic export reads our description: one without a sound row is broken. A platform's file is
        # met where it stands, and three orders with damaged ids are no reason to build nothing.
        if not table.startswith(_GENERIC) and all(read == quarantined for _, _, read, quarantined in batches):
            fine[table] = "every row of the new batches was set aside when it was received"
    counts.append(
        f"select _batch_id, false as is_sound, count(*) as n from {name}.{_QUARANTINED[0]}.{_QUARANTINED[1]}"
        f" where _raw_file in ({_listed(one[1] for one in pending)}) group by 1"
        if pending
        else "select null::varchar as _batch_id, false as is_sound, 0 as n where false"
    )
    _make_staged_batches(connection, " union all ".join(counts))
    _make_staged_groups(connection, ctx)
    return Staged(tuple(objects), fine)


def make_mart_columns(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    """Make `marts.mart_columns`: every column outside the vault, and whether its name is one of personal data."""
    connection.execute(
        "create or replace table marts.mart_columns as"
        " select table_schema, table_name, column_name, data_type as column_type,"
        f" lower(column_name) in ({_PERSONAL}) as is_personal"
        " from information_schema.columns"
        f" where table_catalog = {literal(database)} and table_schema in ('staging', 'intermediate', 'marts')"
    )


def absent_groups(connection: duckdb.DuckDBPyConnection, suites: Sequence[Suite]) -> dict[str, str]:
    """Object → why it may be empty, for objects that are fed by exports which the shop does not have."""
    batches = connection.execute("select distinct group_name, source from ops.batches").fetchall()
    present, sources = {group for group, _ in batches}, {source for _, source in batches}
    fine = {
        suite.object: f"the shop has no accepted export of the group {suite.fed_by}"
        for suite in suites
        if suite.fed_by is not None and suite.fed_by not in present
    }
    if not sources & {*ORDER_SOURCES, *EVENT_SOURCES}:
        fine |= dict.fromkeys(_BY_DAY, "the shop has no accepted export of orders or of single visits")
    return fine


def _listed(values: Iterable[object]) -> str:
    return ", ".join(literal(value) for value in values)


def _make_staged_batches(connection: duckdb.DuckDBPyConnection, counts: str) -> None:
    connection.execute(
        "create or replace table staging.staged_batches as"
        " with counted as ("
        "   select _batch_id as batch_id, sum(n) filter (where is_sound) as rows_staged,"
        "          sum(n) filter (where not is_sound) as rows_quarantined_staged"
        f"  from ({counts}) group by 1"
        " )"
        " select batches.batch_id, batches.source, batches.ds, batches.file_name, batches.rows_read,"
        "   batches.rows_quarantined, coalesce(counted.rows_staged, 0) as rows_staged,"
        "   coalesce(counted.rows_quarantined_staged, 0) as rows_quarantined_staged"
        " from ops.batches as batches left join counted on batches.batch_id = counted.batch_id"
        " where batches.is_pending"
    )


def _make_staged_groups(connection: duckdb.DuckDBPyConnection, ctx: RunContext) -> None:
    groups = ", ".join(
        f"({literal(group)}, {(ctx.paths.raw / 'closed' / group / f'{ctx.ds}.json').exists()})"
        for group in ctx.shop.expect
    )
    rows = f"(values {groups}) as expected (group_name, is_closed)" if groups else "(select null, true where false)"
    connection.execute(
        "create or replace table staging.staged_groups as"
        " select expected.group_name, expected.is_closed, max(batches.ds) as newest_ds"
        f" from {rows} left join ops.batches as batches on expected.group_name = batches.group_name"
        " group by all"
    )
