"""The catalogue of segments: rules are read strictly, and one more row is one more segment, everywhere."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from raw_shop import PROJECT, RawShop, Warehouse, run_dbt

from renqun.publish.definitions import Audience
from renqun.publish.members import Compiler, Marts
from renqun.publish.reasons import in_words
from renqun.segment_pages import CHINESE, ENGLISH, page

DAY = date(2024, 1, 31)
MEASURES = {
    "deals": "whole", "net": "amount", "part": "share", "stage": "text", "is_fan": "flag", "last": "date",
    "crowds": "list",
}  # fmt: skip
SOUND = {
    "deals = 2": "deals = cast(2 as bigint)",
    " deals  >=  -2 ": "deals >= cast(-2 as bigint)",
    "deals in (1, 2)": "deals in (cast(1 as bigint), cast(2 as bigint))",
    "deals < var:high_value_min_score": "deals < cast(4 as bigint)",
    "net <= 10.5": "net <= cast(10.5 as decimal(18, 2))",
    "part >= var:tag_min_score": "part >= cast(0.5 as decimal(9, 6))",
    "stage = 手淘 搜索": "stage = '手淘 搜索'",
    "stage in (a, b-c)": "stage in ('a', 'b-c')",
    "is_fan = true": "is_fan = true",
    "last is null": "last is null",
    "last is not null": "last is not null",
    "crowds contains home": "list_contains(crowds, 'home')",
}
FAULTY = {
    "deal = 2": "'deal' is no measure; measures: crowds, deals",
    "deals": "it must read 'measure operator value'",
    "deals=2": "it must read 'measure operator value'",
    "deals = two": "must be a whole number",
    "deals = 2.5": "must be a whole number",
    "deals = ": "must be a whole number",
    "deals = 2 or 1 = 1": "must be a whole number",
    "deals contains 2": "'contains' does not go with a whole; allowed: =, !=",
    "deals in 1, 2": "'in' needs a list: (a, b)",
    "deals in (1, x)": "'x' must be a whole number",
    "deals = var:no_such_var": "no var is called 'no_such_var'",
    "deals = var:tag_min_score": "'var:tag_min_score' is '0.5', and must be a whole number",
    "net > 1.234": "an amount with at most two decimals",
    "part > .5": "a share with at most six decimals",
    "stage = it's": "must be a text of letters",
    "stage < b": "'<' does not go with a text",
    "stage = a); drop table x": "must be a text of letters",
    "is_fan = yes": "must be true or false",
    "last > 2024-01-01": "'>' does not go with a date; allowed: is null, is not null",
    "last is null 3": "nothing may stand after 'is null'",
}
ROWS: dict[str, tuple[dict[str, str | None], str]] = {
    "id": ({"segment_id": "Big!"}, "the id must be of small letters"),
    "model": ({"model": "magic"}, "model 'magic' is unknown; known: interest"),
    "no_rule": ({"rule": None}, "the model 'rules' needs a rule"),
    "rule_of_a_model": ({"model": "interest"}, "only the model 'rules' reads a rule"),
    "fact": ({"facts": "deals|hats"}, "fact 'hats' is no measure"),
    "no_fact": ({"facts": None}, "fact '' is no measure"),
    "words": ({"definition": "the last {days_gone} days"}, "the definition names {days_gone}"),
}
SOUND_ROW = {
    "segment_id": "s",
    "model": "rules",
    "rule": "deals = 1",
    "facts": "deals",
    "definition": "{tag_days} days",
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the macros say of every rule and row above, in one run of dbt."""
    folder = tmp_path_factory.mktemp("catalogue")
    rows = {name: SOUND_ROW | changes for name, (changes, _) in ROWS.items()} | {"sound": SOUND_ROW}
    inline = (
        "{%- set measures = " + json.dumps(MEASURES) + " -%}{%- set conditions = {} -%}{%- set segments = {} -%}"
        "{%- for rule in " + json.dumps([*SOUND, *FAULTY], ensure_ascii=False) + " -%}"
        "{%- do conditions.update({rule: prove_condition(rule, measures)}) -%}{%- endfor -%}"
        "{%- for name, row in " + json.dumps(rows).replace("null", "none") + ".items() -%}"
        "{%- do segments.update({name: prove_segment(row, measures)['faults']}) -%}{%- endfor -%}"
        "select {{ tojson([conditions, segments]) }}"
    )
    warehouse = Warehouse(RawShop(folder), folder / "warehouse.duckdb")
    result = run_dbt(["compile", "--inline", inline], warehouse, {"as_of_date": str(DAY)})
    conditions, segments = json.loads(result.result.results[0].node.compiled_code.removeprefix("select "))
    return {"conditions": conditions, "segments": segments}


