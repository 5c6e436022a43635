"""A made-up shop's ready facts, written straight into a warehouse: what the segment marts read, at any scale.

Whole scale is a million customers with a year of 20 million order lines and 100 million events. Customers differ:
few come often, three in ten never buy, everybody has a few categories. A hash of the row's number decides everything,
so that the same scale gives the same facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

FIRST_DATE = date(2025, 4, 1)
DAYS = 365
LAST_DATE = FIRST_DATE + timedelta(days=DAYS - 1)
RECENT_DAYS = 45
"""Of visitors' days the marts read the last two weeks; earlier ones are not made."""
_CATEGORIES = ("cat_diapers", "cat_snacks", "cat_coffee", "cat_pet", "cat_care", "cat_skin", "cat_apparel", "cat_home")
_CATEGORY_COUNT, _ITEM_COUNT = 60, 6000


@dataclass(frozen=True)
class Scale:
    """How large the shop is: `share` of whole scale."""

    share: float

    @property
    def customers(self) -> int:
        """Customers, known from the first day on."""
        return int(1_000_000 * self.share)

    @property
    def visitors(self) -> int:
        """Visitors; the first third of them belong to a customer."""
        return 3 * self.customers

    @property
    def orders_a_day(self) -> int:
        """Orders, of two lines each."""
        return int(10_000_000 * self.share) // DAYS

    @property
    def events_a_day(self) -> int:
        """Events of all kinds."""
        return int(100_000_000 * self.share) // DAYS


def write_base(warehouse: Path, scale: Scale) -> None:
    """The facts up to LAST_DATE, into a file that has the seeds only."""
    with _connected(warehouse) as connection:
        for schema in ("marts", "intermediate", "vault", "ops"):
            connection.execute(f"create schema if not exists {schema}")
        connection.execute("create table ops.batches as select 'orders' as source, current_date as ds where false")
        connection.execute(f"""
            create table vault.bench_people as
            select i, md5(concat('member_id:', i)) as customer_key, concat('c', i) as customer_id
            from range({scale.customers}) as people (i)
        """)
        connection.execute("""
            create table vault.int_identifier_customers as
            select customer_key as identifier_key, 'member_id' as identifier_kind, customer_id as identifier_value,
                customer_key, cast(null as date) as rekeyed_on
            from vault.bench_people
        """)
        names = ", ".join(f"'{name}'" for name in _CATEGORIES)
        connection.execute(f"""
            create table marts.dim_items as
            select concat('i', i) as item_id, i % {_CATEGORY_COUNT} as category_number,
                coalesce([{names}][1 + i % {_CATEGORY_COUNT}], concat('cat', i % {_CATEGORY_COUNT})) as category_id
            from range({_ITEM_COUNT}) as items (i)
        """)
        connection.execute(f"""
            create table marts.dim_visitors as
            select concat('v', numbers.v) as visitor_id, people.customer_key,
                date '{FIRST_DATE}' as first_event_date, date '{LAST_DATE}' as last_event_date
            from range({scale.visitors}) as numbers (v)
            left join vault.bench_people as people on numbers.v = people.i
        """)
        # Every visitor comes without a name at times; whoever belongs to somebody logs in at others.
        connection.execute(f"""
            create table intermediate.int_visitor_numbers as
            select cast(row_number() over () as integer) as visitor_number, identities.*
            from (
                select concat('v', v) as visitor_id, cast(null as varchar) as customer_id,
                    cast(null as varchar) as open_uid
                from range({scale.visitors}) as numbers (v)
                union all
                select concat('v', i), customer_id, null from vault.bench_people
            ) as identities
        """)
        connection.execute("""
            create table intermediate.int_category_numbers as
            select cast(row_number() over () as integer) as category_number, named.*
            from (
                select distinct category_id, cast(null as varchar) as item_id from marts.dim_items
                union all
                select null, item_id from marts.dim_items
            ) as named
        """)
        for step in range(0, DAYS, 28):
            _add_days(connection, scale, step, min(step + 28, DAYS))
        _tell_customers(connection)


def write_next_day(warehouse: Path, scale: Scale) -> date:
    """A day more of everything; the day."""
    with _connected(warehouse) as connection:
        _add_days(connection, scale, DAYS, DAYS + 1)
        _tell_customers(connection)
    return LAST_DATE + timedelta(days=1)


