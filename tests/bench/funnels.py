"""What the funnels of a year cost beside one sort of the same events, and what a new day costs beside all of it.

A year's facts are made up, dbt builds the models as in production: the purchase funnel of persons and of persons and
items alone, then every funnel of the catalogue. The sort orders the same events by person, item and time into a table
of a file, with the same threads and memory.

    python -m tests.bench.funnels --events 50000000 --memory 4GB 2GB
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table
from tests.bench.dbt_runs import Built, build

FIRST_DATE = date(2025, 7, 1)
DAYS = 365
LAST_DATE = FIRST_DATE + timedelta(days=DAYS - 1)
NEXT_DATE = LAST_DATE + timedelta(days=1)
ATTEMPTS = "int_funnel_attempts"
MODELS = (
    "int_funnel_step_types", "int_funnel_events", "int_funnel_start_dates", "int_funnel_touched_days",
    "int_funnel_person_starts", "int_funnel_persons", "int_funnel_sessions", "int_funnel_session_events", ATTEMPTS,
)  # fmt: skip
console = Console(highlight=False)


@dataclass(frozen=True)
class Scale:
    """How large the shop is."""

    events: int
    """Events of the year; a hundred a visitor, one order in fifty of them."""

    @property
    def events_a_day(self) -> int:
        """Events of one day."""
        return max(1, self.events // DAYS)

    @property
    def visitors(self) -> int:
        """Visitors; every third is a customer from the first day on."""
        return max(3, self.events // 100)

    @property
    def orders_a_day(self) -> int:
        """Orders of one day, of two lines each."""
        return max(1, self.events // 50 // DAYS)


def main() -> int:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.funnels", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="events of the year")
    parser.add_argument("--memory", nargs="+", default=["4GB"], help="what the engine may take, one run each")
    parser.add_argument("--no-catalogue", action="store_true", help="the purchase funnel only")
    parser.add_argument("--keep", help="work in this folder and keep it; facts that are there are used again")
    arguments = parser.parse_args()
    work = Path(arguments.keep or tempfile.mkdtemp(prefix="renqun-bench-funnels-")).resolve()
    try:
        measure(Scale(arguments.events), arguments.memory, work, with_catalogue=not arguments.no_catalogue)
    finally:
        if not arguments.keep:
            shutil.rmtree(work, ignore_errors=True)
    return 0


def measure(scale: Scale, memories: Sequence[str], work: Path, *, with_catalogue: bool) -> None:
    """Print a table for each limit of memory."""
    facts, warehouse = work / f"facts-{scale.events}.duckdb", work / "renqun.duckdb"
    if not facts.exists():
        work.mkdir(parents=True, exist_ok=True)
        warehouse.unlink(missing_ok=True)
        build(warehouse, LAST_DATE, None, ("seed",))
        write_facts(warehouse, scale)
        shutil.move(warehouse, facts)
    for memory in memories:
        os.environ["RENQUN_MEMORY_LIMIT"] = memory
        sort_seconds = sort(facts, work, memory)
        runs: dict[str, Built] = {}
        for name, only in (("purchase", "purchase"), ("every funnel", None))[: 2 if with_catalogue else 1]:
            shutil.copyfile(facts, warehouse)
            if only:
                keep_only(warehouse, only)
            runs[name] = build(warehouse, LAST_DATE, None, ("run", "--select", *MODELS))
            write_day(warehouse, scale)
            runs[f"{name}, a new day"] = build(warehouse, NEXT_DATE, LAST_DATE, ("run", "--select", *MODELS))
        show(scale, memory, sort_seconds, runs)


def sort(facts: Path, work: Path, memory: str) -> float:
    """Seconds of sorting the year's events once."""
    target = work / "sorted.duckdb"
    target.unlink(missing_ok=True)
    with duckdb.connect(str(target), config={"threads": 2, "memory_limit": memory}) as connection:
        connection.execute("set preserve_insertion_order = false")
        connection.execute(f"attach '{facts}' as facts (read_only)")
        began = time.perf_counter()
        connection.execute("""
            create table sorted as
            select coalesce(customer_key, visitor_id) as person_id, item_id, event_type, event_id, event_key, source,
                device, category_id, event_date, event_at
            from facts.marts.fct_events
            order by person_id, item_id, event_at
        """)
        seconds = time.perf_counter() - began
    target.unlink()
    return seconds


