"""Great Expectations on DuckDB: every check becomes SQL that runs where the data is.

Great Expectations is imported when the first suite is examined, never before: its import costs seconds.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import duckdb

from renqun.quality.samples import failing_rows, sample_rows
from renqun.quality.suite import QUERY_TYPE, Expectation, Suite
from renqun.quality.verdict import Outcome

_ROWS_KEPT = 200
"""Rows of a failed query that Great Expectations gets to see; counts are made in SQL and are exact."""

_COUNTS = ("element_count", "unexpected_count", "missing_count")
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}
_ROWS_MARK = "/* failing rows of"
_VALUE_IN_MESSAGE = re.compile(r"'[^'\n]*'")
_ABOUT_THE_QUERY = re.compile(r"\b(Binder|Catalog|Parser)(Exception| Error)\b|does not exist\.?$")
_KIND_OF_ERROR = re.compile(r"\b([A-Z]\w+)(?:Exception| Error|Error)\b")
_MESSAGE_LENGTH = 300

logger = logging.getLogger(__name__)


class Examiner:
    """Asks suites of one stage about the relations of one DuckDB connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, suites: Sequence[Suite]) -> None:
        self._connection = connection
        self._suites = suites
        self._source: Any = None

    def close(self) -> None:
        """Forget the data source; a long-lived process examines many."""
        if self._source is not None:
            gx_context().data_sources.delete(self._source.name)
            self._source = None

    def row_count(self, relation: str) -> int | None:
        """Rows of a relation; None where there is no such relation or it cannot be read."""
        try:
            row = self._connection.execute(f"select count(*) from {relation}").fetchone()
        except duckdb.Error as error:
            logger.warning("%s cannot be read: %s", relation, without_values(str(error)))
            return None
        return int(row[0]) if row else None

    def examine(self, suite: Suite, expectations: Sequence[Expectation], rows: int) -> list[Outcome]:
        """Ask all expectations of a suite at once.

        Args:
            suite: names the relation `<stage>.<object>` and its key.
            expectations: the suite's expectations, vars resolved.
            rows: rows of the relation.

        Returns:
            One outcome an expectation; an exception inside a check is an outcome with an error.
        """
        by_id = {expectation.id: expectation for expectation in expectations}
        try:
            validation = self._validate(suite, expectations)
        except Exception as error:
            # Whatever breaks inside the engine must never read as "passed".
            message = f"{type(error).__name__}: {without_values(str(error))}"
            logger.error("suite %s could not be asked: %s", suite.name, message)
            return [Outcome(id=expectation.id, success=False, error=message) for expectation in expectations]
        return [self._outcome(suite, by_id[one.expectation_config.id], one, rows) for one in validation.results]

    def _validate(self, suite: Suite, expectations: Sequence[Expectation]) -> Any:
        gx_context()
        from great_expectations.core import ExpectationSuite

        asked = ExpectationSuite(
            name=suite.name,
            expectations=[
                {
                    "type": expectation.type,
                    "kwargs": _kwargs(suite, expectation),
                    "severity": expectation.severity,
                    "meta": {"why": expectation.why},
                }
                for expectation in expectations
            ],
        )
        for expectation, question in zip(expectations, asked.expectations, strict=True):
            # A suite takes no expectation that has an id already; results carry ours all the same.
            question.id = expectation.id
        return self._batch(suite).validate(asked, result_format=_COUNTS_ONLY)

    def _batch(self, suite: Suite) -> Any:
        if self._source is None:
            # All at once: with every later addition Great Expectations writes its whole configuration as YAML again.
            self._source = _duckdb_source(self._connection, suite.stage, [one.object for one in self._suites])
        asset = self._source.get_asset(suite.object)
        return asset.get_batch(asset.build_batch_request())

    def _outcome(self, suite: Suite, expectation: Expectation, answer: Any, rows: int) -> Outcome:
        error = _exception_of(answer.exception_info)
        if error is not None:
            return Outcome(id=expectation.id, success=False, error=error)
        result: Mapping[str, Any] = answer.result
        is_success = bool(answer.success)
        observed = _observed(expectation, result)
        sample: tuple[dict[str, Any], ...] = ()
        batches: tuple[str, ...] = ()
        where = None if is_success else failing_rows(suite, expectation)
        if where is not None:
            sample, batches = sample_rows(self._connection, where)
        return Outcome(
            id=expectation.id,
            success=is_success,
            evaluated_rows=_evaluated(expectation, result, rows),
            observed=observed,
            sample=sample,
            batches=batches,
        )