@pytest.mark.parametrize("rule", SOUND)
def test_a_sound_condition_becomes_sql_with_its_value_in_its_type(said: dict[str, Any], rule: str) -> None:
    assert said["conditions"][rule] == {"sql": SOUND[rule]}


@pytest.mark.parametrize("rule", FAULTY)
def test_a_faulty_condition_is_refused_with_what_is_allowed(said: dict[str, Any], rule: str) -> None:
    assert "sql" not in said["conditions"][rule]
    assert FAULTY[rule] in said["conditions"][rule]["fault"]


@pytest.mark.parametrize("name", ROWS)
def test_a_faulty_row_is_refused_by_its_part(said: dict[str, Any], name: str) -> None:
    (fault,) = said["segments"][name]
    assert ROWS[name][1] in fault


def test_a_sound_row_has_no_fault(said: dict[str, Any]) -> None:
    assert said["segments"]["sound"] == []


def test_the_facts_are_the_columns_of_the_measures_with_their_types() -> None:
    file = PROJECT / "models" / "marts" / "segments" / "int_customer_measures.yml"
    columns = yaml.safe_load(file.read_text(encoding="utf-8"))["models"][0]["columns"]
    kinds = {
        "integer": {"whole"}, "bigint": {"whole"}, "decimal(18,2)": {"amount"}, "decimal(9,6)": {"share"},
        "varchar": {"text"}, "boolean": {"flag"}, "date": {"date"}, "varchar[]": {"list"},
    }  # fmt: skip
    types = {column["name"]: column["data_type"] for column in columns if column["name"] != "customer_key"}
    with (PROJECT / "seeds" / "segment_facts.csv").open(encoding="utf-8", newline="") as stream:
        facts = {row["fact"]: row["kind"] for row in csv.DictReader(stream) if row["is_measure"] == "true"}
    assert set(facts) == set(types)
    assert {name: kind for name, kind in facts.items() if kind not in kinds[types[name]]} == {}


@pytest.fixture(scope="module")
def with_one_more_row(tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, Path]:
    """A copy of the project with one row appended to the seed and nothing else, built for twelve customers."""
    folder = tmp_path_factory.mktemp("one_more")
    project = folder / "dbt_project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    with (project / "seeds" / "segments.csv").open("a", encoding="utf-8") as stream:
        stream.write(
            "zhejiang_again,behaviour,Again from Zhejiang,浙江回头客,Lives there and bought in {tag_days} days.,"
            "浙江，近 {tag_days} 天回购。,marketing,rules,province = 浙江省 and deal_day_count >= 2,"
            "province|deal_day_count|last_deal_date,orders\n"
        )
    shop = RawShop(folder)
    order = {"item_id": "i1", "quantity": "1", "unit_price": "5", "province": "浙江省"}
    days = [("o1", "c1", "2024-01-10 10:00"), ("o2", "c1", "2024-01-20 10:00"), ("o3", "c2", "2024-01-20 10:00")]
    # Ten more people, so that a province is told by its name.
    days += [(f"o{n}", f"c{n}", "2024-01-20 10:00") for n in range(10, 20)]
    rows = [order | {"order_id": o, "customer_id": c, "ordered_at": at, "paid_at": at} for o, c, at in days]
    shop.add_batch("orders", DAY, rows, file_name="orders.csv")
    warehouse = Warehouse(shop, folder / "warehouse.duckdb")
    warehouse.tell(DAY)
    without_tests = ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    command = ["build", *without_tests, "--select", "path:seeds", "path:models"]
    run_dbt(command, warehouse, {"dates_from": "warehouse"}, project=project)
    return warehouse, project


