"""Exports by the million: the right number of rows, in order, the same each time and in each format."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
from simulated_recount import read

from renqun.simulate.benchmark import generate_events, generate_order_lines


def test_events_are_the_same_each_time_and_in_each_format(tmp_path: Path) -> None:
    made = [
        generate_events(
            tmp_path / name, days=2, events_per_day=1_003, customers=50, output=output, end=date(2026, 6, 30)
        )
        for name, output in (("one", "csv"), ("two", "csv"), ("three", "parquet"))
    ]
    assert [path.relative_to(tmp_path / "one") for path in made[0]] == [
        Path("traffic/2026-06-29/traffic_events.csv"),
        Path("traffic/2026-06-30/traffic_events.csv"),
    ]
    assert [path.read_bytes() for path in made[0]] == [path.read_bytes() for path in made[1]]
    for csv_file, parquet_file in zip(made[0], made[2], strict=True):
        rows = [tuple(value or None for value in row.values()) for row in read(csv_file)]
        assert rows == duckdb.sql(f"from '{parquet_file}'").fetchall()
        assert len({row[0] for row in rows}) == len(rows) == 1_003
    assert made[0][0].read_bytes() != made[0][1].read_bytes()


def test_events_depend_on_the_seed_and_use_the_whole_shop(tmp_path: Path) -> None:
    files = [
        generate_events(tmp_path / str(seed), days=1, events_per_day=20_000, customers=300, seed=seed, items=50)[0]
        for seed in (1, 2)
    ]
    first, second = (read(path) for path in files)

    assert [row["visitor_id"] for row in first] != [row["visitor_id"] for row in second]
    assert len({row["item_id"] for row in first}) == 50
    assert len({row["customer_id"] for row in first}) > 250
    assert {row["event_type"] for row in first} == {"view", "search", "cart", "favourite", "checkout"}
    assert len({row["source"] for row in first}) == 5
    # A visitor with a number divisible by three is one customer, and never another.
    assert all(int(row["visitor_id"][1:]) // 3 == int(row["customer_id"][1:]) for row in first if row["customer_id"])


def test_order_lines_are_in_order_and_priced(tmp_path: Path) -> None:
    rows = read(generate_order_lines(tmp_path, days=1, lines_per_day=5_001, customers=100)[0])

    assert len(rows) == 5_001
    assert [row["ordered_at"] for row in rows] == sorted(row["ordered_at"] for row in rows)
    assert len({row["order_id"] for row in rows}) == 2_501
    for row in rows:
        if row["paid_at"]:
            assert row["ordered_at"] < row["paid_at"]
            assert float(row["line_paid_amount"]) == round(float(row["unit_price"]) * int(row["quantity"]), 2)
    unpaid = sum(not row["paid_at"] for row in rows)
    assert 0.03 < unpaid / len(rows) < 0.07
