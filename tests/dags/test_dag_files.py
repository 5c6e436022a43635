"""The DAG files: which DAGs they make, how they read, what parsing them costs."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from renqun.settings import PROJECT_ROOT

NAMES = (
    "build_marts", "ingest_marketing", "ingest_orders", "ingest_profiles", "ingest_traffic", "maintenance",
    "publish_audiences", "watch_publication",
)  # fmt: skip
FILES = sorted((PROJECT_ROOT / "dags").glob("*.py"))
TAGS = {
    *(f"stage/{name}" for name in ("ingest", "build", "publish", "watch", "maintenance")),
    *(f"domain/{name}" for name in ("orders", "traffic", "profiles", "marketing", "marts", "audiences", "home")),
    *(f"impact/tier_{number}" for number in (1, 2, 3)),
    "shop/hangzhou",
    "shop/seattle",
}
_PARSE = """
import json, runpy, sys, time
from pathlib import Path
import airflow.sdk
import airflow.sdk.definitions.retry_policy, airflow.sdk.definitions.decorators
from airflow.sdk import DAG, task, PokeReturnValue, CronPartitionTimetable, CronTriggerTimetable
task.sensor
began = time.perf_counter()
for file in sorted(Path(sys.argv[1]).glob("*.py")):
    runpy.run_path(str(file))
seconds = time.perf_counter() - began
heavy = [name for name in ("duckdb", "great_expectations", "dbt", "pandas", "pyarrow") if name in sys.modules]
ours = sorted(name for name in sys.modules if name.startswith("renqun."))
print(json.dumps({"seconds": seconds, "heavy": heavy, "ours": ours}))
"""


def test_each_shop_has_exactly_its_dags(bag: Any) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == {f"{shop}__{name}" for shop in ("hangzhou", "seattle") for name in NAMES}


def test_there_is_one_file_per_dag_name() -> None:
    assert [file.stem for file in FILES] == sorted(NAMES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dag_file_is_wiring_only(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    doc = ast.get_docstring(tree) or ""
    code = [line for line in source.splitlines()[doc.count("\n") + 3 :] if line.strip()]
    assert len(code) < 80
    numbers = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is int]
    assert numbers == []


def test_every_dag_says_what_an_operator_asks(dags: dict[str, Any]) -> None:
    asked = ("Purpose", "Inputs", "Outputs", "Owner", "May I clear it", "May I backfill it", "downstream", "Runbook")
    for dag in dags.values():
        assert [word for word in asked if word not in (dag.doc_md or "")] == [], dag.dag_id
        runbook = dag.doc_md.rsplit("Runbook** – `", 1)[1].split("`")[0]
        assert runbook.startswith("docs/runbooks/")
        assert set(dag.tags) <= TAGS
        assert {tag.split("/")[0] for tag in dag.tags} == {"stage", "domain", "impact", "shop"}


def test_parsing_is_quick_and_imports_nothing_heavy(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PARSE, str(PROJECT_ROOT / "dags")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "RENQUN_HOME": str(home)},
    )
    parsed = json.loads(done.stdout.splitlines()[-1])
    assert parsed["heavy"] == []
    light = ("airflow", "settings", "errors", "run", "yaml_files")
    assert [name for name in parsed["ours"] if name.split(".")[1] not in light] == []
    # Two shops; the limit is 1 s a shop beyond importing Airflow. Typical: 0.1 s.
    assert parsed["seconds"] < 2.0


def test_only_the_airflow_package_imports_airflow() -> None:
    package = PROJECT_ROOT / "include" / "renqun"
    guilty = []
    for file in sorted(package.rglob("*.py")):
        if file.is_relative_to(package / "airflow"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            guilty += [f"{file.name}: {name}" for name in names if name.split(".")[0] == "airflow"]
    assert guilty == []
