"""Some results of the segment marts, computed by Polars from the same facts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml

_VARIABLES = yaml.safe_load((Path(__file__).parents[2] / "dbt_project" / "dbt_project.yml").read_text())["vars"]
_RELATIONS = (
    "marts.fct_orders",
    "marts.fct_order_lines",
    "marts.fct_events",
    "marts.dim_visitors",
    "marts.dim_items",
    "intermediate.int_visitor_days",
    "intermediate.int_visitor_category_days",
    "intermediate.int_visitor_numbers",
    "intermediate.int_category_numbers",
    "vault.int_identifier_customers",
)
Counts = dict[Any, tuple[int, ...]]


@dataclass(frozen=True)
class Compared:
    """One result, ours beside the peer's."""

    name: str
    groups: int
    seconds: float
    ours: Counts
    theirs: Counts

    @property
    def is_equal(self) -> bool:
        """Whether both say the same, and something at all."""
        return bool(self.ours) and self.ours == self.theirs

    @property
    def difference(self) -> str:
        """The first groups that differ."""
        keys = [key for key in {**self.ours, **self.theirs} if self.ours.get(key) != self.theirs.get(key)]
        return "; ".join(f"{key}: ours {self.ours.get(key)}, Polars {self.theirs.get(key)}" for key in keys[:5])


def compare(warehouse: Path, work: Path, as_of: date) -> list[Compared]:
    """Every result, from Parquet of the facts that the models have read."""
    work.mkdir(parents=True, exist_ok=True)
    found = []
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for relation in _RELATIONS:
            connection.execute(f"copy (from {relation}) to '{work / relation}.parquet'")
        for name, (ours, task) in _TASKS.items():
            began = time.perf_counter()
            theirs = task(work, as_of)
            took = time.perf_counter() - began
            rows = connection.execute(ours).fetchall()
            found.append(Compared(name, len(rows), took, {row[0]: tuple(row[1:]) for row in rows}, theirs))
    return found


def _scan(work: Path, relation: str) -> pl.LazyFrame:
    return pl.scan_parquet(work / f"{relation}.parquet")


def _counts(frame: pl.LazyFrame) -> Counts:
    return {row[0]: tuple(int(value) for value in row[1:]) for row in frame.collect().rows()}


def _deals(work: Path, as_of: date) -> pl.LazyFrame:
    """Deals of customers with their age in days."""
    orders = _scan(work, "marts.fct_orders")
    deals = orders.filter(pl.col("is_deal") & pl.col("customer_key").is_not_null() & (pl.col("paid_date") <= as_of))
    return deals.with_columns(age=(pl.lit(as_of) - pl.col("paid_date")).dt.total_days())


def _events(work: Path, days: int, as_of: date) -> pl.LazyFrame:
    """Events of customers of the last `days` days."""
    owners = _scan(work, "marts.dim_visitors").select("visitor_id", owner="customer_key")
    return (
        _scan(work, "marts.fct_events")
        .filter(pl.col("event_date").is_between(as_of - timedelta(days=days - 1), as_of))
        .join(owners, on="visitor_id", how="left")
        .with_columns(customer_key=pl.coalesce("customer_key", "owner"))
        .filter(pl.col("customer_key").is_not_null())
    )


def _new_customers(work: Path, as_of: date) -> Counts:
    once = _deals(work, as_of).filter(pl.col("age") < _VARIABLES["new_customer_lookback_days"])
    recent = pl.col("age").min() < _VARIABLES["new_customer_recent_days"]
    only = once.group_by("customer_key").agg(count=pl.len(), is_recent=recent)
    return _counts(only.filter((pl.col("count") == 1) & pl.col("is_recent")).select(pl.lit("new_customer"), pl.len()))


