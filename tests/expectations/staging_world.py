"""A warehouse file by hand: one new batch of each source, one old batch of orders that no gate looks at again."""

from __future__ import annotations

from pathlib import Path

import duckdb

from renqun.quality.relations import attach
from renqun.quality.warehouse_relations import Staged, make_context, make_staging
from renqun.run import RunContext

_OPS = """
create schema ops; create schema staging; create schema vault;
create table ops.built_dates as select date '2026-03-09' as as_of_date;
create table ops.batches as
select batch_id, source, group_name, ds::date as ds, '/raw/' || batch_id || '.parquet' as raw_file,
    batch_id || '.csv' as file_name, rows_read, rows_quarantined, is_pending
from (values
    ('b0', 'orders', 'orders', '2026-03-09', 9, 0, false), ('b1', 'orders', 'orders', '2026-03-10', 3, 1, true),
    ('b2', 'traffic_events', 'traffic', '2026-03-10', 2, 0, true),
    ('b3', 'traffic_sources', 'traffic', '2026-03-10', 1, 0, true),
    ('b4', 'members', 'profiles', '2026-03-10', 1, 0, true), ('b5', 'consent', 'profiles', '2026-03-10', 1, 0, true),
    ('b6', 'suppressions', 'profiles', '2026-03-10', 1, 0, true)
) as t (batch_id, source, group_name, ds, rows_read, rows_quarantined, is_pending);
"""

_PLACE = "select *, '/raw/' || _batch_id || '.parquet' as _raw_file, timestamp '2026-03-10 16:00' as _exported_at"

_STAGED = f"""
create table staging.stg_generic__order_lines as {_PLACE} from (values
    ('b1', 1, 'o1', 'i1', 'm1', 1.0, 60.0, timestamp '2026-03-10 00:00', timestamp '2026-03-10 00:05', null::timestamp),
    ('b1', 2, 'o1', 'i2', 'm1', 2.5, 0.0, timestamp '2026-03-10 00:00', null, null),
    -- An old batch: wrong in every way, and not looked at again.
    ('b0', 1, null, null, '*', -1.0, -1.0, null, timestamp '2026-01-01', null)
) as t (_batch_id, _source_row, order_id, item_id, customer_id, quantity, unit_price, ordered_at, paid_at, exported_at);
create table staging.stg_generic__events as {_PLACE} from (values
    ('b2', 1, 'v1', null, 'view', timestamp '2026-03-10 01:00'),
    ('b2', 2, 'v1', 'm1', 'cart', timestamp '2026-03-10 01:01')
) as t (_batch_id, _source_row, visitor_id, customer_id, event_type, event_at);
create table staging.stg_generic__traffic_sources as {_PLACE} from (values
    ('b3', 1, date '2026-03-10', 12)
) as t (_batch_id, _source_row, business_date, visitor_count);
create table staging.stg_generic__members as {_PLACE} from (values ('b4', 1, 'm1')) as t
    (_batch_id, _source_row, customer_id);
create table vault.stg_generic__consents as {_PLACE} from (values
    ('b5', 1, 'm1', true, timestamp '2026-03-01 00:00')
) as t (_batch_id, _source_row, customer_id, is_granted, recorded_at);
create table vault.stg_generic__suppressions as {_PLACE} from (values
    ('b6', 1, 'm1', 'blacklisted', timestamp '2026-03-01 00:00')
) as t (_batch_id, _source_row, customer_id, cause, recorded_at);
create table vault.stg_generic__quarantined_rows as {_PLACE} from (values ('b1', 3)) as t (_batch_id, _source_row);
"""


def build(ctx: RunContext, connection: duckdb.DuckDBPyConnection, fault: str = "") -> Staged:
    """Write the warehouse with a fault in it, and let the gate make its relations."""
    file: Path = ctx.paths.warehouse
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(file)) as warehouse:
        warehouse.execute(_OPS)
        warehouse.execute(_STAGED)
        if fault:
            warehouse.execute(fault)
    database = attach(connection, file, "the warehouse")
    make_context(connection, ctx, database)
    return make_staging(connection, ctx, database)