def _connected(warehouse: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(warehouse))
    connection.execute("set threads = 2")
    connection.execute("set memory_limit = '6GB'")
    connection.execute("set preserve_insertion_order = false")
    # From 0 up to 1, by a number and what it is for.
    connection.execute("create temp macro share(i, salt) as (hash(i, salt) >> 12) / 4503599627370496.0")
    # Three tastes a person, the first one the strongest; items of a category are not equal either.
    connection.execute(f"""
        create temp macro item_of(person, i) as concat('i', cast(
            hash(person, [0, 0, 0, 1, 1, 2][1 + cast(hash(i, 50) % 6 as bigint)]) % {_CATEGORY_COUNT}
            + {_CATEGORY_COUNT} * floor({_ITEM_COUNT // _CATEGORY_COUNT} * pow(share(i, 51), 3)) as bigint
        ))
    """)
    return connection


def _add_days(connection: duckdb.DuckDBPyConnection, scale: Scale, first: int, last: int) -> None:
    """Orders, lines, events and what is counted of them for days `first` up to `last`, counted from FIRST_DATE."""
    begins, ends = FIRST_DATE + timedelta(days=first), FIRST_DATE + timedelta(days=last)
    _into(connection, "marts.fct_orders", f"""
        select 'default' as shop_id, concat('o', orders.i) as order_id, people.customer_key,
            cast(orders.paid * 2 as decimal(18, 2)) as paid_amount,
            cast(if(orders.refunded, orders.paid, 0) as decimal(18, 2)) as refunded_amount,
            cast(orders.paid * 2 - if(orders.refunded, orders.paid, 0) as decimal(18, 2)) as net_amount,
            is_paid, is_paid as is_deal,
            orders.ordered_date, if(is_paid, orders.ordered_date, null) as paid_date,
            cast(orders.ordered_date as timestamp) + to_minutes(cast(orders.minute as bigint)) as ordered_at,
            if(is_paid, ordered_at + interval 1 minute, null) as paid_at
        from (
            select i, date '{FIRST_DATE}' + cast(i // {scale.orders_a_day} as integer) as ordered_date,
                cast(floor({0.7 * scale.customers} * pow(share(i, 1), 2)) as bigint) as buyer,
                5 + hash(i, 2) % 30000 / 100.0 as paid,
                hash(i, 3) % 20 > 0 as is_paid, hash(i, 3) % 20 = 7 as refunded, hash(i, 4) % 900 as minute
            from range({first * scale.orders_a_day}, {last * scale.orders_a_day}) as numbers (i)
        ) as orders
        inner join vault.bench_people as people on orders.buyer = people.i
        order by orders.ordered_date
    """)  # fmt: skip
    _into(connection, "marts.fct_order_lines", f"""
        select lines.order_id, lines.line_key, lines.customer_key, lines.item_id,
            if(hash(lines.order_id) % 3 = 0, null, items.category_id) as category_id,
            cast(1 as decimal(18, 3)) as quantity,
            cast(5 + hash(lines.item_id) % 30000 / 100.0 as decimal(18, 6)) as unit_price,
            cast(null as decimal(18, 6)) as discount_amount,
            lines.paid_amount, lines.is_paid, lines.is_deal,
            lines.ordered_date, lines.paid_date, lines.ordered_at, lines.paid_at
        from (
            select orders.* exclude (paid_amount), concat(n) as line_key,
                cast(paid_amount / 2 as decimal(18, 2)) as paid_amount,
                item_of(hash(customer_key), hash(order_id, n)) as item_id
            from marts.fct_orders as orders, range(2) as lines (n)
            where ordered_date >= date '{begins}' and ordered_date < date '{ends}'
        ) as lines
        inner join marts.dim_items as items on lines.item_id = items.item_id
        order by lines.ordered_date
    """)  # fmt: skip
    _into(connection, "marts.fct_events", f"""
        select concat('e', events.i) as event_id, events.event_type, concat('v', events.visitor) as visitor_id,
            people.customer_key, people.customer_id, items.item_id,
            if(hash(events.i, 60) % 10 = 0, null, items.category_id) as category_id,
            events.event_date,
            cast(events.event_date as timestamp) + to_seconds(cast(hash(events.i, 61) % 57600 as bigint)) as event_at
        from (
            select i, visitor, item_of(visitor, i) as item_id,
                ['view', 'view', 'view', 'view', 'view', 'view', 'view', 'cart', 'favourite', 'search'][
                    1 + cast(hash(i, 62) % 10 as bigint)
                ] as event_type,
                date '{FIRST_DATE}' + cast(i // {scale.events_a_day} as integer) as event_date
            from (
                select i, cast(floor({scale.visitors} * pow(share(i, 63), 2)) as bigint) as visitor
                from range({first * scale.events_a_day}, {last * scale.events_a_day}) as numbers (i)
            ) as drawn
        ) as events
        left join vault.bench_people as people on events.visitor = people.i and hash(events.i, 64) % 2 = 0
        left join marts.dim_items as items on events.item_id = items.item_id and events.event_type <> 'search'
        order by events.event_date
    """)  # fmt: skip
    _into(connection, "intermediate.int_visitor_category_days", f"""
        select visitors.visitor_number, categories.category_number,
            days.* exclude (visitor_id, customer_id, category_id, item_id)
        from (
            select visitor_id, customer_id, category_id, case when category_id is null then item_id end as item_id,
                count(case when event_type = 'view' then 1 end) as view_count,
                count(case when event_type = 'favourite' then 1 end) as favourite_count,
                count(case when event_type = 'cart' then 1 end) as cart_count, event_date
            from marts.fct_events
            where event_date >= date '{begins}' and event_date < date '{ends}' and item_id is not null
            group by all
        ) as days
        inner join intermediate.int_visitor_numbers as visitors
            on days.visitor_id = visitors.visitor_id and days.customer_id is not distinct from visitors.customer_id
        inner join intermediate.int_category_numbers as categories
            on days.category_id is not distinct from categories.category_id
            and days.item_id is not distinct from categories.item_id
        order by days.event_date
    """)  # fmt: skip
    recent = LAST_DATE - timedelta(days=RECENT_DAYS)
    _into(connection, "intermediate.int_visitor_days", f"""
        select event_date, visitor_id, customer_key, count(case when event_type = 'view' then 1 end) as view_count
        from marts.fct_events
        where event_date >= greatest(date '{begins}', date '{recent}') and event_date < date '{ends}'
        group by all
        order by event_date
    """)  # fmt: skip
    connection.execute(
        f"insert into ops.batches select unnest(['orders', 'traffic_events', 'members']), date '{ends}' - 1"
    )


