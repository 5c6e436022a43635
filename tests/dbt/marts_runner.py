"""Runs dbt over hand-made upstream tables, and reads the marts back."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from marts_world import Row, Tables, write_tables

import parsed_project
from renqun.warehouse.dbt_client import start_dbt

PROJECT = Path(os.environ.get("RENQUN_TEST_DBT_PROJECT", Path(__file__).parents[2] / "dbt_project"))
SEEDS = ["seeds"]
MARTS = [f"models/marts/{name}" for name in ("segments", "funnels", "cohorts", "value", "kpis")]


class Warehouse:
    """A warehouse file of its own, built by the project's own models."""

    marts = MARTS
    """The folders that are built."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = str(folder / "warehouse.duckdb")

    def build(
        self, now: Tables, before: Tables | None = None, *flags: str, tests: bool = False, **overrides: Any
    ) -> None:
        """Builds the marts as of `now` from hand-made upstream tables; `before` is the build before. Seeds stay."""
        if not Path(self.path).exists():
            self.seed(now.as_of)
        self.write(now, before)
        skipped = ["unit_test"] if tests else ["unit_test", "test"]
        self.dbt(self.marts, skipped, now.as_of, before.as_of if before else None, *flags, **overrides)

    def write(self, now: Tables, before: Tables | None) -> None:
        """Replaces the upstream tables by those of `now`."""
        write_tables(self.path, now, before)

    def seed(self, day: date) -> None:
        """Loads the seeds alone, so that a test can add rows to them."""
        self.dbt(SEEDS, ["unit_test", "test"], day, None)

    def dbt(
        self, folders: list[str], skipped: list[str], day: date, previous: date | None, *flags: str, **overrides: Any
    ) -> None:
        self.tell(day, previous)
        variables = json.dumps({"dates_from": "warehouse"} | overrides, sort_keys=True)
        parsed = self.folder / f"{parsed_project.key(variables)}.msgpack"
        parsed_project.lend(variables, parsed)
        command = ["build", *flags, "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--vars", variables]
        command += ["--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        command += ["--partial-parse-file-path", str(parsed)] if parsed.exists() else []
        command += [word for kind in skipped for word in ("--exclude-resource-type", kind)]
        environment = {
            "RENQUN_WAREHOUSE": self.path,
            "RENQUN_RAW_ROOT": str(self.folder / "raw"),
            "DO_NOT_TRACK": "1",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        run = start_dbt([*command, "--select", *(f"path:{folder}" for folder in folders)], os.environ | environment)
        said = list(run.lines())
        assert run.wait() == 0, "\n".join(said[-100:])
        parsed_project.keep(variables, self.folder / "target" / "partial_parse.msgpack")

    def tell(self, day: date, previous: date | None) -> None:
        """Write the dates of the build where dbt reads them, as the pipeline does."""
        known = f"'{previous}'" if previous else "null"
        self.execute("create schema if not exists ops")
        self.execute(
            "create or replace table ops.current_build as"
            f" select 'as of {day}' as build_id, date '{day}' as as_of_date, cast({known} as date)"
            " as previous_as_of_date"
        )
        self.execute("create table if not exists ops.builds (build_id varchar, finish_number bigint)")

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
