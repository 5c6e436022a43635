"""The files of a simulation: drafted in memory, written at the end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from renqun.errors import RequestError
from renqun.simulate.layouts import PLAIN, Layout
from renqun.simulate.wall import day_text
from renqun.simulate.workbooks import Cell

Progress = Callable[[str, float], None]
"""Told what is being done, and which part of the whole (0 to 1) is done."""


@dataclass
class FileDraft:
    """One export file. `faults` are written as they are, after the rows."""

    group: str
    source: str
    day: int
    name: str
    header: tuple[str, ...]
    is_late: bool = False
    layout: Layout = PLAIN
    rows: list[Sequence[str]] = field(default_factory=list)
    faults: list[bytes | Sequence[Cell]] = field(default_factory=list)
    """Lines of a text, rows of a workbook."""
    quarantined: Counter[str] = field(default_factory=Counter)
    """Reason → rows that the pipeline must quarantine for it."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Reason → rows that are none: sums of other rows."""
    same_bytes_as: str | None = None

    @property
    def path(self) -> str:
        """`<group>/<date>/<name>`, below the landing or the late tree."""
        return f"{self.group}/{day_text(self.day)}/{self.name}"

    def content(self) -> bytes:
        """The bytes of the file."""
        return self.layout.content(self.header, self.rows, self.faults)

    def describe(self) -> dict[str, object]:
        """The file as the truth file writes it."""
        return {
            "source": self.source,
            "date": day_text(self.day),
            "rows": len(self.rows) + len(self.faults) - self.left_out.total(),
            "quarantined": dict(sorted(self.quarantined.items())),
            "left_out": dict(sorted(self.left_out.items())),
            "same_bytes_as": self.same_bytes_as,
            "is_late": self.is_late,
        }


class Drafts:
    """All files, found by where they go."""

    def __init__(self) -> None:
        self.files: dict[tuple[bool, str], FileDraft] = {}

    def file(
        self,
        group: str,
        source: str,
        day: int,
        name: str,
        header: tuple[str, ...],
        *,
        is_late: bool = False,
        layout: Layout = PLAIN,
    ) -> FileDraft:
        """The file of that name, drafted at the first call."""
        key = (is_late, f"{group}/{day_text(day)}/{name}")
        draft = self.files.get(key)
        if draft is None:
            draft = self.files[key] = FileDraft(group, source, day, name, header, is_late, layout)
        return draft

    def copy(self, draft: FileDraft, name: str) -> None:
        """The same bytes under another name."""
        twin = replace(draft, name=name, same_bytes_as=draft.path)
        self.files[(draft.is_late, twin.path)] = twin

    def sorted(self) -> list[FileDraft]:
        """The files by place."""
        return [self.files[key] for key in sorted(self.files)]

    def write(self, landing: Path, late: Path, progress: Progress) -> int:
        """Write all files, each in one step; returns how many bytes.

        Raises:
            RequestError: one of them is there already with other bytes.
        """
        written = 0
        files = self.sorted()
        for number, draft in enumerate(files):
            content = draft.content()
            target = (late if draft.is_late else landing) / draft.path
            _write(target, content)
            written += len(content)
            progress("writing files", number / len(files))
        return written


def _write(target: Path, content: bytes) -> None:
    if target.exists():
        if target.read_bytes() == content:
            return
        raise RequestError(
            "the landing tree holds another file where the simulation writes one",
            where=str(target),
            remedy="simulate into an empty landing tree, or remove what an earlier simulation left there",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(target)
