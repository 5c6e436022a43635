"""What working out who is who costs on the same shop: a year of records at once, and a day more of them.

The records are made up (`int_identity_records` is what orders, members and events said), so that how many people there
are is known beforehand: one customer in forty shares a telephone with the one before.
"""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
from rich.console import Console
from tests.bench.dbt_runs import Built, build
from tests.bench.segment_facts import DAYS, FIRST_DATE, LAST_DATE, Scale

_MODELS = (
    "int_identifiers", "int_identifier_links", "int_identifier_customers", "int_customer_key_changes",
    "int_visitor_links", "int_visitor_link_changes", "int_relinked_visitors", "identity_quarantine",
    "customer_key_aliases",
)  # fmt: skip
_FAMILY = 40
_NEW_A_DAY = 1000
"""Of so many customers one comes anew on the next day, and one turns out to be the one before."""


def measure(work: Path, scale: Scale) -> tuple[dict[str, Built], bool]:
    """Both runs, and whether they found as many people as there are."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    warehouse = work / "renqun.duckdb"
    build(warehouse, LAST_DATE, None, ("seed",))
    with _connected(warehouse) as connection:
        _write_base(connection, scale)
    first = build(warehouse, LAST_DATE, None, ("run", "--select", *_MODELS))
    families = -(-scale.customers // _FAMILY)
    is_right = _people(warehouse) == scale.customers - families
    next_day = LAST_DATE + timedelta(days=1)
    with _connected(warehouse) as connection:
        _write_next_day(connection, scale, next_day)
    following = build(warehouse, next_day, LAST_DATE, ("run", "--select", *_MODELS))
    # As many people came as turned out to be another one.
    is_right = is_right and _people(warehouse) == scale.customers - families
    Console(highlight=False).print(f"people: {'as many as there are' if is_right else 'NOT as many as there are'}")
    return {"first day": first, "next day": following}, is_right


def _connected(warehouse: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(warehouse))
    connection.execute("set threads = 2")
    connection.execute("set memory_limit = '6GB'")
    connection.execute("set preserve_insertion_order = false")
    # A telephone for two where the number is a family's.
    connection.execute(f"create temp macro phone_of(i) as sha256(concat('+86', if(i % {_FAMILY} = 1, i - 1, i)))")
    return connection


def _write_base(connection: duckdb.DuckDBPyConnection, scale: Scale) -> None:
    """A year of records, and the visitors."""
    connection.execute("create schema if not exists vault")
    connection.execute("create schema if not exists intermediate")
    connection.execute(f"""
        create table ops.batches as
        select 'year' as batch_id, 'orders' as source, 'year.parquet' as raw_file, date '{LAST_DATE}' as ds,
            true as is_pending
    """)
    # Everybody is a member; orders tell the id and mostly the telephone; events tell the id of who logged in that day.
    connection.execute(f"""
        create table vault.int_identity_records as
        select cast(null as varchar) as order_id, cast(null as varchar) as open_uid, concat('c', i) as member_id,
            phone_of(i) as phone_hash, if(i % 2 = 0, sha256(concat(i, '@example.com')), null) as email_hash,
            date '{FIRST_DATE}' as seen_date, date '{FIRST_DATE}' as _folder_date, 'year' as _batch_id
        from range({scale.customers}) as people (i)
        union all
        select concat('o', n), null, concat('c', i), if(n % 5 > 0, phone_of(i), null), null, day, day, 'year'
        from (
            select n, hash(n) % {scale.customers} as i,
                date '{FIRST_DATE}' + cast(n // {scale.orders_a_day} as integer) as day
            from range({DAYS * scale.orders_a_day}) as orders (n)
        ) as orders
        union all
        select null, null, concat('c', i), null, null, day, day, 'year'
        from (
            select distinct hash(n, 1) % {scale.customers} as i,
                date '{FIRST_DATE}' + cast(n // {scale.events_a_day // 5} as integer) as day
            from range({DAYS * (scale.events_a_day // 5)}) as events (n)
        ) as days
    """)
    connection.execute(f"""
        create table intermediate.int_visitor_identities as
        select concat('v', v) as visitor_id, cast(null as varchar) as customer_id, cast(null as varchar) as open_uid,
            date '{FIRST_DATE}' as first_event_date, date '{LAST_DATE}' as last_event_date
        from range({scale.visitors}) as visitors (v)
        union all
        select concat('v', i), concat('c', i), null, date '{FIRST_DATE}', date '{LAST_DATE}'
        from range({scale.customers}) as people (i)
    """)


def _write_next_day(connection: duckdb.DuckDBPyConnection, scale: Scale, day: date) -> None:
    """A day more: orders and visits of known customers, and some news of who is who."""
    news = scale.customers // _NEW_A_DAY
    connection.execute("update ops.batches set is_pending = false")
    connection.execute(f"insert into ops.batches values ('day', 'orders', 'day.parquet', date '{day}', true)")
    told = f"date '{day}', date '{day}', 'day'"
    known = "order_id, open_uid, member_id, phone_hash, email_hash, seen_date, _folder_date, _batch_id"
    connection.execute(f"""
        insert into vault.int_identity_records ({known})
        select concat('d', n), null, concat('c', i), if(n % 5 > 0, phone_of(i), null), null, {told}
        from (
            select n, hash(n, 2) % {scale.customers} as i from range({scale.orders_a_day}) as orders (n)
        ) as orders
        union all
        select distinct null, null, concat('c', hash(n, 3) % {scale.customers}), null, null, {told}
        from range({scale.events_a_day // 5}) as events (n)
        union all
        select null, null, concat('c', {scale.customers} + n), sha256(concat('new', n)), null, {told}
        from range({news}) as people (n)
        union all
        select null, null, concat('c', {_FAMILY} * n + 3), phone_of({_FAMILY} * n + 2), null, {told}
        from range({news}) as people (n)
    """)
    connection.execute(f"""
        insert into intermediate.int_visitor_identities
        select concat('v', {scale.customers} + n), concat('c', {scale.customers} + n), null,
            date '{day}', date '{day}'
        from range({news}) as people (n)
    """)


def _people(warehouse: Path) -> int:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        row = connection.execute("select count(distinct customer_key) from vault.int_identifier_customers").fetchone()
    return int(row[0]) if row else 0
