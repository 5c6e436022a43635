"""A shop's accepted raw files and build ledger, written by hand, so that dbt can be tested without the pipeline."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import yaml

import parsed_project
from renqun.warehouse import dbt_economies, exposures
from renqun.warehouse.dbt_process import OPTIONS, parse_once_wherever_the_file_lies

PROJECT = Path(os.environ.get("RENQUN_TEST_DBT_PROJECT", Path(__file__).resolve().parents[2] / "dbt_project"))
SOURCES = Path(__file__).resolve().parents[2] / "include" / "renqun" / "sources"
OWN_MODELS = ("path:seeds", "path:models/staging", "path:models/intermediate", "path:models/marts/core")
MARKET_MODELS = ("path:models/marts/traffic", "path:models/marts/marketing")
GROUPS: dict[str, str] = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))["group"] for path in sorted(SOURCES.glob("*.yml"))
}
ZONE = ZoneInfo("Asia/Shanghai")
Row = Mapping[str, str | None]


@cache
def canonical_columns(source: str) -> list[str]:
    """The columns of a source, in the order of its description; a range of dates has two."""
    content = yaml.safe_load((SOURCES / f"{source}.yml").read_text(encoding="utf-8"))
    return [name for column in content["columns"] for name in (column["name"], column.get("last")) if name]


class RawShop:
    """Raw files of one shop below a folder, and warehouses that are built from them."""

    def __init__(self, root: Path) -> None:
        self.raw = root / "raw"
        self.batches: list[dict[str, Any]] = []
        for source in GROUPS:
            self._write(self.raw / source / "date=1900-01-01" / "schema.parquet", source, [], {})

    def add_batch(
        self,
        source: str,
        ds: date,
        rows: Sequence[Row],
        *,
        file_name: str,
        reasons: Mapping[int, str] | None = None,
    ) -> str:
        """Accept one file: its rows in order; `reasons` quarantines rows by their 1-based number."""
        reasons = reasons or {}
        content = repr((source, ds, file_name, [sorted(row.items()) for row in rows])).encode()
        batch_id = hashlib.sha256(content).hexdigest()[:16]
        path = self.raw / source / f"date={ds.isoformat()}" / f"{batch_id}.parquet"
        end_of_day = datetime.combine(ds + timedelta(days=1), time(0), tzinfo=ZONE) - timedelta(microseconds=1)
        origin = {
            "_source_file": file_name,
            "_batch_id": batch_id,
            "_exported_at": end_of_day.astimezone(UTC).replace(tzinfo=None),
        }
        self._write(path, source, rows, origin, reasons)
        self.batches.append(
            {
                "batch_id": batch_id,
                "source": source,
                "group_name": GROUPS[source],
                "ds": ds,
                "raw_file": str(path),
                "file_name": file_name,
                "rows_read": len(rows),
                "rows_quarantined": len(reasons),
            }
        )
        return batch_id

    def _write(
        self,
        path: Path,
        source: str,
        rows: Sequence[Row],
        origin: Mapping[str, Any],
        reasons: Mapping[int, str] | None = None,
    ) -> None:
        columns = canonical_columns(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        types = [f'"{column}" varchar' for column in columns] + [
            "_source_file varchar",
            "_source_row bigint",
            "_batch_id varchar",
            "_exported_at timestamp",
            "_content_hash varchar",
            "_row_text varchar",
            "_quarantine_reason varchar",
        ]
        with duckdb.connect() as connection:
            connection.execute(f"create table raw ({', '.join(types)})")
            values = []
            for number, row in enumerate(rows, start=1):
                cells = [row.get(column) or None for column in columns]
                reason = (reasons or {}).get(number)
                text = repr(cells)
                values.append(
                    [
                        *cells,
                        origin["_source_file"],
                        number,
                        origin["_batch_id"],
                        origin["_exported_at"],
                        hashlib.md5(text.encode()).hexdigest(),
                        text if reason else None,
                        reason,
                    ]
                )
            if values:
                marks = ", ".join("?" for _ in types)
                connection.executemany(f"insert into raw values ({marks})", values)
            connection.execute(f"copy (select * from raw order by _source_row) to '{path}' (format parquet)")


class Warehouse:
    """One warehouse file and the builds that were finished in it."""

    def __init__(self, shop: RawShop, path: Path) -> None:
        self.shop = shop
        self.path = path
        self.consumed: set[str] = set()
        self.built: list[date] = []

    def build(self, as_of: date, *options: str, finish: bool = True, select: Iterable[str] = OWN_MODELS) -> Any:
        """Run dbt as of a date and, unless told otherwise, record the build as finished."""
        self.tell(as_of)
        result = run_dbt(["build", "--select", *select, *options], self, {"dates_from": "warehouse"})
        if finish:
            self.consumed |= {batch["batch_id"] for batch in self.shop.batches if batch["ds"] <= as_of}
            self.built.append(as_of)
        return result

    def tell(self, as_of: date) -> None:
        """Write the ledger that dbt reads, as the pipeline does before a build."""
        previous = max((day for day in self.built if day < as_of), default=None)
        with duckdb.connect(str(self.path)) as connection:
            connection.execute("create schema if not exists ops")
            connection.execute(
                "create or replace table ops.current_build as"
                " select cast(? as varchar) as build_id, cast(? as date) as as_of_date,"
                " cast(? as date) as previous_as_of_date",
                [f"as of {as_of}", as_of, previous],
            )
            connection.execute("create table if not exists ops.builds (build_id varchar, finish_number bigint)")
            exposures.ensure(connection)
            connection.execute(
                "create or replace table ops.batches (batch_id varchar, source varchar, group_name varchar, ds date,"
                " raw_file varchar, file_name varchar, rows_read bigint, rows_quarantined bigint, is_pending boolean)"
            )
            for batch in self.shop.batches:
                if batch["ds"] <= as_of:
                    connection.execute(
                        "insert into ops.batches values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        [*batch.values(), batch["batch_id"] not in self.consumed],
                    )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute(query).fetchall()


@contextmanager
def _environment(**values: str) -> Any:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def run_dbt(
    arguments: Sequence[str],
    warehouse: Warehouse,
    variables: Mapping[str, str],
    *,
    project: Path = PROJECT,
    may_fail: bool = False,
) -> Any:
    """One dbt command in this process; raises if anything in it failed, unless that `may_fail`.

    Returns:
        dbt's result.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    parse_once_wherever_the_file_lies()
    dbt_economies.apply()
    folder = warehouse.path.parent / "dbt"
    what = json.dumps({"project": str(project), **variables}, sort_keys=True)
    parsed = folder / f"{parsed_project.key(what)}.msgpack"
    parsed_project.lend(what, parsed)
    with _environment(
        RENQUN_WAREHOUSE=str(warehouse.path),
        RENQUN_RAW_ROOT=str(warehouse.shop.raw),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    ):
        result = dbtRunner().invoke(
            [
                *arguments,
                "--project-dir",
                str(project),
                "--profiles-dir",
                str(project),
                "--target-path",
                str(folder / "target"),
                "--log-path",
                str(folder / "logs"),
                "--vars",
                json.dumps(variables, sort_keys=True),
                *OPTIONS,
                *(["--partial-parse-file-path", str(parsed)] if parsed.exists() else []),
            ]
        )
    parsed_project.keep(what, folder / "target" / "partial_parse.msgpack")
    # dbt keeps its connection for the life of the process; the tests read the file themselves.
    DuckDBConnectionManager.close_all_connections()
    if not result.success and not may_fail:
        nodes = getattr(result.result, "results", None) or []
        failed = [f"{node.node.name}: {node.message}" for node in nodes if str(node.status) in ("error", "fail")]
        raise AssertionError("\n".join(failed) or str(result.exception))
    return result
