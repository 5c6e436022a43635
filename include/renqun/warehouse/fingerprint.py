"""What the warehouse's tables were defined by: models, macros, seeds, vars, zone and currency."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from renqun.errors import RequestError
from renqun.quality.suite import gate_vars
from renqun.settings import PROJECT_ROOT, Shop
from renqun.storage import canonical_json

DBT_PROJECT = PROJECT_ROOT / "dbt_project"
_DEFINING_FOLDERS = ("models", "macros", "seeds")
_DEFINING_SUFFIXES = (".sql", ".csv")


def of_project(shop: Shop, project: Path = DBT_PROJECT) -> str:
    """A digest that changes when a number could come out differently for the same exports.

    Tables that are built day by day hold what earlier days computed; when this digest differs from that of the
    last build, they have to be built anew. Descriptions and tests (`.yml`) define no number and do not count.
    """
    digest = hashlib.sha256()
    for folder in _DEFINING_FOLDERS:
        for file in sorted((project / folder).rglob("*")):
            if file.suffix in _DEFINING_SUFFIXES:
                digest.update(file.relative_to(project).as_posix().encode() + b"\0")
                digest.update(file.read_bytes() + b"\0")
    known = project_vars(project)
    overrides = {name: value for name, value in shop.vars.items() if name in known}  # gates' thresholds define no mart
    digest.update(canonical_json(known | overrides).encode())
    digest.update(f"{shop.id}\0{shop.time_zone}\0{shop.currency}".encode())
    return digest.hexdigest()[:16]


def project_vars(project: Path = DBT_PROJECT) -> dict[str, Any]:
    """The vars of the dbt project with their defaults."""
    content = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))
    return dict(content.get("vars") or {})


def check_overrides(shop: Shop, project: Path = DBT_PROJECT) -> None:
    """A shop may override only vars that a model or a gate reads.

    Raises:
        RequestError: `shops.yml` overrides a var that nothing reads.
    """
    known = {*project_vars(project), *gate_vars()}
    unknown = sorted(set(shop.vars) - known)
    if unknown:
        raise RequestError(
            f"shop {shop.id} overrides unknown vars: {', '.join(unknown)}",
            where="shops.yml",
            remedy=f"known vars: {', '.join(sorted(known))}",
        )
