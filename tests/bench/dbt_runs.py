"""dbt over a made-up warehouse, as a build runs it, and what that took."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

PROJECT = Path(__file__).parents[2] / "dbt_project"


@dataclass(frozen=True)
class Built:
    """A run of dbt over some models."""

    models: dict[str, float]
    wall_seconds: float
    cpu_seconds: float
    peak_gib: float

    @property
    def node_seconds(self) -> float:
        """What the models took, dbt's own start left out."""
        return sum(self.models.values())

    def __add__(self, other: Built) -> Built:
        """Both, one after the other."""
        return Built(
            self.models | other.models,
            self.wall_seconds + other.wall_seconds,
            self.cpu_seconds + other.cpu_seconds,
            max(self.peak_gib, other.peak_gib),
        )


def build(warehouse: Path, day: date, previous: date | None, command: tuple[str, ...]) -> Built:
    """dbt in a process of its own, so that its memory and CPU seconds are its own."""
    known = f"date '{previous}'" if previous else "cast(null as date)"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema if not exists ops")
        connection.execute("create table if not exists ops.builds (build_id varchar, finish_number bigint)")
        connection.execute(
            "create or replace table ops.current_build as"
            f" select 'as of {day}' as build_id, date '{day}' as as_of_date, {known} as previous_as_of_date"
        )
    folder = warehouse.parent
    words = [str(Path(sys.executable).with_name("dbt")), *command, "--vars", '{"dates_from": "warehouse"}']
    words += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    words += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    environment = os.environ | {
        "RENQUN_WAREHOUSE": str(warehouse), "RENQUN_RAW_ROOT": str(folder / "raw"), "RENQUN_THREADS": "2",
        "DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }  # fmt: skip
    said = folder / "dbt.log"
    began = time.perf_counter()
    with said.open("w") as output:
        streams = [(os.POSIX_SPAWN_DUP2, output.fileno(), stream) for stream in (1, 2)]
        process = os.posix_spawn(words[0], words, environment, file_actions=streams)
        _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(f"{' '.join(words)} failed:\n{said.read_text()[-4000:]}")
    results = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    models = {result["unique_id"].split(".")[-1]: float(result["execution_time"]) for result in results}
    return Built(models, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20)
