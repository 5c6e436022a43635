"""Exports by the million for benchmarks: as fast as a disk takes them, no truth and no faults.

Every value is an integer mix of the seed and the row's number (the 32-bit finaliser "lowbias32", in DuckDB SQL), not a
hash or a random function of the engine: the rows are the same in every version, and so are the bytes of CSV; a Parquet
file also names the engine's version in its footer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import duckdb

from renqun.errors import RequestError
from renqun.settings import Settings

Format = Literal["csv", "parquet"]
BENCHMARK_END = date(2026, 6, 30)
_MASK = 0xFFFFFFFF
_EVENTS_PER_VISIT = 8
_COPY_OPTIONS = {
    "csv": "format csv, header, quote '', escape '', delimiter '|'",
    "parquet": "format parquet, compression zstd",
}
"""No cell needs quotes: a CSV line is written as one cell, which spares the engine a look at each."""
_DayRows = Callable[[int, str], str]

_MACROS = f"""
create or replace temp macro fold(x, by_bits) as xor(x, x >> by_bits);
create or replace temp macro scramble(x) as
    fold((fold((fold(x, 16) * 2146121005::ubigint) & {_MASK}, 15) * 2221713035::ubigint) & {_MASK}, 16)::bigint;
create or replace temp macro choose(x, n) as (x * n::bigint) >> 32;
"""
"""`scramble` maps 32 bits to 32 bits; `choose` maps 32 bits evenly to 0 … n − 1."""


def _decimal(cents: str) -> str:
    return f"(({cents}) // 100)::varchar || '.' || lpad((({cents}) % 100)::varchar, 2, '0')"


_KEEP_ORDER = "set disabled_optimizers = 'join_order,build_side_probe_side'"
"""Rows leave a join as they came in, if the engine may not turn it round."""
_ITEMS = f"""
create or replace temp table items as
with priced as (select number, 100 + number * 7919 % 49900 as cents from range($items::bigint) as numbers (number))
select
    number,
    'i' || number as item_id,
    'Item ' || number as name,
    'g' || number % 20 as category_id,
    {_decimal("cents")} as price,
    {_decimal("cents * 2")} as price_of_two
