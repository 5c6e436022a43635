"""The page of sources says what the descriptions say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from renqun.ingest.catalogue import Source, all_sources, parse_source

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
