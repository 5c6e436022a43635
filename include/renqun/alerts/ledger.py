"""What was told: `<shop>/quality/alerts.json`, so that a cause is told once a day and its mending once."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from renqun.settings import ShopPaths
from renqun.storage import write_json_atomically

_KEPT = 500

logger = logging.getLogger(__name__)


class Told(BaseModel):
    """One cause of one business date."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ds: date | None
    cause: str
    kind: str
    headline: str
    dag: str
    task: str
    runbook: str
    first_at: str
    times: int = 1
    channels: tuple[str, ...] = ()
    """The channels that took the message."""
    mended_at: str | None = None


def ledger_file(paths: ShopPaths) -> Path:
    """Where a shop's ledger of alerts is."""
    return paths.quality / "alerts.json"


def read(paths: ShopPaths) -> list[Told]:
    """Everything that was told, oldest first; a ledger that cannot be read counts as empty: better told twice."""
    import json

    file = ledger_file(paths)
    if not file.exists():
        return []
    try:
        return [Told.model_validate(one) for one in json.loads(file.read_text(encoding="utf-8"))["told"]]
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        logger.warning("the ledger of alerts cannot be read and begins anew: %s", file)
        return []


def write(paths: ShopPaths, told: list[Told]) -> None:
    """Keep the newest entries.

    Raises:
        OSError: the disk is full or read-only.
    """
    write_json_atomically(ledger_file(paths), {"told": [one.model_dump(mode="json") for one in told[-_KEPT:]]})


def open_alerts(paths: ShopPaths) -> list[Told]:
    """What was told and has not been mended."""
    return [one for one in read(paths) if one.mended_at is None]