def _interested(work: Path, as_of: date) -> Counts:
    newest = as_of - timedelta(days=_VARIABLES["interest_min_days"])
    wishes = (
        _events(work, _VARIABLES["interest_max_days"] + 1, as_of)
        .filter(pl.col("event_type").is_in(_VARIABLES["interest_event_types"]) & (pl.col("event_date") <= newest))
        .filter(pl.col("item_id").is_not_null())
        .select("customer_key", "item_id", "event_at")
    )
    lines = _scan(work, "marts.fct_order_lines").filter(pl.col("is_paid") & (pl.col("paid_date") <= as_of))
    paid = lines.group_by("customer_key", "item_id").agg(last_paid_at=pl.col("paid_at").max())
    open_wishes = wishes.join(paid, on=["customer_key", "item_id"], how="left").filter(
        pl.col("last_paid_at").is_null() | (pl.col("last_paid_at") < pl.col("event_at"))
    )
    return _counts(open_wishes.select(pl.lit("interest"), pl.col("customer_key").n_unique()))


def _rfm_classes(work: Path, as_of: date) -> Counts:
    """Customers by score of recency, frequency and value; the sums tell the classes' means."""
    top = _VARIABLES["rfm_score_count"]
    customers = (
        _deals(work, as_of)
        .filter(pl.col("age") < _VARIABLES["rfm_window_days"])
        .group_by("customer_key")
        .agg(r=-pl.col("age").min(), f=pl.len().cast(pl.Int64), m=pl.col("net_amount").sum())
    )
    worse = [(pl.col(name).rank("min").cast(pl.Int64) - 1).alias(name) for name in "rfm"]
    others = (pl.len() - 1).cast(pl.Int64)
    scores = [pl.min_horizontal(pl.lit(top), 1 + top * pl.col(name) // others).alias(name) for name in "rfm"]
    high = [(pl.col(name) * pl.len() > pl.col(name).sum()).cast(pl.Int64) for name in "rfm"]
    scored = customers.with_columns(worse).with_columns(scores).with_columns(high)
    return _counts(scored.group_by(pl.concat_str("r", "f", "m").alias("class")).agg(pl.len()))


def _aipl(work: Path, as_of: date) -> Counts:
    deals = _deals(work, as_of)
    loyal = deals.filter(pl.col("age") < _VARIABLES["aipl_loyalty_days"]).group_by("customer_key")
    loyal_days = loyal.agg(loyal_days=pl.col("paid_date").n_unique())
    bought = deals.filter(pl.col("age") < _VARIABLES["aipl_purchase_days"]).select("customer_key").unique()
    events = _events(work, max(_VARIABLES["aipl_awareness_days"], _VARIABLES["aipl_interest_days"]), as_of)
    days = (pl.lit(as_of) - pl.col("event_date")).dt.total_days()
    is_close = days < _VARIABLES["aipl_interest_days"]
    seen = events.group_by("customer_key").agg(
        is_aware=(days < _VARIABLES["aipl_awareness_days"]).any(),
        is_interested=(pl.col("event_type").is_in(_VARIABLES["aipl_interest_event_types"]) & is_close).any(),
        view_days=pl.col("event_date").filter((pl.col("event_type") == "view") & is_close).n_unique(),
    )
    # Last comes what counts least: a customer keeps the first.
    wanted = (pl.col("is_interested")) | (pl.col("view_days") >= _VARIABLES["aipl_interest_view_days"])
    is_loyal = pl.col("loyal_days") >= _VARIABLES["aipl_loyalty_deal_days"]
    stages = [
        loyal_days.filter(is_loyal).select("customer_key", stage=pl.lit("loyalty"), rank=pl.lit(0)),
        bought.select("customer_key", stage=pl.lit("purchase"), rank=pl.lit(1)),
        seen.filter(wanted).select("customer_key", stage=pl.lit("interest"), rank=pl.lit(2)),
        seen.filter(pl.col("is_aware")).select("customer_key", stage=pl.lit("awareness"), rank=pl.lit(3)),
    ]
    best = pl.concat(stages).group_by("customer_key").agg(stage=pl.col("stage").sort_by("rank").first())
    return _counts(best.group_by("stage").agg(pl.len()))


def _repeat_buyers(work: Path, as_of: date) -> Counts:
    """Customers by their number of deal days in a year, up to the frequent buyer's."""
    frequent = _VARIABLES["frequent_buyer_deal_days"]
    days = _deals(work, as_of).filter(pl.col("age") < 365).group_by("customer_key")
    counted = days.agg(count=pl.col("paid_date").n_unique())
    return _counts(counted.filter(pl.col("count") >= frequent).select(pl.lit("frequent_buyers"), pl.len()))


def _categories(work: Path, as_of: date) -> Counts:
    """Customers and weight, in millionths, of every category."""
    weights, span = _VARIABLES["behaviour_weights"], _VARIABLES["category_days"]
    halves = [round(1_000_000 * 0.5 ** (age / _VARIABLES["category_half_life_days"])) for age in range(span)]
    decays = pl.LazyFrame({"age": list(range(span)), "decay": halves}, schema={"age": pl.Int64, "decay": pl.Int64})
    owners = _scan(work, "marts.dim_visitors").select("visitor_id", owner="customer_key")
    named = _scan(work, "vault.int_identifier_customers").select(customer_id="identifier_value", named="customer_key")
    acts = (
        _scan(work, "intermediate.int_visitor_category_days")
        .join(_scan(work, "intermediate.int_visitor_numbers"), on="visitor_number")
        .join(_scan(work, "intermediate.int_category_numbers"), on="category_number")
        .join(owners, on="visitor_id", how="left")
        .join(named, on="customer_id", how="left")
        .select(
            "category_id",
            "item_id",
            customer_key=pl.coalesce("named", "owner"),
            age=(pl.lit(as_of) - pl.col("event_date")).dt.total_days(),
            weight=sum(weights[act] * pl.col(f"{act}_count") for act in ("view", "favourite", "cart")),
        )
    )
    lines = _scan(work, "marts.fct_order_lines").filter(pl.col("is_deal"))
    age = (pl.lit(as_of) - pl.col("paid_date")).dt.total_days()
    bought = lines.select(
        "category_id", "item_id", "customer_key", age=age, weight=pl.lit(weights["buy"], dtype=pl.Int64)
    )
    items = _scan(work, "marts.dim_items").select("item_id", own="category_id")
    weighed = (
        pl.concat([acts, bought.select(acts.collect_schema().names())])
        .filter(pl.col("customer_key").is_not_null())
        .join(decays, on="age")
        .join(items, on="item_id", how="left")
        .group_by("customer_key", category=pl.coalesce("category_id", "own"))
        .agg(weight=(pl.col("weight") * pl.col("decay")).sum())
        .filter(pl.col("category").is_not_null() & (pl.col("weight") > 0))
    )
    return _counts(weighed.group_by("category").agg(pl.len(), pl.col("weight").sum()))


_SIZE = "select segment_id, customers from marts.agg_segment_sizes__by_day where segment_id = '{}'"
_TASKS: dict[str, tuple[str, Callable[[Path, date], Counts]]] = {
    "segment new_customer": (_SIZE.format("new_customer"), _new_customers),
    "segment interest": (_SIZE.format("interest"), _interested),
    "segment frequent_buyers": (_SIZE.format("frequent_buyers"), _repeat_buyers),
    "RFM classes": (
        "select concat(classes.is_recency_high::int, classes.is_frequency_high::int, classes.is_monetary_high::int),"
        " count(*) from marts.fct_customer_rfm as rfm"
        " inner join reference.rfm_classes as classes on rfm.rfm_class = classes.rfm_class group by all",
        _rfm_classes,
    ),
    "AIPL stages": (
        "select aipl_stage, count(*) from marts.fct_customer_stages where aipl_stage is not null group by all",
        _aipl,
    ),
    "interest in categories": (
        "select category_id, count(*), cast(sum(weight) * 1000000 as bigint) from marts.fct_customer_categories"
        " group by all",
        _categories,
    ),
}
