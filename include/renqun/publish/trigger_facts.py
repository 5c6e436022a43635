"""The catalogue of dated facts that trigger lists go by, compiled with DuckDB's expression builder over the marts.

Each fact is a relation `customer_key, fact_key, fact_at`. `fact_key` names the fact for ever: two builds that speak of
the same thing give it the same name, which is what sending once stands on. `fact_at` is an instant in UTC; of a fact
that has a date only, it is the beginning of that date in the shop's zone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from renqun.publish.members import Marts
from renqun.publish.triggers import FactName, Trigger

Relation = duckdb.DuckDBPyRelation
Expression = duckdb.Expression

_COLUMN, _CONSTANT, _CALL = duckdb.ColumnExpression, duckdb.ConstantExpression, duckdb.FunctionExpression

COLUMNS = ("customer_key", "fact_key", "fact_at")


@dataclass(frozen=True)
class Fact:
    """One entry of the catalogue."""

    name: FactName
    what: str
    """What happened, and what `fact_key` holds."""
    is_personal: bool
    """Whether two people may share a `fact_key`: it happened once to each of them. An order is one person's: a fact of
    it is sent once, whoever the order turns out to belong to."""
    rows: Callable[[Marts, Trigger, str], Relation]
    """From marts, the block and the shop's zone to rows."""


def utc_of(local: Expression, zone: str) -> Expression:
    """The instant of a wall-clock time in a zone. Left out by the clocks: as much later; twice: the second."""
    return _CALL("timezone", _CONSTANT("UTC"), _CALL("timezone", _CONSTANT(zone), local.cast("TIMESTAMP")))


def local_of(utc: Expression, zone: str) -> Expression:
    """The wall-clock time of an instant in a zone."""
    return _CALL("timezone", _CONSTANT(zone), _CALL("timezone", _CONSTANT("UTC"), utc))


def facts_of(marts: Marts, trigger: Trigger, zone: str) -> Relation:
    """The facts of a block: one row a person and fact, the earliest where marts tell of it twice."""
    rows = FACTS[trigger.fact].rows(marts, trigger, zone)
    known = rows.filter(
        _COLUMN("customer_key").isnotnull() & _COLUMN("fact_key").isnotnull() & _COLUMN("fact_at").isnotnull()
    )
    return known.aggregate("customer_key, fact_key, min(fact_at) as fact_at", "customer_key, fact_key")


def _row(key: Expression, fact_at: Expression) -> tuple[Expression, Expression, Expression]:
    return _COLUMN("customer_key"), key.alias("fact_key"), fact_at.alias("fact_at")


def _key(*parts: Expression | str) -> Expression:
    texts = [_CONSTANT(part) if isinstance(part, str) else part.cast("VARCHAR") for part in parts]
    # `||` is unknown where a part is, `concat` would leave it out: a key without its item would name any item.
    joined = texts[0]
    for text in texts[1:]:
        joined = _CALL("||", joined, text)
    return joined


def _date_of(utc: Expression, zone: str) -> Expression:
    return local_of(utc, zone).cast("DATE")


def _unpaid_order(marts: Marts, _trigger: Trigger, _zone: str) -> Relation:
    rows = marts.mart("fct_unpaid_orders").filter(_COLUMN("as_of_date") == _CONSTANT(marts.as_of))
    return rows.select(*_row(_key("order:", _COLUMN("order_id")), _COLUMN("ordered_at")))


def _abandoned_cart(marts: Marts, _trigger: Trigger, zone: str) -> Relation:
    rows = marts.mart("fct_abandoned_carts").filter(_COLUMN("as_of_date") == _CONSTANT(marts.as_of))
    day = _date_of(_COLUMN("carted_at"), zone)
    return rows.select(*_row(_key("item:", _COLUMN("item_id"), "@", day), _COLUMN("carted_at")))