def _into(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> None:
    connection.execute(f"create table if not exists {table} as select * from ({query}) limit 0")
    connection.execute(f"insert into {table} {query}")


def _tell_customers(connection: duckdb.DuckDBPyConnection) -> None:
    """Customers as of the facts that there are."""
    connection.execute("""
        create or replace table marts.dim_customers as
        select people.customer_key,
            ['普通会员', 'VIP', null, '至尊VIP'][1 + cast(hash(people.i, 70) % 4 as bigint)] as tier,
            if(hash(people.i, 71) % 2 = 0, 'f', 'm') as gender, concat('b', hash(people.i, 72) % 7) as age_band,
            concat('省', hash(people.i, 73) % 34) as province,
            ['low', 'middle', 'high'][1 + cast(hash(people.i, 74) % 3 as bigint)] as price_tier,
            'search' as first_touch_source, concat('cat', hash(people.i, 75) % 60) as preferred_category_id,
            people.i % 3 = 0 as is_member, people.i % 4 = 0 as is_fan,
            orders.first_ordered_date is not null as is_buyer,
            if(people.i % 3 = 0, date '2025-01-01', null) as joined_date, orders.first_ordered_date,
            date '2025-04-01' as first_event_date, events.last_event_date
        from vault.bench_people as people
        left join (
            select customer_key, min(ordered_date) as first_ordered_date from marts.fct_orders group by all
        ) as orders on people.customer_key = orders.customer_key
        left join (
            select customer_key, max(event_date) as last_event_date from intermediate.int_visitor_days group by all
        ) as events on people.customer_key = events.customer_key
    """)
