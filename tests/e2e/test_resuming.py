"""A model that fails, once repaired, resumes without redoing the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_shop import DAYS, drop_day
from workbench import Workbench

pytestmark = pytest.mark.e2e

BROKEN = "select cast('not a number' as integer) as broken"
MODEL = "dbt_project/models/marts/kpis/zz_synthetic.sql"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the checkout that may be damaged."""
    import shutil

    origin, copy = Path(__file__).parents[2], tmp_path / "project"
    for folder in ("dags", "dbt_project", "expectations", "include"):
        shutil.copytree(origin / folder, copy / folder, ignore=shutil.ignore_patterns("target", "__pycache__", "logs"))
    (copy / "docs").symlink_to(origin / "docs")
    return copy


def _nodes(bench: Workbench, layer: str) -> dict[str, dict[str, object]]:
    (file,) = (bench.shop() / "quality" / "builds" / DAYS[0]).glob(f"*/{layer}.json")
    report = json.loads(file.read_text())
    return {node["name"]: node for node in report["nodes"]} | {"": {"resumed": report["resumed"]}}


def test_a_repaired_model_resumes_without_redoing_the_others(bench: Workbench, project: Path) -> None:
    python_path = str(project / "include")
    model = project / MODEL
    model.write_text(
        '{{ config(contract={"enforced": false}, materialized="table") }}\n'
        f"{BROKEN} from {{{{ ref('fct_orders') }}}} limit 1\n"
    )
    drop_day(bench, 1)
    failed = bench.renqun("run", "--date", DAYS[0], PYTHONPATH=python_path)
    assert failed.exit_code == 3, failed.text
    assert "zz_synthetic" in failed.text
    assert bench.latest() is None, "nothing is published"
    assert _nodes(bench, "marts")["zz_synthetic"]["state"] == "error"

    model.write_text(model.read_text().replace("'not a number'", "'1'"))
    bench.done("run", "--date", DAYS[0], PYTHONPATH=python_path)
    resumed = _nodes(bench, "marts")
    assert resumed[""]["resumed"] is True
    assert resumed["zz_synthetic"]["state"] == "success"
    assert "fct_orders" not in resumed, "what was built stays built"
    assert bench.latest() is not None
