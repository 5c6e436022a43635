"""The tasks of the comparison in Polars."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

Rows = list[tuple[Any, ...]]
_WINDOW = timedelta(days=7)
_GAP = timedelta(minutes=30)
_STEPS = (("view",), ("cart", "favourite"), ("order_placed",), ("order_paid",))


def _deals(work: Path, as_of: str) -> pl.LazyFrame:
    orders = pl.scan_parquet(work / "marts.fct_orders.parquet")
    day = date.fromisoformat(as_of)
    return orders.filter(pl.col("is_deal") & pl.col("customer_key").is_not_null() & (pl.col("paid_date") <= day))


def rfm(work: Path, as_of: str) -> Rows:
    """Recency, frequency and value of every customer, with the scores of 1 to 5."""
    day = date.fromisoformat(as_of)
    customers = (
        _deals(work, as_of)
        .with_columns(age=(pl.lit(day) - pl.col("paid_date")).dt.total_days())
        .filter(pl.col("age") < 720)
        .group_by("customer_key")
        .agg(recency=pl.col("age").min(), frequency=pl.len(), monetary=pl.col("net_amount").sum())
    )
    worse = [
        (pl.col("recency").rank("min", descending=True) - 1).alias("r"),
        (pl.col("frequency").rank("min") - 1).alias("f"),
        (pl.col("monetary").rank("min") - 1).alias("m"),
    ]
    n = pl.len()
    scores = [
        pl.min_horizontal(pl.lit(5), 1 + (5 * pl.col(name).cast(pl.Int64)) // (n - 1).cast(pl.Int64)).alias(name)
        for name in "rfm"
    ]
    scored = customers.with_columns(worse).with_columns(scores).collect()
    return [
        (
            scored.height,
            int(scored["recency"].sum()),
            int(scored["frequency"].sum()),
            float(scored["monetary"].sum()),
        )
    ]


def cohorts(work: Path, as_of: str) -> Rows:
    """Customers of each cohort with a deal in each period."""
    months = (
        _deals(work, as_of)
        .select("customer_key", month=pl.col("paid_date").dt.truncate("1mo"))
        .unique()
        .with_columns(cohort=pl.col("month").min().over("customer_key"))
    )
    period = (pl.col("month").dt.year() - pl.col("cohort").dt.year()) * 12 + (
        pl.col("month").dt.month().cast(pl.Int32) - pl.col("cohort").dt.month().cast(pl.Int32)
    )
    counted = (
        months.with_columns(period=period)
        .group_by("cohort", "period")
        .agg(customers=pl.len())
        .sort("cohort", "period")
        .collect()
    )
    return [(str(cohort), period, customers) for cohort, period, customers in counted.rows()]


def item_funnel(work: Path, as_of: str) -> Rows:
    """Attempts of (person, item, day) by the highest step that they reach within the window, step after step."""
    key = ["person_id", "item_key"]
    events = (
        pl.scan_parquet(work / "intermediate.int_funnel_events.parquet")
        .select(*key, "event_type", "event_date", "event_at")
        .sort("event_at")
        .collect()
    )
    attempts = (
        events.filter(pl.col("event_type").is_in(_STEPS[0]))
        .group_by(*key, "event_date")
        .agg(started_at=pl.col("event_at").min())
        .with_columns(reached_at=pl.col("started_at"), max_step=pl.lit(1))
    )
    finished: list[pl.DataFrame] = []
    for number, types in enumerate(_STEPS[1:], start=2):
        step = events.filter(pl.col("event_type").is_in(types)).select(*key, step_at="event_at")
        joined = attempts.sort("reached_at").join_asof(
            step,
            left_on="reached_at",
            right_on="step_at",
            by=key,
            strategy="forward",
            coalesce=False,
            check_sortedness=False,
        )
        inside = pl.col("step_at") <= pl.col("started_at") + _WINDOW
        attempts = joined.with_columns(
            reached_at=pl.when(inside).then(pl.col("step_at")),
            max_step=pl.when(inside).then(number).otherwise(pl.col("max_step")),
        ).drop("step_at")
        finished.append(attempts.filter(pl.col("reached_at").is_null()))
        attempts = attempts.filter(pl.col("reached_at").is_not_null())
    counted = pl.concat([*finished, attempts]).group_by("max_step").agg(attempts=pl.len()).sort("max_step")
    return counted.rows()


def sessions(work: Path, as_of: str) -> Rows:
    """Sessions of every visitor, and how many events each has."""
    counted = (
        pl.scan_parquet(work / "intermediate.int_events.parquet")
        .filter(pl.col("event_date") <= date.fromisoformat(as_of))
        .select("visitor_id", "event_at")
        .sort("visitor_id", "event_at")
        .with_columns(
            opens=(pl.col("event_at").diff() > _GAP).fill_null(value=True)
            | (pl.col("visitor_id") != pl.col("visitor_id").shift()).fill_null(value=True)
        )
        .with_columns(session=pl.col("opens").cum_sum())
        .group_by("session")
        .agg(events=pl.len().cast(pl.Int64))
        .collect()
    )
    return [(counted.height, int(counted["events"].sum()), int((counted["events"] ** 2).sum()))]


WORK: dict[str, Callable[[Path, str], Rows]] = {
    "RFM": rfm,
    "cohorts": cohorts,
    "item funnel": item_funnel,
    "sessions": sessions,
}
