"""Documents that are not executed rot: links, anchors, names and the dictionary are checked against the project."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from renqun.settings import PROJECT_ROOT, Shop

MARKDOWN = sorted([*PROJECT_ROOT.glob("*.md"), *(PROJECT_ROOT / "docs").rglob("*.md")])
READMES = ("README.md", "README.zh-CN.md")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SOURCES = ("include", "dags", "dbt_project", "expectations", "tests")


def text_of(name: str) -> str:
    return (PROJECT_ROOT / name).read_text(encoding="utf-8")


def anchors(file: Path) -> set[str]:
    """The anchors that a Markdown viewer makes of headings."""
    heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def code_in_first_column(text: str, head: str) -> set[str]:
    """The names in `backticks` of a table's first column; `head` begins the table."""
    _, _, rest = text.partition(f"\n| {head} |")
    assert rest, f"no table begins with {head!r}"
    rows = rest.split("\n\n")[0].splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


@pytest.mark.parametrize("file", MARKDOWN, ids=lambda file: str(file.relative_to(PROJECT_ROOT)))
def test_every_link_leads_somewhere(file: Path) -> None:
    for link in LINK.findall(file.read_text(encoding="utf-8")):
        assert "://" not in link, f"{link} leaves the project"
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("file", MARKDOWN, ids=lambda file: str(file.relative_to(PROJECT_ROOT)))
def test_every_table_is_whole(file: Path) -> None:
    """An empty line ends a table: rows behind it are shown as text with bars."""
    lines = ["", *file.read_text(encoding="utf-8").splitlines(), ""]
    begins = [n for n, line in enumerate(lines) if line.startswith("|") and not lines[n - 1].startswith("|")]
    assert [lines[n] for n in begins if not re.fullmatch(r"\|[\s:|-]+\|", lines[n + 1])] == []