def test_one_more_row_is_a_segment_with_members_sizes_and_reports(with_one_more_row: tuple[Warehouse, Path]) -> None:
    warehouse, _ = with_one_more_row
    mine = "where segment_id = 'zhejiang_again'"
    found = warehouse.rows(
        "select c.customer_ids, m.reason from marts.fct_segment_memberships as m"
        f" inner join marts.dim_customers as c using (customer_key) {mine}"
    )
    ((ids, reason),) = found
    assert "c1" in ids
    assert json.loads(reason) == {"province": "浙江省", "deal_day_count": 2, "last_deal_date": "2024-01-20"}
    assert in_words(reason) == "province: 浙江省, days with a deal: 2, last deal on: 2024-01-20"
    assert warehouse.rows(f"select customers, entered from marts.agg_segment_sizes__by_day {mine}") == [(1, 1)]
    assert warehouse.rows(f"select customers from marts.agg_segment_values {mine}") == [(1,)]
    assert warehouse.rows(f"select definition, rule from marts.dim_segments {mine}") == [
        ("Lives there and bought in 365 days.", "province = 浙江省 and deal_day_count >= 2")
    ]


def test_one_more_row_is_on_the_pages_of_definitions(with_one_more_row: tuple[Warehouse, Path]) -> None:
    _, project = with_one_more_row
    assert "| `zhejiang_again` | Again from Zhejiang · 浙江回头客 | Lives there" in page(ENGLISH, project)
    assert "| `zhejiang_again` | 浙江回头客 · Again from Zhejiang | 浙江，近 365 天回购。" in page(CHINESE, project)


def test_one_more_row_can_be_an_audience(with_one_more_row: tuple[Warehouse, Path]) -> None:
    warehouse, _ = with_one_more_row
    audience = Audience.model_validate(
        {
            "id": "zhejiang_again",
            "name": {"en": "Again", "zh": "回头客"},
            "owner": "marketing",
            "purpose": {"kind": "marketing", "text": "testing"},
            "needs": ["orders"],
            "include": {"segment": "zhejiang_again"},
            "destinations": ["canonical"],
            "size_window": {"max_change_share": "0.5", "min_previous": 10},
            "expiry_days": 7,
        }
    )
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse.path}' as warehouse (read_only); attach ':memory:' as published")
        for mart in ("dim_customers", "fct_segment_memberships", "agg_segment_sizes__by_day"):
            connection.execute(f"create view published.main.{mart} as from warehouse.marts.{mart}")
        assert len(Compiler(Marts(connection, DAY), [audience]).members(audience).fetchall()) == 1


CELLS = {
    "overlaps": (
        "select segment_id, other_segment_id, customers from marts.agg_segment_overlaps where customers > 0",
        """
        select count(*) from marts.fct_segment_memberships as a
        inner join marts.fct_segment_memberships as b on a.customer_key = b.customer_key
        where a.segment_id = ? and b.segment_id = ? and a.exited_on is null and b.exited_on is null
        """,
    ),
    "provinces": (
        """
        select segment_id, feature_value, customers from marts.agg_segment_profiles
        where feature = 'province' and feature_value not in ('(other)', '(unknown)')
        """,
        """
        select count(*) from marts.fct_segment_memberships as m
        inner join marts.dim_customers as c on m.customer_key = c.customer_key
        where m.segment_id = ? and c.province = ? and m.exited_on is null
        """,
    ),
}


@pytest.mark.parametrize("what", CELLS)
def test_the_persons_behind_a_cell_are_one_query_away(with_one_more_row: tuple[Warehouse, Path], what: str) -> None:
    warehouse, _ = with_one_more_row
    cells, behind = CELLS[what]
    with duckdb.connect(str(warehouse.path)) as connection:
        shown = connection.execute(cells).fetchall()
        assert shown
        for segment, value, customers in shown:
            assert connection.execute(behind, [segment, value]).fetchall() == [(customers,)], (segment, value)
