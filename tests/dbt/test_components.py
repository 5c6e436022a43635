"""Connected components: the project's own SQL, rendered from its macro, against a union-find."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import duckdb
import jinja2
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from identity_reference import smallest_of_components
from raw_shop import PROJECT
from sqlglot import ErrorLevel

Edges = list[tuple[int, int]]


class _Result:
    """What dbt's run_query gives back, as far as the macro looks at it."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.columns = [self]
        self._values = [row[0] for row in rows]

    def values(self) -> list[Any]:
        return self._values


class _Exceptions:
    @staticmethod
    def raise_compiler_error(message: str) -> None:
        raise RuntimeError(message)


def components(edges: Iterable[tuple[int, int]], max_rounds: int | None = None) -> tuple[dict[int, int], list[str]]:
    """Runs the macro on DuckDB: the root of each label, and the SQL that it took."""
    ran: list[str] = []
    with duckdb.connect() as connection:
        connection.execute("create table w_edges (label_a bigint, label_b bigint)")
        rows = list(edges)
        if rows:
            connection.executemany("insert into w_edges values (?, ?)", rows)

        def statement(name: str, caller: Callable[[], str]) -> str:
            ran.append(caller())
            connection.execute(ran[-1])
            return ""

        def run_query(sql: str) -> _Result:
            ran.append(sql)
            return _Result(connection.execute(sql).fetchall())

        environment = jinja2.Environment(extensions=["jinja2.ext.do"])
        environment.globals.update(statement=statement, run_query=run_query, exceptions=_Exceptions)
        text = (PROJECT / "macros" / "components.sql").read_text(encoding="utf-8")
        if max_rounds is not None:
            assert "%} 64 {%" in text
            text = text.replace("%} 64 {%", f"%}} {max_rounds} {{%")
        environment.from_string(text + "{{ connect_components('w_') }}").render()
        return dict(connection.execute("select label, root from w_roots").fetchall()), ran


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)).filter(lambda edge: edge[0] != edge[1]), max_size=40))
def test_components_equal_a_union_find(edges: Edges) -> None:
    assert components(edges)[0] == smallest_of_components(edges)


HARD: dict[str, Edges] = {
    "a chain in order": [(n, n + 1) for n in range(1000)],
    "a chain that goes up and down": [(n * 617 % 1009, (n + 1) * 617 % 1009) for n in range(1000)],
    "a star around the largest": [(n, 1000) for n in range(1000)],
    "two cliques and a bridge": [(a + d, b + d) for d in (0, 50) for a in range(30) for b in range(a)] + [(29, 50)],
    "no edge": [],
}


@pytest.mark.parametrize("name", HARD)
def test_hard_graphs_converge_in_few_rounds(name: str) -> None:
    roots, ran = components(HARD[name])
    assert roots == smallest_of_components(HARD[name])
    rounds = sum("w_next_roots as" in sql for sql in ran)
    assert rounds <= 10, "about log2 of a thousand"


def test_too_many_rounds_are_an_error_and_no_endless_loop() -> None:
    with pytest.raises(RuntimeError, match="did not converge in 1 rounds"):
        components(HARD["a chain that goes up and down"], max_rounds=1)


def test_the_sql_has_a_counterpart_in_spark() -> None:
    _, ran = components(HARD["two cliques and a bridge"])
    assert len(ran) > 5
    for sql in ran:
        sqlglot.parse_one(sql, read="duckdb").sql(dialect="spark", unsupported_level=ErrorLevel.RAISE)
