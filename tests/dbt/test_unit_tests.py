"""All unit tests of the models; and proof that they see a model which looks beyond its as-of date."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from raw_shop import PROJECT, RawShop, Warehouse, run_dbt

DAY = date(2024, 1, 31)
READS_AS_OF = re.compile(r"(?<!previous_)as_of_date\(\)")
READS_RAW = re.compile(r"source\('raw', ")
ONLY_ACCEPTED = re.compile(r"where \{\{ accepted_rows\('date'\) \}\}")
"""How staging says, in every model alike, that folders after D wait."""
AS_OF_MACRO = "cast('{{ run_date(\"as_of_date\") }}' as date)"
LATER = (
    "cast('{{ modules.datetime.date.fromisoformat(run_date(\"as_of_date\")) + modules.datetime.timedelta(days=400) }}'"
    " as date)"
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A shop without a file, every layer of it built: unit tests take the types of their inputs from there."""
    folder = tmp_path_factory.mktemp("units")
    warehouse = Warehouse(RawShop(folder), folder / "warehouse.duckdb")
    everything = ("path:seeds", "path:models")
    warehouse.build(DAY, "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test", select=everything)
    return warehouse


def _unit_tests(warehouse: Warehouse, project: Path, models: Sequence[str] = ()) -> dict[str, list[str]]:
    """Runs the unit tests of a project, or of some of its models: the states of each model's tests."""
    command = ["test", "--select", *(f"{model},test_type:unit" for model in models)]
    command += [] if models else ["test_type:unit"]
    result: Any = run_dbt(command, warehouse, {"as_of_date": str(DAY)}, project=project, may_fail=True)
    found = defaultdict(list)
    for one in result.result.results:
        found[str(one.node.unique_id).split(".")[2]].append(str(one.status))
    return found


def test_every_unit_test_passes(warehouse: Warehouse) -> None:
    states = _unit_tests(warehouse, PROJECT)
    assert sum(len(of_model) for of_model in states.values()) > 80
    assert {model: of_model for model, of_model in states.items() if set(of_model) != {"pass"}} == {}


def test_a_model_that_ignores_its_as_of_date_fails_a_unit_test(warehouse: Warehouse, tmp_path: Path) -> None:
    """Every model is made to believe that D is more than a year later than its unit tests say."""
    project = tmp_path / "dbt_project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    macro = project / "macros" / "time.sql"
    text = macro.read_text(encoding="utf-8")
    assert text.count(AS_OF_MACRO) == 1
    macro.write_text(text.replace(AS_OF_MACRO, LATER), encoding="utf-8")

    bound = [path.stem for path in sorted(PROJECT.glob("models/**/*.sql")) if READS_AS_OF.search(path.read_text())]
    assert len(bound) > 25
    staging = ("stg_generic__order_lines", "stg_generic__events", "stg_generic__members")
    states = _unit_tests(warehouse, project, [*bound, *staging])
    assert "error" not in {state for of_model in states.values() for state in of_model}, "they fail, they do not break"
    assert [model for model in bound if "fail" not in states[model]] == []
    for model in staging:
        assert "fail" in states[model], "the macro that all of staging uses is bound by D"


def test_all_of_staging_reads_accepted_rows_up_to_d_only() -> None:
    # Rows in quarantine have a unit test of their own; rows are counted where they stand, by the batches of the build.
    others = {"stg_generic__quarantined_rows", "int_batch_row_counts"}
    texts = {path.stem: path.read_text(encoding="utf-8") for path in PROJECT.glob("models/**/*.sql")}
    reading = {model: text for model, text in texts.items() if READS_RAW.search(text)}
    assert len(reading) > 20
    free = {
        model for model, text in reading.items() if len(READS_RAW.findall(text)) != len(ONLY_ACCEPTED.findall(text))
    }
    assert free == others
