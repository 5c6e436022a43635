"""Where a check failed: batches, row numbers and hashed keys, never a value of a person."""

from __future__ import annotations

import hashlib
from typing import Any

import duckdb

from renqun.quality.suite import Expectation, Suite

SAMPLE_ROWS = 5

PLAIN_COLUMNS = frozenset(
    {
        "_batch_id", "_source_row", "as_of_date", "attempts", "batch_id", "business_date",
        "cohort_month", "column_name", "column_type", "customers", "difference", "ds", "expected",
        "file_name", "found", "funnel_id", "grain", "period", "row_number", "rows_in_file",
        "rows_quarantined", "rows_read", "rows_staged", "segment_id", "source", "start_date", "step",
        "within_days",
    }
)  # fmt: skip
"""Columns that are shown as they are; every other value is hashed."""

_BATCH_COLUMNS = ("_batch_id", "batch_id")


def failing_rows(suite: Suite, expectation: Expectation) -> str | None:
    """SQL that yields the rows that fail an expectation; None where the question is about the table as a whole."""
    relation = f"{suite.stage}.{suite.object}"
    if expectation.query is not None:
        return expectation.query.replace("{batch}", relation)
    key = ", ".join(_name(column) for column in suite.key) or "*"
    kwargs = expectation.kwargs
    column = _name(kwargs["column"]) if "column" in kwargs else ""
    columns = ", ".join(_name(one) for one in kwargs.get("column_list", ()))
    values = ", ".join(_literal(one) for one in kwargs.get("value_set", ()))
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    bounds = [f"{column} < {_literal(low)}"] if low is not None else []
    bounds += [f"{column} > {_literal(high)}"] if high is not None else []
    condition = {
        "expect_column_values_to_not_be_null": f"where {column} is null",
        "expect_column_values_to_be_null": f"where {column} is not null",
        "expect_column_values_to_be_in_set": f"where {column} not in ({values})",
        "expect_column_values_to_not_be_in_set": f"where {column} in ({values})",
        "expect_column_values_to_be_between": f"where {' or '.join(bounds)}",
        "expect_column_values_to_be_unique": (
            f"where {column} is not null qualify count(*) over (partition by {column}) > 1"
        ),
        "expect_compound_columns_to_be_unique": f"qualify count(*) over (partition by {columns}) > 1",
    }.get(expectation.type)
    return None if condition is None else f"select {key} from {relation} {condition}"


def sample_rows(
    connection: duckdb.DuckDBPyConnection, failing: str
) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...]]:
    """A few failing rows, values hashed, and all batches that hold one (where rows name their batch)."""
    try:
        cursor = connection.execute(f"select * from ({failing}) limit {SAMPLE_ROWS}")
        names = [column[0] for column in cursor.description or ()]
        sample = tuple(
            {name: _shown(name, value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()
        )
        batch_column = next((name for name in _BATCH_COLUMNS if name in names), None)
        if batch_column is None:
            return sample, ()
        found = connection.execute(f"select distinct {batch_column} from ({failing}) order by 1").fetchall()
    except duckdb.Error:
        # The verdict stands without a sample.
        return (), ()
    return sample, tuple(str(row[0]) for row in found if row[0] is not None)


def _shown(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in PLAIN_COLUMNS:
        return value if isinstance(value, int | float) else str(value)
    return "#" + hashlib.sha256(str(value).encode()).hexdigest()[:12]


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
