"""Versions of audiences as publishing leaves them, written by hand: lists of people and a manifest that fits them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from renqun.storage import sha256_of

Lists = Iterable[tuple[str, str]]
"""Customer keys, each with the date since when."""


@dataclass(frozen=True)
class Published:
    """`published/audiences/` of a shop."""

    root: Path

    def version(
        self,
        audience: str,
        as_of: str,
        members: Lists,
        holdout: Lists | None = None,
        *,
        share: str = "0",
        purpose_kind: str = "marketing",
    ) -> Path:
        """Publish a version; the same people again on a date are the same version."""
        lists = {"members.parquet": list(members)} | ({} if holdout is None else {"holdout.parquet": list(holdout)})
        name = hashlib.sha256(repr((audience, as_of, lists, share)).encode()).hexdigest()[:16]
        folder = self.root / audience / f"as_of={as_of}" / name
        folder.mkdir(parents=True, exist_ok=True)
        files = {}
        for file, people in lists.items():
            write_list(folder / file, people)
            files[file] = {
                "sha256": sha256_of(folder / file),
                "bytes": (folder / file).stat().st_size,
                "rows": len(people),
                "columns": [["customer_key", "VARCHAR"], ["entered_on", "DATE"], ["reason", "VARCHAR"]],
            }
        manifest = {
            "audience_id": audience,
            "as_of": as_of,
            "version": name,
            "purpose_kind": purpose_kind,
            "holdout_share": share,
            "files": files,
            "what later manifests add": "is nobody's concern here",
        }
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return folder

    def withdraw(self, folder: Path) -> None:
        """Take a version back, as `renqun audience withdraw` does."""
        (folder.parents[1] / "withdrawn" / folder.name).mkdir(parents=True)


def write_list(file: Path, people: Iterable[tuple[str, str]]) -> None:
    """A list of people as a Parquet file."""
    with duckdb.connect() as connection:
        connection.execute("create table people (customer_key varchar, entered_on date, reason varchar)")
        for key, entered in people:
            connection.execute("insert into people values (?, ?, '{}')", [key, date.fromisoformat(entered)])
        connection.execute(f"copy (from people order by customer_key) to '{file}' (format parquet)")
