"""Every gate and every DAG has its page; a page says what it means, how to look, what to do and when it is mended."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import duckdb
import pytest

from renqun.alerts.causes import PAGES, RUNBOOKS, late_alert, runbook_of
from renqun.errors import GateFailed
from renqun.observe.runs import attach_run_ledger
from renqun.quality.results import attach_quality_results
from renqun.quality.suite import STAGES, load_stage
from renqun.settings import PROJECT_ROOT, Home

PARTS = ("What it means", "How to look", "What to do", "Mended when")
DAGS = sorted((PROJECT_ROOT / "dags").glob("*.py"))
GATE_PAGES = [f"{RUNBOOKS}/gate-{stage}.md" for stage in STAGES]
DAG_PAGES = sorted({f"{RUNBOOKS}/{PAGES.get(file.stem, f'{file.stem}.md')}" for file in DAGS})
QUERY = re.compile(r'renqun sql "([^"]+)"')


@pytest.mark.parametrize("page", [*GATE_PAGES, *DAG_PAGES])
def test_a_page_says_what_an_operator_asks(page: str) -> None:
    text = (PROJECT_ROOT / page).read_text(encoding="utf-8")
    assert "**Symptom.**" in text
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [part for part in heads if part in PARTS] == list(PARTS)
    for part in PARTS:
        told = text.split(f"## {part}\n", 1)[1].split("\n## ")[0]
        assert len(told.split()) >= 5, part


def test_alerts_lead_to_the_page_of_the_gate_the_check_or_the_dag() -> None:
    for stage, page in zip(STAGES, GATE_PAGES, strict=True):
        assert runbook_of(GateFailed("x", gate=stage), "build_marts") == page
    own = GateFailed("x", gate="marts", runbook=f"{RUNBOOKS}/customer-coverage.md")
    assert runbook_of(own, "build_marts") == f"{RUNBOOKS}/customer-coverage.md"
    for file in DAGS:
        page = runbook_of(ValueError("x"), file.stem)
        assert (PROJECT_ROOT / page).is_file()
        # The page that the DAG itself names, in Airflow's web page.
        doc = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        assert f"`{page}`" in doc, file.name
    assert set(PAGES) <= {file.stem for file in DAGS}
    assert late_alert.__module__ == "renqun.alerts.causes"


def test_a_gates_page_names_only_checks_that_there_are() -> None:
    for stage, page in zip(STAGES, GATE_PAGES, strict=True):
        suites = load_stage(stage)
        ids = {expectation.id for suite in suites for expectation in suite.expectations}
        text = (PROJECT_ROOT / page).read_text(encoding="utf-8").split("## What to do")[1]
        objects = "|".join(sorted((suite.object for suite in suites), key=len, reverse=True))
        named = set(re.findall(rf"`((?:{objects})-\w+)`", text))
        assert named - ids == set(), page
        assert named or "`…" in text, page


@pytest.mark.parametrize("page", sorted((PROJECT_ROOT / RUNBOOKS).glob("*.md")), ids=lambda page: page.stem)
def test_queries_of_pages_about_gates_and_runs_can_be_asked(page: Path, tmp_path: Path) -> None:
    connection = duckdb.connect()
    paths = Home(tmp_path).paths("default")
    attach_quality_results(connection, paths)
    attach_run_ledger(connection, paths)
    for query in QUERY.findall(page.read_text(encoding="utf-8")):
        if "quality_results" in query or "run_ledger" in query:
            assert connection.execute(query).fetchall() == []