def test_every_document_that_the_code_names_exists() -> None:
    named: set[str] = set()
    for folder in SOURCES:
        for file in (PROJECT_ROOT / folder).rglob("*"):
            if file.suffix in {".py", ".sql", ".yml", ".sh"} and "target" not in file.parts:
                named |= set(re.findall(r"\bdocs/[\w./-]+\.md\b", file.read_text(encoding="utf-8")))
    assert named
    assert [name for name in sorted(named) if not (PROJECT_ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", ["docs/scheduling.md", "docs/threat-model.md"])
def test_what_a_page_says_is_proved_is_proved(page: str) -> None:
    """A file of tests, and in brackets words of the names of its tests that are meant."""
    proofs = re.findall(r"`(tests/[\w/]+\.py)`(?: \(([^)]*)\))?", text_of(page))
    assert proofs
    for file, words in proofs:
        tests = re.findall(r"def (test_\w+)", text_of(file))
        assert tests, file
        for word in re.findall(r"`(\w+)`", words):
            assert any(word in test for test in tests), f"{file} has no test about {word}"


def test_the_dictionary_is_what_the_files_say() -> None:
    from renqun.dictionary import DICTIONARY, dictionary

    assert DICTIONARY.read_text(encoding="utf-8") == dictionary(), "run 'make docs'"


def test_the_pages_of_segments_are_what_the_catalogue_says() -> None:
    from renqun.segment_pages import pages

    for file, text in pages().items():
        assert file.read_text(encoding="utf-8") == text, "run 'make docs'"


@pytest.mark.parametrize("readme", READMES)
def test_readme_lists_exactly_the_marts(readme: str) -> None:
    models = {file.stem for file in (PROJECT_ROOT / "dbt_project" / "models" / "marts").rglob("*.sql")}
    marts = {name for name in models if not name.startswith("int_")}
    head = "mart" if readme == "README.md" else "表"
    assert code_in_first_column(text_of(readme), head) == marts


@pytest.mark.parametrize("readme", READMES)
def test_readme_gives_every_mart_its_owner(readme: str) -> None:
    rows = dict(re.findall(r"^\| `((?:dim|fct|agg)_\w+)` \|.*\| ([\w-]+) \|$", text_of(readme), re.MULTILINE))
    assert rows
    for name, owner in rows.items():
        file = next((PROJECT_ROOT / "dbt_project" / "models" / "marts").rglob(f"{name}.yml"))
        model = next(m for m in yaml.safe_load(file.read_text(encoding="utf-8"))["models"] if m["name"] == name)
        meta = {**model.get("meta", {}), **model.get("config", {}).get("meta", {})}
        assert meta["owner"] == owner, name


@pytest.mark.parametrize("readme", READMES)
def test_readme_lists_exactly_the_audiences(readme: str) -> None:
    from renqun.publish.definitions import load_audiences

    audiences = load_audiences()
    head = "audience" if readme == "README.md" else "人群包"
    text = text_of(readme)
    assert code_in_first_column(text, head) == {audience.id for audience in audiences}
    for audience in audiences:
        assert re.search(rf"^\| `{audience.id}`.*\| {audience.owner} \|$", text, re.MULTILINE), audience.id


@pytest.mark.parametrize("readme", READMES)
def test_readme_lists_exactly_the_keys_of_a_shop(readme: str) -> None:
    head = "key" if readme == "README.md" else "键"
    assert code_in_first_column(text_of(readme), head) == set(Shop.model_fields)


@pytest.mark.parametrize("readme", READMES)
def test_readme_names_the_commands_that_there_are(readme: str) -> None:
    from renqun.cli.app import app

    root = typer.main.get_command(app)
    commands = dict(root.commands)  # type: ignore[attr-defined]
    head = "command" if readme == "README.md" else "命令"
    said = code_in_first_column(text_of(readme), head)
    first_words = {name.split()[0] for name in said}
    audience = set(commands["audience"].commands)
    assert first_words - audience | {"audience"} == set(commands)
    for name in said:
        words = name.split()
        if hasattr(commands.get(words[0]), "commands"):
            assert words[1] in commands[words[0]].commands, name
    assert audience <= {word for name in said for word in name.split()}


def test_readme_names_make_targets_that_there_are() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    for file in MARKDOWN:
        for name in re.findall(r"\bmake ([a-z]+)\b(?= |`|$|\n)", "\n".join(_code_of(file))):
            assert name in targets, f"{file.name}: make {name}"


def _code_of(file: Path) -> list[str]:
    """Commands in `backticks`, indented, and in fences."""
    text = file.read_text(encoding="utf-8")
    fenced = "\n".join(text.split("```")[1::2])
    indented = re.findall(r"^ {4}(make .+)$", text, re.MULTILINE)
    return [*re.findall(r"`(make [^`\n]+)`", text), *indented, *re.findall(r"^(make .+)$", fenced, re.MULTILINE)]


@pytest.mark.parametrize("readme", READMES)
def test_secrets_that_the_readme_makes_are_those_that_compose_asks_for(readme: str) -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", text_of("docker-compose.yml")))
    block = next(part for part in text_of(readme).split("```") if "openssl" in part)
    made = set(re.findall(r"RENQUN_\w+", block))
    assert made == asked


def test_environment_variables_that_are_named_are_read_somewhere() -> None:
    from renqun.alerts.message import AlertSettings
    from renqun.observe.metrics import MetricsSettings
    from renqun.publish.retention import RetentionSettings
    from renqun.settings import Settings
    from renqun.upkeep.roles import RoleSettings

    read = (Settings, RetentionSettings, AlertSettings, MetricsSettings, RoleSettings)
    known = {f"RENQUN_{name.upper()}" for settings in read for name in settings.model_fields}
    known |= set(re.findall(r"RENQUN_\w+", text_of("docker-compose.yml")))
    for page in (*READMES, "docs/operations.md"):
        assert set(re.findall(r"RENQUN_[A-Z_]+", text_of(page))) <= known


def test_no_tracked_file_names_a_machine_or_an_index() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    forbidden = re.compile("|".join(["python" + "hosted", r"/py" + r"pi\b", "/ho" + "me/runner", "/ro" + "ot/"]))
    files = [PROJECT_ROOT / name for name in listed.split("\0") if name]
    assert files
    for file in files:
        if file.is_file() and file.suffix in {".py", ".md", ".yml", ".toml", ".lock", ".sh", ".sql", ""}:
            assert not forbidden.search(file.read_text(encoding="utf-8")), file


def test_nothing_lies_at_the_top_that_has_no_place_there() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT_ROOT, capture_output=True, check=True
    ).stdout.decode()
    tops = {name.split("/")[0] for name in listed.split("\0") if name}
    folders = {"dags", "dbt_project", "docs", "expectations", "include", "tests", ".ci"}
    files = {"docker-compose.yml", "Dockerfile", "Makefile", "pyproject.toml", ".dockerignore", ".gitignore"}
    files |= {"README.md", "README.zh-CN.md", "CHANGELOG.md", "CONTRIBUTING.md"}
    files |= {"requirements.lock", "requirements-bench.lock", "requirements-peers.lock", "requirements-objects.lock"}
    assert folders <= tops <= folders | files
