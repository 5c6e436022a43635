"""Runs dbt over hand-made upstream tables, and reads the marts back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from marts_world import Row, Tables, write_tables

PROJECT = Path(os.environ.get("RENQUN_TEST_DBT_PROJECT", Path(__file__).parents[2] / "dbt_project"))
SEEDS = ["seeds"]
MARTS = [f"models/marts/{name}" for name in ("segments", "funnels", "cohorts", "kpis")]


class Warehouse:
    """A warehouse file of its own, built by the project's own models."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = str(folder / "warehouse.duckdb")

    def build(
        self, now: Tables, before: Tables | None = None, *flags: str, tests: bool = False, **overrides: Any
    ) -> None:
        """Builds the marts as of `now` from hand-made upstream tables; `before` is the build before. Seeds stay."""
        if not Path(self.path).exists():
            self.seed(now.as_of)
        write_tables(self.path, now, before)
        skipped = ["unit_test"] if tests else ["unit_test", "test"]
        self.dbt(MARTS, skipped, now.as_of, before.as_of if before else None, *flags, **overrides)

    def seed(self, day: date) -> None:
        """Loads the seeds alone, so that a test can add rows to them."""
        self.dbt(SEEDS, ["unit_test", "test"], day, None)

    def dbt(
        self, folders: list[str], skipped: list[str], day: date, previous: date | None, *flags: str, **overrides: Any
    ) -> None:
        variables = {"as_of_date": str(day), "previous_as_of_date": str(previous or "")} | overrides
        command = [
            str(Path(sys.executable).with_name("dbt")),
            "build",
            *flags,
            "--project-dir",
            str(PROJECT),
            "--profiles-dir",
            str(PROJECT),
            "--vars",
            json.dumps(variables),
            "--target-path",
            str(self.folder / "target"),
            "--log-path",
            str(self.folder / "logs"),
            *(word for kind in skipped for word in ("--exclude-resource-type", kind)),
            "--select",
            *(f"path:{folder}" for folder in folders),
        ]
        environment = {
            "RENQUN_WAREHOUSE": self.path,
            "RENQUN_RAW_ROOT": str(self.folder / "raw"),
            "DO_NOT_TRACK": "1",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        result = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]

    def execute(self, sql: str) -> None:
        with duckdb.connect(self.path) as connection:
            connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.path, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def keyed(self, columns: str, keys: int, relation: str) -> Row:
        """Rows of a relation, from their first `keys` columns to the rest; a key that occurs twice is an error."""
        found: dict[Any, Any] = {}
        for row in self.rows(f"select {columns} from {relation}"):
            key = row[0] if keys == 1 else row[:keys]
            assert key not in found, f"{relation}: two rows with key {key}"
            found[key] = row[keys:]
        return found


def assert_same(ours: dict[Any, Any], expected: dict[Any, Any], what: str) -> None:
    """Equal key by key, with the first differences shown; an empty expectation proves nothing."""
    assert expected, f"{what}: nothing to compare"
    differences = [
        f"{key}: mart {ours.get(key, 'has no row')}, expected {expected.get(key, 'no row')}"
        for key in sorted(ours.keys() | expected.keys(), key=str)
        if ours.get(key) != expected.get(key) or (key in ours) != (key in expected)
    ]
    assert not differences, f"{what}: {len(differences)} of {len(expected)} rows differ\n" + "\n".join(differences[:10])