def _signed_order(marts: Marts, _trigger: Trigger, _zone: str) -> Relation:
    # Who sent everything back is not asked how they like it.
    rows = marts.mart("fct_orders").filter(_COLUMN("is_deal"))
    return rows.select(*_row(_key("order:", _COLUMN("order_id")), _COLUMN("signed_at")))


def _first_paid(marts: Marts, _trigger: Trigger, _zone: str) -> Relation:
    rows = marts.mart("fct_orders").filter(_COLUMN("is_paid"))
    return rows.select(*_row(_CONSTANT("first"), _COLUMN("paid_at")))


def _entered_segment(marts: Marts, trigger: Trigger, zone: str) -> Relation:
    column = _COLUMN
    is_inside = (column("entered_on") <= _CONSTANT(marts.as_of)) & (
        column("exited_on").isnull() | (column("exited_on") > _CONSTANT(marts.as_of))
    )
    named = column("segment_id").isin(*[_CONSTANT(one) for one in trigger.segments or ()])
    rows = marts.mart("fct_segment_memberships").filter(named & is_inside)
    key = _key("segment:", column("segment_id"), "@", column("entered_on"))
    return rows.select(*_row(key, utc_of(column("entered_on"), zone)))


def _repurchase_due(marts: Marts, _trigger: Trigger, zone: str) -> Relation:
    rows = marts.mart("fct_item_repurchase_due").filter(_COLUMN("as_of_date") == _CONSTANT(marts.as_of))
    # By the day of the last purchase: the cycle moves a little with every build, and with it the first day that is due.
    key = _key("item:", _COLUMN("item_id"), "@", _COLUMN("last_paid_date"))
    return rows.select(*_row(key, utc_of(_COLUMN("due_from_date"), zone)))


def _birthday(marts: Marts, _trigger: Trigger, zone: str) -> Relation:
    rows = marts.mart("fct_upcoming_birthdays").filter(_COLUMN("as_of_date") == _CONSTANT(marts.as_of))
    key = _key("birthday@", _COLUMN("celebrated_date"))
    return rows.select(*_row(key, utc_of(_COLUMN("celebrated_date"), zone)))


def _item_launch(marts: Marts, trigger: Trigger, zone: str) -> Relation:
    column = _COLUMN
    first_days = marts.mart("agg_item_launches__by_day").filter(column("day_number") == _CONSTANT(0))
    launched = first_days.select(column("item_id"), column("launch_date"))
    categories = marts.mart("dim_items").select(column("item_id"), column("category_id"))
    drawn = (
        marts.mart("fct_customer_categories")
        .filter(column("as_of_date") == _CONSTANT(marts.as_of))
        .filter(column("share") >= _CONSTANT(trigger.min_share))
        .select(column("customer_key"), column("category_id"))
    )
    rows = (
        launched.set_alias("launched")
        .join(categories.set_alias("items"), "item_id")
        .set_alias("launched")
        .join(drawn.set_alias("drawn"), "category_id")
    )
    return rows.select(*_row(_key("item:", column("item_id")), utc_of(column("launch_date"), zone)))


FACTS: dict[FactName, Fact] = {
    fact.name: fact
    for fact in (
        Fact("abandoned_cart", "put an item into the cart and neither ordered nor paid it since: item and day of the"
             " last cart", True, _abandoned_cart),
        Fact("birthday", "has a birthday: the day on which it is celebrated this time", True, _birthday),
        Fact("entered_segment", "came into a segment and is still inside: segment and day of coming", True,
             _entered_segment),
        Fact("first_paid", "paid for the first time ever", True, _first_paid),
        Fact("item_launch", "a new item in a category that the customer is drawn to: the item", True, _item_launch),
        Fact("repurchase_due", "the time to buy an item again begins: item and day of the last purchase", True,
             _repurchase_due),
        Fact("signed_order", "signed for a parcel of an order that was kept: the order", False, _signed_order),
        Fact("unpaid_order", "placed an order that waits for its payment: the order", False, _unpaid_order),
    )
}  # fmt: skip
"""Every fact by its name."""
