"""With its economies dbt does what it does without them: the same nodes, the same SQL, the same answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from renqun.thresholds import DBT_PROJECT

RUN = """
import json, sys
from dbt.cli.main import dbtRunner
from renqun.warehouse import dbt_economies

def told(one):
    return [one.node.unique_id, str(one.status), one.message, one.failures, getattr(one.node, "compiled_code", None)]

if sys.argv[1] == "with":
    dbt_economies.apply()
heard = []
runner = dbtRunner(callbacks=[lambda event: heard.append(event.info.name) if event.info.level != "debug" else None])
ended = [runner.invoke(command) for command in json.loads(sys.argv[2])]
assert all(one.exception is None for one in ended), ended
# Of nodes that do not wait for each other dbt takes any.
found = [sorted([told(one) for one in outcome.result], key=lambda one: one[0]) for outcome in ended]
print(json.dumps({"results": found, "heard": sorted(heard)}))
"""

PROJECT = {
    "dbt_project.yml": """
name: little
version: "1.0"
profile: little
models: {+schema: marts}
""",
    "profiles.yml": """
little:
  target: warehouse
  outputs: {warehouse: {type: duckdb, path: "{{ env_var('LITTLE_WAREHOUSE') }}", threads: 1}}
""",
    "macros/schema.sql": "{% macro generate_schema_name(name, node) %}{{ name or 'main' }}{% endmacro %}",
    "macros/own.sql": """
{% macro default__bounded_by() %}{{ return(('day', 3)) }}{% endmacro %}
{% macro bounded_by() %}{{ return(adapter.dispatch('bounded_by')()) }}{% endmacro %}
""",
    "seeds/days.csv": "day,name,price\n1,Mon,0.50\n2,,1.25\n3,null,\n",
    "models/priced.sql": "select day, name, cast(price as decimal(9, 2)) as price from {{ ref('days') }}",
    "models/again.sql": "select day, name, price from {{ ref('days') }}",
    "models/grown.sql": """
{{ config(materialized='incremental', unique_key='day', incremental_strategy='delete+insert',
          on_schema_change='fail') }}
{%- set column, last = bounded_by() %}
select day, name, price, {{ 'true' if is_incremental() else 'false' }} as again from {{ ref('priced') }}
where {{ column }} <= {{ last }}
""",
    "models/below/asked.sql": """
-- depends_on: {{ ref('grown') }}
{%- if execute %}
{%- set names = adapter.get_columns_in_relation(ref('grown')) %}
{%- set counted = run_query('select count(*) as days, max(name) as name from ' ~ ref('grown')) %}
select {{ counted.rows[0]['days'] }} as days, '{{ names | map(attribute="name") | join("-") }}' as names
{%- endif %}
""",
    "models/below/raises.sql": "{{ exceptions.raise_compiler_error('so says the model') if execute }}",
    "models/below/after.sql": "select 1 as one from {{ ref('raises') }}",
    "models/told.yml": """
models:
  - name: grown
    config: {contract: {enforced: true}}
    columns:
      - {name: day, data_type: integer, data_tests: [not_null, unique]}
      - {name: name, data_type: varchar, data_tests: [{not_null: {config: {severity: warn}}}]}
      - {name: price, data_type: "decimal(9,2)", data_tests: [not_null]}
      - {name: again, data_type: boolean}
unit_tests:
  - name: prices_have_cents
    model: priced
    given: [{input: ref('days'), rows: [{day: 1, name: a, price: 1.5}]}]
    expect: {rows: [{day: 1, name: a, price: 1.5}]}
  - name: prices_are_wrong
    model: again
    given: [{input: ref('days'), rows: [{day: 1, name: a, price: 1.5}]}]
    expect: {rows: [{day: 1, name: b, price: 1.5}]}
""",
}
COMMANDS = [
    ["build", "--select", "path:seeds"],
    ["build", "--exclude", "path:models/below"],
    ["run"],
    ["run", "--full-refresh", "--select", "path:models/below/asked.sql", "grown"],
    ["test", "--select", "path:models/told.yml"],
]


def _told(folder: Path, how: str) -> dict[str, Any]:
    """What dbt tells of all commands, and the rows that they leave, without names and times of this one run."""
    project = folder / how
    for name, text in PROJECT.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    options = ["--project-dir", str(project), "--profiles-dir", str(project), "--log-level", "none"]
    done = subprocess.run(
        [sys.executable, "-c", RUN, how, json.dumps([[*command, *options] for command in COMMANDS])],
        env={**os.environ, "LITTLE_WAREHOUSE": str(project / "little.duckdb")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout.splitlines()[-1].replace(str(project), "")
    text = re.sub(r"\b\d+(\.\d+)? ?s\b|__dbt_tmp\d+|\d\d:\d\d:\d\d(\.\d+)?", "", text)
    with duckdb.connect(str(project / "little.duckdb"), read_only=True) as warehouse:
        rows = {
            name: warehouse.execute(f"from marts.{name} order by all").fetchall()
            for name in ("priced", "grown", "asked")
        }
    return {**json.loads(text), "rows": rows}


def test_dbt_does_and_says_the_same(tmp_path: Path) -> None:
    without, with_economies = _told(tmp_path, "without"), _told(tmp_path, "with")
    states = {one[1] for results in without["results"] for one in results}
    assert states >= {"success", "pass", "warn", "fail", "error", "skipped"}, "every way to end is compared"
    for theirs, ours in zip(without["results"], with_economies["results"], strict=True):
        assert ours == theirs
    assert with_economies["heard"] == without["heard"], "who listens hears what is no debugging"
    assert with_economies["rows"] == without["rows"]
    assert without["rows"]["asked"] == [(3, "day-name-price-again")]


def test_every_namespace_is_dbts_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two macros of one name the same one counts, whosever node asks, as in the class that is replaced."""
    from dbt.context.macros import MacroNamespaceBuilder

    from renqun.warehouse import dbt_economies

    class Macro:
        def __init__(self, package: str, name: str) -> None:
            self.package_name, self.name, self.unique_id = package, name, f"macro.{package}.{name}"

    packages = {"dbt": "abcd", "dbt_duckdb": "bc", "ours": "cd", "another": "cde"}
    macros = {package: {name: Macro(package, name) for name in names} for package, names in packages.items()}

    def seen(package: str) -> tuple[dict[str, Any], list[Any]]:
        builder = MacroNamespaceBuilder("ours", package, None, ["dbt_duckdb", "dbt"], "node")
        namespace = builder.build_namespace(macros, {"context": 1})
        of = [namespace.get_from_package(p, name) for p in (None, "dbt", "ours", "another") for name in "abcde"]
        flat = dict(namespace)
        flat = {k: {n: m.macro.unique_id for n, m in v.items()} if isinstance(v, dict) else v for k, v in flat.items()}
        one = flat["c"]
        assert (one.context, one.node, one.stack) == ({"context": 1}, "node", None)
        return {k: v if isinstance(v, dict) else v.macro.unique_id for k, v in flat.items()}, [
            found and found.macro.unique_id for found in of
        ]

    dbt_economies.apply()
    ours = {package: seen(package) for package in ("ours", "another", "dbt")}
    monkeypatch.setattr(MacroNamespaceBuilder, "build_namespace", dbt_economies.replaced["build_namespace"])
    assert ours == {package: seen(package) for package in ours}


def test_dbt_is_the_one_that_the_economies_were_made_for() -> None:
    """They replace functions by name: with a newer dbt each has to be looked at again."""
    text = (DBT_PROJECT.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert '"dbt-core~=1.11.0"' in text
    assert '"dbt-duckdb~=1.11.0"' in text