from priced
"""
_CLOCK = """
create or replace temp table hands as
select number, lpad((number // 60)::varchar, 2, '0') || ':' || lpad((number % 60)::varchar, 2, '0') as text,
    ':' || lpad((number % 60)::varchar, 2, '0') as ticks
from range(1440) as numbers (number)
"""
"""The minutes of a day, and the end of their text, which serves for seconds: joining is cheaper than formatting."""
_EVENT_COLUMNS = (
    "event_id", "event_at", "event_type", "visitor_id", "customer_id", "item_id", "category_id", "source", "campaign",
    "page", "device",
)  # fmt: skip
_ORDER_COLUMNS = (
    "order_id", "line_id", "customer_id", "ordered_at", "paid_at", "status", "item_id", "item_name", "category_id",
    "quantity", "unit_price", "line_paid_amount", "refunded_amount", "currency",
)  # fmt: skip


def generate_events(
    landing: Path,
    *,
    days: int,
    events_per_day: int,
    customers: int,
    seed: int = 1,
    output: Format = "csv",
    end: date = BENCHMARK_END,
    items: int = 2_000,
) -> list[Path]:
    """Write `traffic_events` for so many days up to `end`, one file a day; returns the files.

    A visit has eight events, minutes apart; every third visitor is a customer, who logs in at the third event.
    """
    visitors = max(1, 3 * customers)
    visits = -(-events_per_day // _EVENTS_PER_VISIT)

    def rows(salt: int, day: str) -> str:
        return f"""
            with visits as (
                select
                    number,
                    scramble(((number + {salt}) & {_MASK})::ubigint) as visit,
                    choose(scramble(((number + {salt}) & {_MASK})::ubigint), {visitors}) as visitor
                from range({visits}) as numbers (number)
            ), events as (
                select
                    number,
                    'e{day}-' || number as event_prefix,
                    number * 85800 // {visits} as started,
                    visit,
                    'v' || visitor as visitor_id,
                    case when visitor % 3 = 0 then 'c' || visitor // 3 end as customer_id,
                    {_case("visit % 5", ("search", "recommendation", "live", "advertising", "direct"))} as source,
                    {_case("(visit >> 4) % 3", ("ios", "android", "pc"))} as device,
                    unnest([{", ".join(str(place) for place in range(_EVENTS_PER_VISIT))}]) as place
                from visits
            ), drawn as (
                select
                    *,
                    scramble(((number * {_EVENTS_PER_VISIT} + place + {salt} + 2654435769) & {_MASK})::ubigint) as draw
                from events
                where number * {_EVENTS_PER_VISIT} + place < {events_per_day}
            )
            select
                event_prefix || {_case("place", [f"-{place}" for place in range(_EVENTS_PER_VISIT)])} as event_id,
                {_clock_text(day, "at")} as event_at,
                case
                    when (draw >> 8) % 16 < 10 then 'view'
                    when (draw >> 8) % 16 < 12 then 'search'
                    when (draw >> 8) % 16 < 14 then 'cart'
                    when (draw >> 8) % 16 < 15 then 'favourite'
                    else 'checkout'
                end as event_type,
                visitor_id,
                case when place >= 2 then customer_id end as customer_id,
                items.item_id,
                items.category_id,
                source,
                null::varchar as campaign,
                'detail' as page,
                device
            from drawn
            inner join items on items.number = (visit + draw % 16 * 65537) % {items}
            {_clock_join("at", "(started + place * 60 + choose(draw, 60))")}
        """

    return _write_days(landing, "traffic", "traffic_events", days, end, seed, output, _EVENT_COLUMNS, rows, items)


def generate_order_lines(
    landing: Path,
    *,
    days: int,
    lines_per_day: int,
    customers: int,
    seed: int = 1,
    output: Format = "csv",
    end: date = BENCHMARK_END,
    items: int = 2_000,
    currency: str = "CNY",
) -> list[Path]:
    """Write `orders` for so many days up to `end`, one file a day, two lines an order; returns the files.

    Nineteen of twenty orders are paid within minutes, one line in fifty is refunded.
    """

    def rows(salt: int, day: str) -> str:
        return f"""
            with orders as (
                select
                    'o{day}-' || number as order_id,
                    number,
                    scramble(((number + {salt}) & {_MASK})::ubigint) as buy,
                    'c' || choose(scramble(((number + {salt}) & {_MASK})::ubigint), {customers}) as customer_id,
                    number * 85000 // {max(1, -(-lines_per_day // 2))} as ordered
                from range({-(-lines_per_day // 2)}) as numbers (number)
            ), timed as (
                select
                    orders.*,
                    {_clock_text(day, "placed")} as ordered_at,
                    case when buy % 20 <> 0 then {_clock_text(day, "settled")} end as paid_at
                from orders
                {_clock_join("placed", "ordered")}
                {_clock_join("settled", "(ordered + 30 + buy % 600)")}
            ), lines as (
                select *, unnest([0, 1]) as place from timed
            ), drawn as (
                select
                    *,
                    scramble(((number * 2 + place + {salt} + 2654435769) & {_MASK})::ubigint) as draw
                from lines
                where number * 2 + place < {lines_per_day}
            )
            select
                order_id,
                order_id || case place when 0 then '-1' else '-2' end as line_id,
                customer_id,
                ordered_at,
                paid_at,
                case when paid_at is null then '等待买家付款' else '交易成功' end as status,
                items.item_id,
                items.name as item_name,
                items.category_id,
                case when (draw >> 8) % 16 < 13 then '1' else '2' end as quantity,
                items.price as unit_price,
                case
                    when paid_at is null then null
                    when (draw >> 8) % 16 < 13 then items.price
                    else items.price_of_two
                end as line_paid_amount,
                case when paid_at is not null and (draw >> 16) % 50 = 0 then items.price end as refunded_amount,
                '{currency}' as currency
            from drawn
            inner join items on items.number = choose(draw, {items})
        """

    return _write_days(landing, "orders", "orders", days, end, seed, output, _ORDER_COLUMNS, rows, items)


def _case(of: str, values: Sequence[str]) -> str:
    """The value at a place, counted from 0."""
    whens = " ".join(f"when {place} then '{value}'" for place, value in enumerate(values))
    return f"case {of} {whens} end"


def _clock_join(name: str, second: str) -> str:
    """Join the texts of a second of the day: its minute and its second."""
    return (
        f"inner join hands as {name}_minute on {name}_minute.number = {second} // 60 "
        f"inner join hands as {name}_second on {name}_second.number = {second} % 60"
    )


def _clock_text(day: str, name: str) -> str:
    """The time that `_clock_join` has joined."""
    return f"'{day} ' || {name}_minute.text || {name}_second.ticks"


def _write_days(
    landing: Path,
    group: str,
    source: str,
    days: int,
    end: date,
    seed: int,
    output: Format,
    columns: Sequence[str],
    rows: _DayRows,
    items: int,
) -> list[Path]:
    if days < 1 or output not in _COPY_OPTIONS:
        raise RequestError("a benchmark needs at least one day, as csv or parquet")
    cells = ", ".join(f"coalesce({column}, '')" for column in columns)
    line = f"""concat_ws(',', {cells}) as "{",".join(columns)}\""""
    dates = [end - timedelta(days=age) for age in reversed(range(days))]
    files = {day: landing / group / day.isoformat() / f"{source}.{output}" for day in dates}

    def write(some_dates: Sequence[date]) -> None:
        # One thread an engine: more would write the rows in another order.
        with duckdb.connect(config={"threads": 1}) as engine:
            engine.execute(_KEEP_ORDER)
            engine.execute(_MACROS)
            engine.execute(_CLOCK)
            engine.execute(_ITEMS, {"items": items})
            for day in some_dates:
                files[day].parent.mkdir(parents=True, exist_ok=True)
                salt = (seed * 1_000_003 + day.toordinal() * 7_368_787) % 0x7FFFFFFF
                place = str(files[day]).replace("'", "''")
                query = rows(salt, day.isoformat())
                if output == "csv":
                    query = f"select {line} from ({query})"
                engine.execute(f"copy ({query}) to '{place}' ({_COPY_OPTIONS[output]})")

    threads = Settings().threads
    with ThreadPoolExecutor(threads) as pool:
        # A day needs nothing of another: they are shared out, and the first error of any is raised here.
        list(pool.map(write, [dates[first::threads] for first in range(min(threads, days))]))
    return list(files.values())
