"""Verdicts as files below `<shop>/quality/results/`, and as the relation `quality_results`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb

from renqun.quality.verdict import GateReport, SuiteReport
from renqun.settings import ShopPaths
from renqun.storage import write_json_atomically

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.:+=@-]")

_FILE_COLUMNS = """{
    stage: 'varchar', object: 'varchar', subject: 'varchar', shop_id: 'varchar', ds: 'date', run_id: 'varchar',
    suite_hash: 'varchar', rows: 'bigint',
    checks: 'struct(id varchar, type varchar, severity varchar, verdict varchar, why varchar, note varchar,
             evaluated_rows bigint, observed json, sample json, batches varchar[])[]'
}"""

_RELATION = """
select
    shop_id, ds, run_id, stage, object, subject, "check".id as expectation_id, "check".type as expectation_type,
    "check".severity as severity, "check".verdict as verdict, "check".why as why, "check".note as note,
    rows as object_rows, "check".evaluated_rows as evaluated_rows, "check".observed as observed,
    "check".sample as failing_sample, "check".batches as failing_batches, suite_hash
from (select *, unnest(checks) as "check" from {files})
"""


def results_folder(paths: ShopPaths) -> Path:
    """Where the verdicts of a shop are."""
    return paths.quality / "results"


def result_file(paths: ShopPaths, report: SuiteReport) -> Path:
    """`<ds>/<run_id>/<stage>.<object>[.<subject>].json`."""
    name = report.name if report.subject is None else f"{report.name}.{report.subject}"
    return results_folder(paths) / report.ds.isoformat() / _NOT_A_NAME.sub("_", report.run_id) / f"{name}.json"


def store(paths: ShopPaths, report: GateReport) -> list[Path]:
    """Write a gate's verdicts, one file an object; a repeated run replaces its own."""
    files = []
    for suite in report.suites:
        file = result_file(paths, suite)
        write_json_atomically(file, suite.model_dump(mode="json"))
        files.append(file)
    return files


def load(file: Path) -> SuiteReport:
    """The verdicts in one file."""
    return SuiteReport.model_validate_json(file.read_text(encoding="utf-8"))


def stored_results(paths: ShopPaths) -> Iterator[Path]:
    """All result files of a shop, by date, run and object."""
    yield from sorted(results_folder(paths).glob("*/*/*.json"))


def quality_results_sql(paths: ShopPaths) -> str:
    """A select over all verdicts of a shop, one row a check; typed and empty where no gate has run yet."""
    if next(stored_results(paths), None) is None:
        nothing = "(select unnest(from_json('[]', '[\"json\"]')) as nothing)"
        fields = _FILE_COLUMNS.strip("{}\n ").replace("\n", " ")
        empty = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in _pairs(fields))
        return _RELATION.format(files=f"(select {empty} from {nothing})")
    pattern = str(results_folder(paths) / "*" / "*" / "*.json").replace("'", "''")
    return _RELATION.format(files=f"read_json('{pattern}', format = 'auto', columns = {_FILE_COLUMNS})")


def attach_quality_results(connection: duckdb.DuckDBPyConnection, paths: ShopPaths) -> None:
    """Make the view `quality_results` in an open connection."""
    connection.execute(f"create or replace temporary view quality_results as {quality_results_sql(paths)}")


def _pairs(fields: str) -> list[tuple[str, str]]:
    return [(name, kind) for name, kind in re.findall(r"(\w+): '([^']*)'", fields)]