def show(scale: Scale, memory: str, sort_seconds: float, runs: dict[str, Built]) -> None:
    """Print what was measured, in sorts and against the whole."""
    title = f"funnels of {scale.events:,} events in {DAYS} days, 2 threads, {memory}"
    table = Table(title=title, title_justify="left")
    for column in ("what", "seconds", "in sorts", "whole / day", "peak GiB"):
        table.add_column(column, justify="left" if column == "what" else "right")
    table.add_row("one sort", f"{sort_seconds:.1f}", "1.0", "", "")
    for name, run in runs.items():
        seconds = run.models[ATTEMPTS]
        whole = runs[name.removesuffix(", a new day")].models[ATTEMPTS]
        ratio = f"{whole / seconds:.0f}" if whole != seconds else ""
        table.add_row(name, f"{seconds:.1f}", f"{seconds / sort_seconds:.2f}", ratio, f"{run.peak_gib:.1f}")
    console.print(table)


def keep_only(warehouse: Path, funnel: str) -> None:
    """One funnel, at the grains of persons."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("delete from reference.funnels where funnel_id <> $1", [funnel])
        connection.execute("delete from reference.funnel_steps where funnel_id <> $1", [funnel])
        connection.execute("update reference.funnels set grains = 'person|person_item'")


def write_facts(warehouse: Path, scale: Scale) -> None:
    """The year's facts, into a file that has the seeds only."""
    with _connected(warehouse) as connection:
        for schema in ("marts", "intermediate", "ops"):
            connection.execute(f"create schema if not exists {schema}")
        connection.execute(f"""
            create table marts.dim_visitors as
            select concat('v', v) as visitor_id, if(v % 3 = 0, md5(concat(v)), null) as customer_key,
                date '{FIRST_DATE}' as first_event_date
            from range({scale.visitors}) as numbers (v)
        """)
        for first in range(0, DAYS, 28):
            _add_days(connection, scale, first, min(first + 28, DAYS))
        connection.execute("""
            create table intermediate.int_events as select * from marts.fct_events limit 0;
            create table intermediate.int_visitor_days as
                select visitor_id, customer_key, event_date from marts.fct_events limit 0;
            create table marts.fct_sessions
                (session_id varchar, visitor_id varchar, session_date date, midnight_count integer,
                    started_at timestamp, ended_at timestamp);
            create table intermediate.int_touched_dates (touched_date date);
            create table intermediate.int_touched_visitor_days (visitor_id varchar, event_date date);
            create table intermediate.int_touched_order_versions
                (order_id varchar, customer_key varchar, ordered_date date, paid_date date, deposit_paid_date date);
            create table intermediate.int_event_versions
                (visitor_id varchar, customer_id varchar, open_uid varchar, event_date date);
            create table intermediate.int_relinked_visitors (visitor_id varchar);
            create table intermediate.int_visitor_link_changes as
                select visitor_id, customer_key from marts.dim_visitors where customer_key is not null;
            create schema if not exists vault;
            create table vault.int_customer_key_changes
                (identifier_key varchar, customer_key varchar, previous_customer_key varchar, as_of_date date);
            create table vault.int_identifier_customers
                (identifier_key varchar, identifier_kind varchar, identifier_value varchar, customer_key varchar,
                    rekeyed_on date);
            create table ops.batches (batch_id varchar, is_pending boolean);
            insert into ops.batches values ('a year', false);
        """)


