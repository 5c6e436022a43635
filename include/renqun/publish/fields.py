"""What a rule may ask of a customer: every field by name, the mart that has it, and its kind.

A field is a column of a published mart with one row a customer, or a number of days that follows from one. Its meaning
is the column's, as the dictionary has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import duckdb

Kind = Literal["number", "text", "flag"]


@dataclass(frozen=True)
class Field:
    """One field of a customer."""

    name: str
    mart: str
    column: str
    kind: Kind
    counts_days: bool = False
    """The field is the age in days of the date in `column`: 0 on the business date itself."""


def _fields(mart: str, kind: Kind, *columns: str) -> list[Field]:
    return [Field(column, mart, column, kind) for column in columns]


def _days_since(mart: str, **columns: str) -> list[Field]:
    return [Field(name, mart, column, "number", counts_days=True) for name, column in columns.items()]


_PROFILE = [
    *_fields(
        "dim_customers",
        "text",
        *("tier", "gender", "age_band", "province", "city", "price_tier", "preferred_category_id"),
        "first_touch_source",
    ),
    *_fields("dim_customers", "flag", "is_member", "is_fan", "is_buyer"),
    *_fields("fct_customer_stages", "text", "aipl_stage", "lifecycle_stage"),
    *_fields("fct_customer_stages", "flag", "is_churn_risk"),
    *_fields("fct_customer_rfm", "text", "rfm_class"),
]
_MEASURES = [
    *_fields("dim_customers", "number", "order_count", "paid_order_count", "deal_count"),
    *_fields("dim_customers", "number", "paid_amount", "refunded_amount", "net_amount"),
    *_days_since(
        "dim_customers",
        days_since_joined="joined_date",
        days_since_first_ordered="first_ordered_date",
        days_since_last_ordered="last_ordered_date",
        days_since_first_paid="first_paid_date",
        days_since_last_paid="last_paid_date",
        days_since_first_event="first_event_date",
        days_since_last_event="last_event_date",
    ),
    *_fields("fct_customer_stages", "number", "deal_day_count", "days_since_last_deal"),
    *_fields("fct_customer_rfm", "number", "recency_days", "frequency", "monetary"),
    *_fields("fct_customer_rfm", "number", "r_score", "f_score", "m_score"),
]

PROFILE_FIELDS = {field.name: field for field in _PROFILE}
"""What a customer is: texts and flags."""
MEASURES = {field.name: field for field in _MEASURES}
"""What a customer did: numbers. Amounts are in the shop's currency."""


def value_of(field: Field, column: str, as_of: duckdb.Expression) -> duckdb.Expression:
    """The field's value of a row in which its column is called `column`."""
    expression = duckdb.ColumnExpression(column)
    if field.counts_days:
        return duckdb.FunctionExpression("datediff", duckdb.ConstantExpression("day"), expression, as_of)
    return expression