def without_values(message: str) -> str:
    """What an engine's message says without a value of the data: it may be personal.

    Messages about the query name tables and columns; of all others only the kind is kept.
    """
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    first = lines[0] if lines else "no message"
    if _ABOUT_THE_QUERY.search(first):
        return _VALUE_IN_MESSAGE.sub("'…'", first)[:_MESSAGE_LENGTH]
    kind = _KIND_OF_ERROR.search(message)
    return f"{kind.group(1) if kind else 'unknown'} error (its text is not kept, for it may quote the data)"


@cache
def gx_context() -> Any:
    """The process's Great Expectations context: in memory, silent, sending nothing anywhere."""
    import os

    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import_statistics_when_used()
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    # It logs exceptions with the values that they quote.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


class _Statistics(ModuleType):
    """Stands for `scipy.stats` until somebody uses it; to import it puts itself in this one's place."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


def import_statistics_when_used() -> None:
    """Great Expectations imports `scipy.stats`, a third of its own import, for checks of distributions: we ask none."""
    if "scipy.stats" not in sys.modules:
        vars(import_module("scipy"))["stats"] = _Statistics("scipy.stats")


def _duckdb_source(connection: duckdb.DuckDBPyConnection, schema: str, tables: Sequence[str]) -> Any:
    """A data source whose every connection is a cursor of ours: same attached files, same views."""
    from duckdb_sqlalchemy import ConnectionWrapper
    from great_expectations.datasource.fluent.sql_datasource import TableAsset
    from sqlalchemy import event

    def cursor() -> Any:
        opened = connection.cursor()
        opened.execute(f"set TimeZone = 'UTC'; set schema = '{schema}'")
        return ConnectionWrapper(opened)

    source = gx_context().data_sources.add_or_update_sql(
        f"duckdb_{time.monotonic_ns()}",
        connection_string="duckdb:///:memory:",
        create_temp_table=False,
        kwargs={"creator": cursor},
        assets=[TableAsset(name=table, table_name=table) for table in tables],
    )
    event.listen(source.get_execution_engine().engine, "after_cursor_execute", _buffer_result)
    return source


def _buffer_result(_connection: Any, cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    """Fetch a result while its cursor is open.

    Great Expectations reads results after their connection context has closed, and DuckDB's cursor has dropped
    them by then (`IndexError` in `resolve_metric_bundle`).
    """
    from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

    rows = cursor.fetchmany(_ROWS_KEPT) if statement.startswith(_ROWS_MARK) else cursor.fetchall()
    context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(cursor, initial_buffer=rows)


def _kwargs(suite: Suite, expectation: Expectation) -> dict[str, Any]:
    """Arguments as Great Expectations takes them.

    It puts a subquery for `{batch}`, with an alias of its own unless the query has a join: a query could not name
    its batch. So the relation's name is put in here, and `{batch}`, which it misses otherwise, stands in a comment.
    """
    query = failing_rows(suite, expectation) if expectation.type == QUERY_TYPE else None
    return expectation.kwargs if query is None else {"unexpected_rows_query": f"{_ROWS_MARK} {{batch}} */ {query}"}


def _exception_of(info: Mapping[str, Any]) -> str | None:
    """Great Expectations reports one exception, or one for each metric that failed."""
    single = [info] if "raised_exception" in info else list(info.values())
    for one in single:
        if one.get("raised_exception"):
            return without_values(str(one.get("exception_message") or "the check raised an exception"))
    return None


def _observed(expectation: Expectation, result: Mapping[str, Any]) -> dict[str, Any]:
    if expectation.type == QUERY_TYPE:
        return {"unexpected_count": int(result["observed_value"])}
    counts = {name: int(result[name]) for name in _COUNTS if name in result}
    if counts:
        return counts
    value = result.get("observed_value")
    return {"observed_value": value if value is None or isinstance(value, int | float | list) else str(value)}


def _evaluated(expectation: Expectation, result: Mapping[str, Any], rows: int) -> int | None:
    if expectation.type == QUERY_TYPE:
        return rows
    if "element_count" not in result:
        return None
    return int(result["element_count"]) - int(result.get("missing_count", 0))