def write_day(warehouse: Path, scale: Scale) -> None:
    """One day more, and what it touches."""
    with _connected(warehouse) as connection:
        _add_days(connection, scale, DAYS, DAYS + 1)
        connection.execute(f"""
            insert into intermediate.int_touched_dates values (date '{NEXT_DATE}');
            insert into intermediate.int_touched_visitor_days
                select distinct visitor_id, event_date from marts.fct_events where event_date = '{NEXT_DATE}';
            insert into intermediate.int_touched_order_versions
                select order_id, customer_key, ordered_date, paid_date, deposit_paid_date from marts.fct_orders
                where ordered_date = '{NEXT_DATE}';
        """)


def _connected(warehouse: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(warehouse), config={"threads": 2, "memory_limit": "4GB"})
    connection.execute("set preserve_insertion_order = false")
    return connection


def _add_days(connection: duckdb.DuckDBPyConnection, scale: Scale, first: int, last: int) -> None:
    """Events and orders of days `first` up to `last`, counted from FIRST_DATE; a hash of the row's number decides."""
    _into(connection, "marts.fct_events", f"""
        select concat('e', i) as event_id, md5(concat(i)) as event_key, visitors.visitor_id, visitors.customer_key,
            concat('i', hash(visitor, hash(i, 2) % 12) % 2000) as item_id, concat('c', hash(i, 3) % 60) as category_id,
            ['view', 'view', 'view', 'view', 'view', 'view', 'search', 'cart', 'favourite', 'checkout'][
                1 + cast(hash(i, 4) % 10 as bigint)] as event_type,
            ['search', 'recommendation', 'live', 'ads', null][1 + cast(hash(visitor, 5) % 5 as bigint)] as source,
            ['ios', 'android', 'pc'][1 + cast(hash(visitor, 6) % 3 as bigint)] as device,
            event_date, cast(event_date as timestamp) + to_seconds(cast(hash(i, 7) % 86400 as bigint)) as event_at
        from (
            select i, cast(hash(i, 1) % {scale.visitors} as bigint) as visitor,
                date '{FIRST_DATE}' + cast(i // {scale.events_a_day} as integer) as event_date
            from range({first * scale.events_a_day}, {last * scale.events_a_day}) as numbers (i)
        ) as drawn
        inner join marts.dim_visitors as visitors on visitors.visitor_id = concat('v', visitor)
        order by event_date
    """)  # fmt: skip
    orders = f"""
        select concat('o', i) as order_id, md5(concat(3 * (hash(i, 8) % {scale.visitors // 3}))) as customer_key,
            ordered_date, if(hash(i, 9) % 10 < 8, ordered_date, null) as paid_date, ordered_at,
            if(hash(i, 9) % 10 < 8, ordered_at, null) as paid_at, i
        from (
            select i, date '{FIRST_DATE}' + cast(i // {scale.orders_a_day} as integer) as ordered_date,
                cast(ordered_date as timestamp) + to_seconds(cast(hash(i, 10) % 86400 as bigint)) as ordered_at
            from range({first * scale.orders_a_day}, {last * scale.orders_a_day}) as numbers (i)
        )
    """
    _into(connection, "marts.fct_orders", f"""
        select * exclude (i), cast(null as varchar) as coupon_codes, cast(null as date) as deposit_paid_date,
            cast(null as timestamp) as deposit_paid_at
        from ({orders})
    """)  # fmt: skip
    _into(connection, "marts.fct_order_lines", f"""
        select order_id, concat(n) as line_key, customer_key, concat('i', hash(i, n) % 2000) as item_id,
            concat('c', hash(i, n) % 60) as category_id, ordered_date, paid_date, ordered_at, paid_at
        from ({orders}), range(2) as lines (n)
    """)  # fmt: skip


def _into(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> None:
    connection.execute(f"create table if not exists {table} as select * from ({query}) limit 0")
    connection.execute(f"insert into {table} {query}")


if __name__ == "__main__":
    sys.exit(main())
