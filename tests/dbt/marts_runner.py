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
FOLDERS = ["seeds", *(f"models/marts/{name}" for name in ("segments", "funnels", "cohorts", "kpis"))]


class Warehouse:
    """A warehouse file of its own, built by the project's own models."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = str(folder / "warehouse.duckdb")

    def build(
        self, now: Tables, before: Tables | None = None, *flags: str, seeds: bool = True, tests: bool = False, **overrides: Any
    ) -> None:
        """Builds the marts as of `now`, with its upstream tables in place; `before` is the build before."""
        write_tables(self.path, now, before)
        self.dbt("build" if tests else "run", now.as_of, before.as_of if before else None, *flags, seeds=seeds, **overrides)

    def seed(self, day: date) -> None:
        """Loads the seeds alone, so that a test can add rows to them."""
        self.dbt("seed", day, None)

    def dbt(self, command: str, day: date, previous: date | None, *flags: str, seeds: bool = True, **overrides: Any) -> None:
        variables = {"as_of_date": str(day), "previous_as_of_date": str(previous or "")} | overrides
        folders = FOLDERS if seeds else FOLDERS[1:]
        dbt = str(Path(sys.executable).with_name("dbt"))
        result = subprocess.run(
            [
                dbt, command, *flags, "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--vars", json.dumps(variables),
                "--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs"),
                "--exclude-resource-type", "unit_test", "--select", *(f"path:{folder}" for folder in folders),
            ][: None if command != "seed" else -len(folders) - 3],
            env=os.environ | {
                "RENQUN_WAREHOUSE": self.path, "RENQUN_RAW_ROOT": str(self.folder / "raw"), "DO_NOT_TRACK": "1",
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            },
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]

    def execute(self, sql: str) -> None:
        with duckdb.connect(self.path) as connection:
            connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.path, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def keyed(self, columns: str, keys: int, relation: str) -> Row:
        """Rows of a relation as a mapping from its first `keys` columns to the rest; a key that occurs twice is an error."""
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
