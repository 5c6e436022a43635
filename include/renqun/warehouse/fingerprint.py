"""What the warehouse's tables were defined by: models, macros, seeds, vars, zone and currency."""

from __future__ import annotations

import hashlib
from pathlib import Path

from renqun.settings import Shop
from renqun.storage import canonical_json
from renqun.thresholds import DBT_PROJECT, project_vars

_DEFINING_FOLDERS = ("models", "macros", "seeds")
_DEFINING_SUFFIXES = (".sql", ".csv", ".py")


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
