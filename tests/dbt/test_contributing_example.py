"""Whoever does what CONTRIBUTING says gets a source that is counted: a copy of the project is the proof."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
TEXT = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
_FENCE = r":\n\n   ```\w+\n(.*?)^   ```"
WRITTEN = re.findall(r"[Ww]rite\s+`([^`]+)`[^:`]*" + _FENCE, TEXT, re.MULTILINE | re.DOTALL)
ADDED = re.findall(r"[Ii]n\s+`([^`]+)`,\s+behind\s+`([^`]+)`" + _FENCE, TEXT, re.MULTILINE | re.DOTALL)


def _unlisted(block: str) -> str:
    """A block without the indentation of the list that it stands in."""
    return re.sub(r"^   ", "", block, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the example's files became in a copy of the project in which every step was done."""
    copy = tmp_path_factory.mktemp("followed") / "project"
    away = shutil.ignore_patterns("__pycache__", "target", "logs", "*.duckdb")
    for folder in ("include", "dbt_project", "expectations"):
        shutil.copytree(PROJECT / folder, copy / folder, ignore=away)
    (copy / "docs").symlink_to(PROJECT / "docs")
    (copy / "tests" / "dbt").mkdir(parents=True)
    for name in ("parsed_project.py", "dbt/raw_shop.py", "dbt/example_shop.py"):
        shutil.copy(PROJECT / "tests" / name, copy / "tests" / name)
    for path, block in WRITTEN:
        target = copy / path
        assert not target.exists(), f"{path} is there already"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(_unlisted(block)), encoding="utf-8")
    for path, anchor, block in ADDED:
        lines = (copy / path).read_text(encoding="utf-8").splitlines(keepends=True)
        place = next((number for number, line in enumerate(lines, start=1) if anchor in line), None)
        assert place, f"{path} has no {anchor!r}"
        lines.insert(place, _unlisted(block))
        (copy / path).write_text("".join(lines), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(copy / "tests" / "dbt" / "example_shop.py"), str(copy.parent / "home")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(copy / "include"), str(copy / "tests")])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_place_is_told() -> None:
    assert [path for path, _ in WRITTEN] == [
        "include/renqun/sources/example_orders.yml",
        "dbt_project/models/staging/example/stg_example__orders.sql",
        "expectations/raw/example_orders.yml",
    ]
    assert len(ADDED) == 7


def test_its_versions_are_recognised_and_its_sums_are_left_out(told: dict[str, object]) -> None:
    assert told["versions"] == ["2017", "2025"]
    assert told["left_out"] == 2


def test_its_orders_are_counted(told: dict[str, object]) -> None:
    """e3 has no amount and is set aside; e4 was never paid."""
    assert told["lost"] == []
    assert told["orders"] == [["e1", "30.00", True], ["e2", "12.50", True], ["e4", None, False]]


def test_its_statuses_are_understood(told: dict[str, object]) -> None:
    assert told["statuses"] == [[2]]
