"""The page of sources says what the descriptions say."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from renqun.ingest.catalogue import Column, Source, all_sources, get_source, parse_source
from renqun.ingest.clean import cleaning, steps_applied
from renqun.settings import Shop

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
ROWS = {row.split("|")[1].strip(): row for row in PAGE.splitlines() if row.startswith("| `")}
PLATFORMS = [source for source in all_sources() if not source.is_generic]


def _section(source: Source) -> str:
    found = re.search(rf"^### (?:\w+, )*{source.source}\b.*?(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no section about {source.source}"
    return found.group()


@pytest.mark.parametrize("source", PLATFORMS, ids=lambda source: source.source)
def test_the_page_tells_group_formats_and_merging(source: Source) -> None:
    row = ROWS[f"`{source.source}`"]
    _, _, group, _, formats, later, by, _ = (cell.strip() for cell in row.split("|"))
    assert source.merge is not None
    assert group == source.group
    assert formats == ", ".join(source.formats)
    assert later.startswith({"upsert": "newest wins", "replace": "replaces", "append": "adds"}[source.merge.mode])
    if not by.startswith("all dimensions"):
        assert re.findall(r"`(\w+)`", by) == [*source.merge.key, *source.merge.partition]


@pytest.mark.parametrize("source", PLATFORMS, ids=lambda source: source.source)
def test_the_page_names_every_version(source: Source) -> None:
    section = " ".join(_section(source).split())
    assert [version.name for version in source.versions if f"`{version.name}`" not in section] == []


def test_the_example_of_contributing_is_a_source() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    example = re.search(r"^   ```yaml\n(.*?)^   ```", text, re.MULTILINE | re.DOTALL)
    assert example
    source = parse_source(re.sub(r"^   ", "", example[1], flags=re.MULTILINE), "CONTRIBUTING.md")
    assert source.source == "example_orders"


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("id", '="90210000000000017"'),
        ("id", "'13000000001"),
        ("money", "1,234.00"),
        ("money", "12.30元"),
        ("money", "(12.00)"),
        ("percent", "78.15%"),
        ("timestamp", "2025/06/01 09:05"),
    ],
)
def test_a_cell_becomes_what_the_page_says(kind: str, cell: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("|") and f"`{cell}`" in line)
    written, becomes = (re.findall(r"`([^`]+)`", part) for part in row.strip("|").split("|"))
    column = Column.model_validate({"name": "it", "kind": kind, "meaning": "it"})
    sql = "SELECT ?::VARCHAR AS c0"
    way = steps_applied(cleaning(get_source("taobao_orders"), column, Shop(id="default")), "c0", "v")
    for name, expression in way:
        sql = f"SELECT *, {expression} AS {name} FROM ({sql})"
    found = duckdb.execute(f"SELECT {way[-1][0]} FROM ({sql})", [cell]).fetchall()
    assert found == [(becomes[written.index(cell)],)]
