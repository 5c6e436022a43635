"""Tables of cells: DuckDB reads what was written, in order and as often as it is asked, and gives the memory back."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renqun.ingest.arrow import Tables
from renqun.ingest.bits import bits_of, count_of, later, parity, places_of
from renqun.ingest.views import open_table, views_of, write_table

SIGNS = b'",\n.'


def written(path: Path, columns: list[list[str]]) -> Path:
    """A table of some columns."""
    cells = [cell.encode() for column in columns for cell in column]
    text = np.frombuffer(b"|".join(cells) + bytes(16), np.uint8)
    lengths = np.array([len(cell) for cell in cells], dtype=np.int64)
    starts = np.cumsum(lengths + 1) - lengths - 1
    rows = len(columns[0])
    parts = [slice(begin, begin + rows) for begin in range(0, len(cells), rows)]
    write_table(path, text, (views_of(text, starts[part], lengths[part]) for part in parts), rows)
    return path


# Views hold up to twelve bytes themselves, and are made of the first eight and the next eight.
LENGTHS = ["", *("x" * length for length in (1, 7, 8, 9, 11, 12, 13, 16, 17, 300)), "四个汉字", "五个汉字呢"]


@pytest.mark.parametrize("shown", [LENGTHS, LENGTHS[:4], LENGTHS[7:11], ["", ""]], ids=["all", "short", "long", "none"])
def test_cells_of_every_length_are_read_as_they_were_written(tmp_path: Path, shown: list[str]) -> None:
    path = written(tmp_path / "table", [shown, shown[::-1]])
    with duckdb.connect() as connection:
        connection.register("cells", Tables([path], [0], 2))
        found = connection.execute("SELECT * FROM cells").fetchall()
    assert found == [(one, other, row) for row, (one, other) in enumerate(zip(shown, shown[::-1], strict=True), 1)]


def test_tables_are_read_in_order_by_every_query_and_given_back(tmp_path: Path) -> None:
    paths = [written(tmp_path / str(part), [[f"cell {part} {row}" for row in range(5_000)]]) for part in range(9)]
    tables = Tables(paths, [part * 5_000 for part in range(9)], 1)
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.register("cells", tables)
        for _ in range(2):
            found = connection.execute("SELECT * FROM cells").fetchall()
            assert found == [(f"cell {row // 5_000} {row % 5_000}", row + 1) for row in range(45_000)]
            assert not tables._lent


@pytest.mark.parametrize("cut", [10, 64, 500])
def test_a_table_that_was_cut_is_not_read(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path / "table", [["a"] * 50])
    path.write_bytes(path.read_bytes()[:cut])
    with duckdb.connect() as connection, pytest.raises(duckdb.InvalidInputException, match="cannot be read"):
        connection.register("cells", Tables([path], [0], 1))
        connection.execute("SELECT * FROM cells").fetchall()


def test_a_table_of_another_width_is_not_read(tmp_path: Path) -> None:
    path = written(tmp_path / "table", [["a"], ["b"]])
    assert len(open_table(path).columns) == 2
    with duckdb.connect() as connection, pytest.raises(duckdb.InvalidInputException, match="has 2 columns"):
        connection.register("cells", Tables([path], [0], 3))
        connection.execute("SELECT * FROM cells").fetchall()


@given(st.lists(st.sampled_from(list(SIGNS)), min_size=1, max_size=400).map(bytes), st.integers(0, 300))
def test_bits_say_where_signs_stand(few: bytes, before: int) -> None:
    text = b"." * before + few
    array = np.frombuffer(text, np.uint8)
    quotes, commas = bits_of(array, (SIGNS[0], SIGNS[1]))
    places = [place for place, sign in enumerate(text) if sign == SIGNS[0]]
    assert places_of(quotes).tolist() == places
    assert count_of(quotes) == len(places)
    assert [place for place in places_of(later(quotes)).tolist() if place < len(text)] == [
        place + 1 for place in places if place + 1 < len(text)
    ]
    odd = [place for place in range(len(text)) if text[: place + 1].count(b'"') % 2]
    assert [place for place in places_of(parity(quotes)).tolist() if place < len(text)] == odd
    assert not (quotes & commas).any()
