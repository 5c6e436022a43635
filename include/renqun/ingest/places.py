"""Where raw keeps what: the only module of ingest that knows the layout below `raw/` and `landing/`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from renqun.settings import Group, ShopPaths

SCHEMA_DATE = "1900-01-01"
"""The folder date that sorts before every real one: its empty file gives a source its columns and types."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def day_of(folder_name: str) -> date | None:
    """The day that a date folder is named after, or nothing where it is no calendar day."""
    if not _DAY.fullmatch(folder_name):
        return None
    try:
        return date.fromisoformat(folder_name)
    except ValueError:
        return None


def landing_of(paths: ShopPaths, group: Group) -> Path:
    """The drop folder of a group."""
    return paths.landing / group


def incoming(paths: ShopPaths) -> Path:
    """Batches that no gate has seen yet."""
    return paths.raw / "incoming"


def rejected(paths: ShopPaths) -> Path:
    """Files that were refused, each in a folder of its own with the reason."""
    return paths.raw / "rejected"


def ingest_lock(paths: ShopPaths) -> Path:
    """Held by whoever changes anything below `raw/`. Who needs the writer's lock as well takes that one first."""
    return paths.warehouse_dir / "ingest.lock"


def accepted_folder(paths: ShopPaths, source: str, day: date | str) -> Path:
    """Accepted raw of a source and a day."""
    return paths.raw / source / f"date={day}"


def withdrawn_folder(paths: ShopPaths, source: str, day: date) -> Path:
    """Batches of a source and a day that were accepted once and taken out again."""
    return paths.raw / "withdrawn" / source / f"date={day}"


def closed_file(paths: ShopPaths, group: Group, day: date) -> Path:
    """The note that a day has no file of a group."""
    return paths.raw / "closed" / group / f"{day}.json"


def delivery_file(paths: ShopPaths, group: Group, day: date, batch_id: str) -> Path:
    """The note that a day's folder held a file whose bytes are a batch of another day or name."""
    return paths.raw / "deliveries" / group / str(day) / f"{batch_id}.json"


def batch_files(folder: Path, pattern: str) -> Iterator[Path]:
    """Files below a folder, in a fixed order, without half-written and hidden ones."""
    if folder.is_dir():
        yield from sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def day_folders(folder: Path) -> Iterator[tuple[date, Path]]:
    """The `date=<ds>` folders below a source's folder, the schema's left out, in order."""
    for child in batch_files(folder, "date=*"):
        day = day_of(child.name.removeprefix("date="))
        if day is not None and str(day) != SCHEMA_DATE:
            yield day, child
