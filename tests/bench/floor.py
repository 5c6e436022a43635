"""The floor of a day: reading its files, casting, writing Parquet, and one pass of each mart's own query."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb

from renqun.settings import Settings


def floor_seconds(shop: Path, day: str) -> float:
    """The seconds of the floor, for a day that was just built in this shop."""
    files = sorted((shop / "landing").glob(f"*/{day}/*.csv"))
    assert files, day
    settings = Settings()
    warehouse = shop / "warehouse" / "renqun.duckdb"
    total = 0.0
    with duckdb.connect(config={"memory_limit": settings.memory_limit, "threads": settings.threads}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for file in files:
            target = shop / "warehouse" / "floor.parquet"
            began = time.perf_counter()
            connection.execute(f"copy (select {_cast(file)} from {_csv(file)}) to '{target}' (compression zstd)")
            total += time.perf_counter() - began
            target.unlink()
        connection.execute(f"attach '{warehouse}' as renqun (read_only)")
        compiled = sorted((shop / "warehouse/dbt/marts/target/compiled").rglob("*.sql"))
        marts = [file for file in compiled if file.stem.startswith(("dim_", "fct_", "agg_")) and _is_model(file)]
        assert marts, "dbt left no compiled models"
        for file in marts:
            began = time.perf_counter()
            connection.execute(f"create or replace temp table pass as {file.read_text(encoding='utf-8')}")
            total += time.perf_counter() - began
    return total


def _is_model(file: Path) -> bool:
    return not any(part.endswith(".yml") for part in file.parts)


def _csv(file: Path) -> str:
    return f"read_csv('{file}', header = true, all_varchar = true, delim = ',', quote = '\"')"


def _cast(file: Path) -> str:
    """Times and numbers as what they are, everything else as it is."""
    header = file.open(encoding="utf-8").readline().strip().split(",")
    return ", ".join(
        f"cast({name} as {kind}) as {name}" if (kind := _type_of(name)) else name for name in header
    )  # fmt: skip


def _type_of(name: str) -> str:
    if name.endswith("_at"):
        return "timestamp"
    return "decimal(18, 6)" if name.endswith(("_amount", "_price")) or name == "quantity" else ""
