"""`make docs`: the dictionary and the pages of segments, made from what the pipeline reads: they cannot lie."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from renqun.ingest.catalogue import list_sources
from renqun.publish.definitions import Audience, load_audiences
from renqun.quality.suite import STAGES, load_stage
from renqun.segment_pages import pages
from renqun.settings import PROJECT_ROOT
from renqun.storage import write_text_atomically
from renqun.yaml_files import parse

DBT_PROJECT = PROJECT_ROOT / "dbt_project"
DICTIONARY = PROJECT_ROOT / "docs" / "dictionary.md"

_HEAD = """\
# Data dictionary

<!-- Made by `make docs` from the YAML beside the models, the seeds, the sources, the audiences and the suites. Do not
edit: change those and make it again; a test compares. -->

What the words mean, with examples: [definitions](definitions/README.md).

Contents: [marts](#marts) · [workings](#workings) · [thresholds](#thresholds) · [seeds](#seeds) ·
[exports](#exports) · [audiences](#audiences) · [gates](#gates)
"""
_VAR = re.compile(r"^  (?P<name>[a-z]\w*): *(?P<value>.+?) *$")
_SECTION = re.compile(r"^  # -{2,} *(?P<title>.*?)[ -]*$")


def main() -> None:
    """Write all generated pages; with `--check`, only say whether they are up to date."""
    for file, text in {DICTIONARY: dictionary(), **pages()}.items():
        name = file.relative_to(PROJECT_ROOT)
        if "--check" not in sys.argv[1:]:
            write_text_atomically(file, text)
            print(f"wrote {name}")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            sys.exit(f"{name} is not what the models say; 'make docs' makes it anew")


def dictionary() -> str:
    """The text of the data dictionary."""
    models = _models()
    marts = [model for model in models if not model["name"].startswith(("stg_", "int_"))]
    workings = [model for model in models if model["name"].startswith(("stg_", "int_"))]
    parts = [_HEAD, *_marts(marts), *_workings(workings), *_thresholds(), *_seeds()]
    parts += [*_exports(), *_audiences(), *_gates()]
    return "\n".join(parts).rstrip() + "\n"


def _models() -> list[dict[str, Any]]:
    docs = _doc_blocks()
    found = []
    for file in sorted(DBT_PROJECT.glob("models/**/*.yml")):
        for model in _load(file).get("models", []):
            found.append({**_described(model, docs), "folder": file.parent.name})
    return sorted(found, key=lambda model: (model["folder"], model["name"]))


def _doc_blocks() -> dict[str, str]:
    """Descriptions that several columns share, by name."""
    block = re.compile(r"{%-? *docs +(\w+) *-?%}(.*?){%-? *enddocs *-?%}", re.DOTALL)
    files = sorted(DBT_PROJECT.glob("**/*.md"))
    return {name: text for file in files for name, text in block.findall(file.read_text(encoding="utf-8"))}


def _described(node: dict[str, Any], docs: dict[str, str]) -> dict[str, Any]:
    """A node of a dbt YAML with its doc blocks written out, and what it says of itself."""

    def written_out(text: str) -> str:
        return re.sub(r"{{ *doc\(['\"](\w+)['\"]\) *}}", lambda block: docs[block[1]], text)

    columns = [
        {**column, "description": written_out(column.get("description", ""))} for column in node.get("columns", [])
    ]
    meta = {**node.get("meta", {}), **node.get("config", {}).get("meta", {})}
    return {**node, "description": written_out(node.get("description", "")), "columns": columns, "meta": meta}


def _marts(marts: Sequence[dict[str, Any]]) -> Iterable[str]:
    yield "\n## Marts\n"
    yield "Every mart is published as a table of `marts.duckdb` or as Parquet parts; all carry `shop_id`.\n"
    rows = [(f"[{m['name']}](#{m['name']})", _grain(m), m["meta"].get("owner", ""), _sentence(m)) for m in marts]
    yield _table(("mart", "grain", "owner", "one row is"), rows)
    for mart in marts:
        definition = mart["meta"].get("definition", "")
        link = f" · [definition]({definition.removeprefix('docs/')})" if definition else ""
        yield f"\n### {mart['name']}\n\n{_line(mart['description'])}\n"
        yield f"Grain: {_grain(mart)} · owner: {mart['meta'].get('owner', '')}{link}\n"
        columns = [(f"`{c['name']}`", c.get("data_type", ""), c["description"]) for c in mart["columns"]]
        yield _table(("column", "type", "meaning"), columns)


def _workings(models: Sequence[dict[str, Any]]) -> Iterable[str]:
    yield "\n## Workings\n"
    yield "Staging and intermediate models: inside the warehouse only, free to change.\n"
    yield _table(("model", "grain", "one row is"), [(f"`{m['name']}`", _grain(m), _sentence(m)) for m in models])


def _thresholds() -> Iterable[str]:
    """The vars of dbt_project.yml with the comment above each, which YAML readers throw away."""
    yield "\n## Thresholds\n"
    yield "A shop overrides any of them under `vars` in `shops.yml`.\n"
    text = (DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8").partition("\nvars:\n")[2]
    rows: list[tuple[str, str, str]] = []
    comment: list[str] = []
    said = ""
    for line in text.splitlines():
        if _SECTION.match(line) or not line.strip():
            comment, said = [], ""
        elif line.strip().startswith("#"):
            comment.append(line.strip().lstrip("# "))
        elif found := _VAR.match(line):
            said = " ".join(comment) or said
            comment = []
            rows.append((f"`{found['name']}`", f"`{found['value']}`", said))
    yield _table(("var", "default", "why"), rows)
    gate_vars = _load(PROJECT_ROOT / "expectations" / "vars.yml")
    yield "\nOf the gates:\n"
    yield _table(("var", "default", "why"), [(f"`{n}`", f"`{v['value']}`", v["why"]) for n, v in gate_vars.items()])


def _seeds() -> Iterable[str]:
    yield "\n## Seeds\n"
    seeds = [seed for file in sorted(DBT_PROJECT.glob("seeds/**/*.yml")) for seed in _load(file).get("seeds", [])]
    for seed in sorted(seeds, key=lambda seed: str(seed["name"])):
        file = next(DBT_PROJECT.glob(f"seeds/**/{seed['name']}.csv"))
        with file.open(encoding="utf-8", newline="") as stream:
            head, *rows = csv.reader(stream)
        yield f"\n### {seed['name']}\n\n{_line(seed['description'])}\n"
        yield _table(head, rows)


def _exports() -> Iterable[str]:
    yield "\n## Exports\n"
    yield "What a shop delivers; `*` = required. `renqun sources check FILE` says what a file is.\n"
    for source in list_sources():
        yield f"\n### {source.source}\n\nGroup `{source.group}`: {source.title}, as {' or '.join(source.formats)}.\n"
        rows = [(f"`{c.name}`{'*' if c.required else ''}", c.kind, c.meaning) for c in source.columns]
        yield _table(("column", "kind", "meaning"), rows)


def _audiences() -> Iterable[str]:
    yield "\n## Audiences\n"
    rows = [(f"`{a.id}`", f"{a.name.en} · {a.name.zh}", _rules(a), a.owner, a.purpose.text) for a in load_audiences()]
    yield _table(("audience", "name", "who is in it", "owner", "purpose"), rows)


def _rules(audience: Audience) -> str:
    excluded = "".join(f"; not {rule.words}" for rule in audience.exclude)
    return f"{audience.include.words}{excluded}".replace("|", "\\|")


def _gates() -> Iterable[str]:
    yield "\n## Gates\n"
    yield "A critical check that fails stops what is behind it; a warning reports.\n"
    for stage in STAGES:
        yield f"\n### Gate: {stage}\n"
        for suite in load_stage(stage):
            yield f"\n**{suite.object}** ({suite.owner}): {_line(suite.batch)}.\n"
            yield _table(("check", "severity", "why"), [(f"`{e.id}`", e.severity, e.why) for e in suite.expectations])


def _grain(model: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in model["meta"].get("grain", []))


def _sentence(model: dict[str, Any]) -> str:
    """The first sentence of a description, without the words that the table's head says already."""
    return re.split(r"(?<=[^.]\.) (?=[A-Z])", _line(model["description"]))[0].removeprefix("One row is ")


def _line(text: str) -> str:
    return " ".join(text.split())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(_line(cell).replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows)])


def _load(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = parse(file.read_text(encoding="utf-8")) or {}
    return content


if __name__ == "__main__":
    main()
