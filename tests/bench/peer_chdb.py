"""The tasks of the comparison in chDB, with its native window functions for funnels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chdb

Rows = list[tuple[Any, ...]]
_SETTINGS = "settings max_threads = 2, join_use_nulls = 1"


def _rows(sql: str) -> Rows:
    text = str(chdb.query(sql, "JSONCompactEachRow"))
    return [tuple(json.loads(line)) for line in text.splitlines() if line]


def _deals(work: Path, as_of: str) -> str:
    return (
        f"(select * from file('{work}/marts.fct_orders.parquet', Parquet)"
        f" where is_deal and customer_key is not null and paid_date <= toDate32('{as_of}'))"
    )


def rfm(work: Path, as_of: str) -> Rows:
    """Recency, frequency and value of every customer, with the scores of 1 to 5."""
    return [
        (int(n), int(recency), int(frequency), float(monetary))
        for n, recency, frequency, monetary, *_ in _rows(f"""
            with customers as (
                select customer_key, min(dateDiff('day', paid_date, toDate32('{as_of}'))) as recency,
                       count() as frequency, sum(net_amount) as monetary
                from {_deals(work, as_of)}
                where dateDiff('day', paid_date, toDate32('{as_of}')) < 720
                group by customer_key
            ), worse as (
                select *, count() over () as n, rank() over (order by recency desc) - 1 as r,
                       rank() over (order by frequency) - 1 as f, rank() over (order by monetary) - 1 as m
                from customers
            )
            select count(), sum(recency), sum(frequency), sum(monetary),
                   sum(least(5, 1 + intDiv(5 * r, n - 1))), sum(least(5, 1 + intDiv(5 * f, n - 1))),
                   sum(least(5, 1 + intDiv(5 * m, n - 1)))
            from worse {_SETTINGS}
        """)
    ]


def cohorts(work: Path, as_of: str) -> Rows:
    """Customers of each cohort with a deal in each period."""
    return [
        (cohort, int(period), int(customers))
        for cohort, period, customers in _rows(f"""
            with months as (
                select distinct customer_key, toStartOfMonth(paid_date) as month from {_deals(work, as_of)}
            ), cohorts as (
                select *, min(month) over (partition by customer_key) as cohort from months
            )
            select toString(cohort), dateDiff('month', cohort, month) as period, count()
            from cohorts group by cohort, period order by cohort, period {_SETTINGS}
        """)
    ]


def item_funnel(work: Path, as_of: str) -> Rows:
    """Attempts of (person, item, day) by the highest step, with windowFunnel over each attempt's week."""
    return [
        (int(step), int(attempts))
        for step, attempts in _rows(f"""
            with events as (
                select person_id, item_key, event_type, event_date, event_at
                from file('{work}/intermediate.int_funnel_events.parquet', Parquet)
            ), attempts as (
                select person_id, item_key, event_date, min(event_at) as started_at
                from events where event_type = 'view' group by all
            ), reached as (
                select windowFunnel({7 * 24 * 3600} * 1000000)(
                    toUInt64(toUnixTimestamp64Micro(event_at)),
                    event_type = 'view', event_type in ('cart', 'favourite'),
                    event_type = 'order_placed', event_type = 'order_paid'
                ) as step
                from attempts inner join events using (person_id, item_key)
                where event_at >= started_at and event_at <= started_at + interval 7 day
                group by person_id, item_key, attempts.event_date
            )
            select step, count() from reached group by step order by step {_SETTINGS}
        """)
    ]


def sessions(work: Path, as_of: str) -> Rows:
    """Sessions of every visitor, and how many events each has."""
    return [
        tuple(int(value) for value in row)
        for row in _rows(f"""
            with gaps as (
                select visitor_id, event_at, event_at > lagInFrame(event_at, 1, toDateTime64(0, 6, 'UTC')) over (
                    partition by visitor_id order by event_at rows between 1 preceding and current row
                ) + interval 30 minute as opens
                from file('{work}/intermediate.int_events.parquet', Parquet)
                where event_date <= toDate32('{as_of}')
            ), numbered as (
                select visitor_id, sum(opens) over (
                    partition by visitor_id order by event_at rows between unbounded preceding and current row
                ) as session
                from gaps
            ), counted as (
                select count() as events from numbered group by visitor_id, session
            )
            select count(), sum(events), sum(events * events) from counted {_SETTINGS}
        """)
    ]


WORK: dict[str, Callable[[Path, str], Rows]] = {
    "RFM": rfm,
    "cohorts": cohorts,
    "item funnel": item_funnel,
    "sessions": sessions,
}
