"""The thresholds that a shop may set for itself: vars of the models and of the gates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from renqun.errors import RequestError
from renqun.quality.suite import gate_vars
from renqun.settings import PROJECT_ROOT, Shop
from renqun.yaml_files import read_once

DBT_PROJECT = PROJECT_ROOT / "dbt_project"


def project_vars(project: Path = DBT_PROJECT) -> dict[str, Any]:
    """The vars of the dbt project with their defaults."""
    content = read_once(project / "dbt_project.yml")
    return dict(content.get("vars") or {})


def shop_vars(shop: Shop) -> dict[str, Any]:
    """The vars of models and gates, with the shop's overrides."""
    return project_vars() | gate_vars() | shop.vars


def check_overrides(shop: Shop) -> None:
    """A shop may override only vars that a model or a gate reads.

    Raises:
        RequestError: `shops.yml` overrides a var that nothing reads.
    """
    known = {*project_vars(), *gate_vars()}
    unknown = sorted(set(shop.vars) - known)
    if unknown:
        raise RequestError(
            f"shop {shop.id} overrides unknown vars: {', '.join(unknown)}",
            where="shops.yml",
            remedy=f"known vars: {', '.join(sorted(known))}",
        )
