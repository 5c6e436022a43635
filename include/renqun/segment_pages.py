"""`make docs`: the catalogue of segments in English and in Chinese, from the seeds and vars that the SQL uses."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renqun.settings import PROJECT_ROOT
from renqun.thresholds import DBT_PROJECT, project_vars

FOLDER = PROJECT_ROOT / "docs" / "definitions"


@dataclass(frozen=True)
class Language:
    """The words of a page."""

    file: str
    suffix: str
    """Ending of the seeds' columns in this language; the definition has none in English."""
    title: str
    lead: str
    families: Mapping[str, str]
    heads: Sequence[str]
    members_by_model: str
    facts_title: str
    facts_lead: str
    fact_heads: Sequence[str]
    tables: Sequence[tuple[str, str]]


_NOTE = "<!-- Made by `make docs` from the seeds and vars that the models read; a test compares. -->"
ENGLISH = Language(
    file="segments-catalogue.md",
    suffix="",
    title="Catalogue of segments",
    lead="Every segment, with the default thresholds; a shop may override them, and its `dim_segments` then says so."
    " How segments work: [Segments](segments.md). In Chinese: [人群目录](segments-catalogue.zh-CN.md).",
    families={
        "operating": "Key operating groups", "rfm": "RFM", "aipl": "AIPL", "lifecycle": "Lifecycle", "tag": "Tags",
        "crowd": "Crowds", "relationship": "Relationship", "tier": "Member tiers", "behaviour": "Behaviour",
        "affinity": "Affinity",
    },
    heads=("segment", "name", "who is inside", "rule", "reason tells", "needs", "owner"),
    members_by_model="model `{}`",
    facts_title="Facts",
    facts_lead="What reasons tell. Measures may stand in rules; their kind says which conditions fit.",
    fact_heads=("fact", "kind", "measure", "in words"),
    tables=(
        ("rfm_classes", "RFM classes"), ("member_tiers", "Member tiers by rule"),
        ("category_crowds", "Crowds by category"),
    ),
)  # fmt: skip
CHINESE = Language(
    file="segments-catalogue.zh-CN.md",
    suffix="_zh",
    title="人群目录",
    lead="全部人群及默认阈值；店铺可覆盖阈值，以该店的 `dim_segments` 为准。"
    " 机制说明（英文）：[Segments](segments.md)。英文版：[Catalogue of segments](segments-catalogue.md)。",
    families={
        "operating": "重点运营人群", "rfm": "RFM", "aipl": "AIPL", "lifecycle": "生命周期", "tag": "标签",
        "crowd": "类目人群", "relationship": "私域关系", "tier": "会员等级", "behaviour": "行为", "affinity": "偏好",
    },
    heads=("人群", "名称", "定义", "规则", "入选理由", "所需数据", "负责人"),
    members_by_model="模型 `{}`",
    facts_title="事实",
    facts_lead="理由中出现的事实；其中的指标可用于规则，类型决定可用的条件。",
    fact_heads=("事实", "类型", "指标", "说明"),
    tables=(("rfm_classes", "RFM 八类"), ("member_tiers", "会员等级规则"), ("category_crowds", "类目与人群")),
)  # fmt: skip
LANGUAGES = (ENGLISH, CHINESE)


def pages(project: Path = DBT_PROJECT) -> dict[Path, str]:
    """The text of every page by its file.

    Raises:
        KeyError: the catalogue names a var, a fact or a family that does not exist.
    """
    return {FOLDER / language.file: page(language, project) for language in LANGUAGES}


def page(language: Language, project: Path = DBT_PROJECT) -> str:
    """The text of one page."""
    values = project_vars(project)
    segments = _seed(project, "segments")
    facts = _seed(project, "segment_facts")
    name = "name_zh" if language.suffix else "name_en"
    words = {fact["fact"]: fact[name] for fact in facts}
    parts = [f"# {language.title}\n", _NOTE, f"\n{language.lead}"]
    unknown = sorted({segment["family"] for segment in segments} - set(language.families))
    if unknown:
        raise KeyError(f"families of segments without a heading: {', '.join(unknown)}")
    for family, heading in language.families.items():
        rows = [_segment(segment, language, values, words) for segment in segments if segment["family"] == family]
        parts.append(f"\n## {heading}\n\n{_table(language.heads, rows)}")
    for seed, title in language.tables:
        rows = [list(row.values()) for row in _seed(project, seed)]
        parts.append(f"\n## {title}\n\n{_table(list(_seed(project, seed)[0]), rows)}")
    measures = [(f"`{f['fact']}`", f["kind"], "✓" if f["is_measure"] == "true" else "", f[name]) for f in facts]
    parts.append(f"\n## {language.facts_title}\n\n{language.facts_lead}\n\n{_table(language.fact_heads, measures)}")
    return "\n".join(parts) + "\n"


def _segment(
    segment: Mapping[str, str], language: Language, values: Mapping[str, Any], words: Mapping[str, str]
) -> list[str]:
    names = (segment["name_zh"], segment["name_en"]) if language.suffix else (segment["name_en"], segment["name_zh"])
    definition = re.sub(r"{(\w+)}", lambda found: str(values[found[1]]), segment[f"definition{language.suffix}"])
    rule = re.sub(r"var:(\w+)", lambda found: str(values[found[1]]), segment["rule"])
    return [
        f"`{segment['segment_id']}`",
        " · ".join(names),
        definition,
        f"`{rule}`" if rule else language.members_by_model.format(segment["model"]),
        ", ".join(words[fact] for fact in segment["facts"].split("|")),
        f"`{segment['needs_source']}`",
        segment["owner"],
    ]


def _seed(project: Path, name: str) -> list[dict[str, str]]:
    with (project / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows)])
