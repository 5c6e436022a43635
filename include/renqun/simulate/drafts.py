"""The files of a simulation: drafted in memory, written at the end."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from renqun.errors import RequestError
from renqun.simulate.wall import day_text

Progress = Callable[[str, float], None]
"""Told what is being done, and which part of the whole (0 to 1) is done."""


@dataclass
class FileDraft:
    """One export file. `raw_lines` are written as they are, after the rows."""

    group: str
    source: str
    day: int
    name: str
    header: tuple[str, ...]
    is_late: bool = False
    rows: list[Sequence[str]] = field(default_factory=list)
    raw_lines: list[bytes] = field(default_factory=list)
    quarantined: Counter[str] = field(default_factory=Counter)
    """Reason → rows that the pipeline must quarantine for it."""
    same_bytes_as: str | None = None

    @property
    def path(self) -> str:
        """`<group>/<date>/<name>`, below the landing or the late tree."""
        return f"{self.group}/{day_text(self.day)}/{self.name}"

    def content(self) -> bytes:
        """The bytes of the file: UTF-8, one header, lines ended by a line feed."""
        return self._text().encode() + b"".join(line + b"\n" for line in self.raw_lines)

    def _text(self) -> str:
        """Header and rows; joined plainly, which is faster, where the separators tell that no cell needs quotes."""
        rows = [self.header, *self.rows]
        plain = "\n".join(map(",".join, rows)) + "\n"
        separators = len(rows) * (len(self.header) - 1)
        if plain.count(",") == separators and plain.count("\n") == len(rows) and '"' not in plain:
            return plain
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue()

    def describe(self) -> dict[str, object]:
        """The file as the truth file writes it."""
        return {
            "source": self.source,
            "date": day_text(self.day),
            "rows": len(self.rows) + len(self.raw_lines),
            "quarantined": dict(sorted(self.quarantined.items())),
            "same_bytes_as": self.same_bytes_as,
            "is_late": self.is_late,
        }


class Drafts:
    """All files, found by where they go."""

    def __init__(self) -> None:
        self.files: dict[tuple[bool, str], FileDraft] = {}

    def file(
        self, group: str, source: str, day: int, name: str, header: tuple[str, ...], *, is_late: bool = False
    ) -> FileDraft:
        """The file of that name, drafted at the first call."""
        key = (is_late, f"{group}/{day_text(day)}/{name}")
        draft = self.files.get(key)
        if draft is None:
            draft = self.files[key] = FileDraft(group, source, day, name, header, is_late)
        return draft

    def copy(self, draft: FileDraft, name: str) -> None:
        """The same bytes under another name."""
        twin = FileDraft(draft.group, draft.source, draft.day, name, draft.header, draft.is_late)
        twin.rows, twin.raw_lines, twin.quarantined = draft.rows, draft.raw_lines, draft.quarantined
        twin.same_bytes_as = draft.path
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
