"""What an erasure looked at, found and removed, place by place."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts of one place."""

    searched: int = 0
    """Files that were looked into."""
    found: int = 0
    """Rows of tables, and lines or names in other files."""
    removed: int = 0
    files: int = 0
    """Files that were written anew or removed."""


@dataclass
class Tallies:
    """All places of an erasure."""

    of: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))

    def note(
        self, place: str, *, searched: int = 0, found: int = 0, removed: int | None = None, files: int = 0
    ) -> None:
        """Count something that was found, and removed unless said otherwise."""
        tally = self.of[place]
        tally.searched += searched
        tally.found += found
        tally.removed += found if removed is None else removed
        tally.files += files
