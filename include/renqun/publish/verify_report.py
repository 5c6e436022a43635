"""What verifying a version found: every doubt by the name of what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

FailureId = Literal[
    "manifest_missing", "manifest_invalid", "unknown_schema", "wrong_version", "unsafe_path", "symlink",
    "missing_file", "unexpected_file", "wrong_sha256", "wrong_bytes", "unreadable_file", "wrong_rows",
    "wrong_columns", "missing_part", "duplicate_members", "not_sorted", "csv_differs", "added_inconsistent",
    "removed_inconsistent", "delivery_inconsistent", "holdout_addressed", "counts_inconsistent", "gate_missing",
    "gate_failed", "withdrawn", "list_inconsistent", "wrong_pointer",
]  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """One thing that is not as the manifest says."""

    id: FailureId
    subject: str
    """The file, the field or the gate."""
    message: str


@dataclass
class VerifyReport:
    """What `renqun verify` found."""

    path: Path | str
    """The folder, or the URL of the version."""
    kind: str | None = None
    version: str | None = None
    as_of: str | None = None
    files_checked: int = 0
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be looked at, or what a reader should know; no fault."""

    @property
    def passed(self) -> bool:
        """Whether the version is what it says it is."""
        return not self.failures

    def fail(self, failure_id: FailureId, subject: str, message: str) -> None:
        """Add a failure."""
        self.failures.append(Failure(failure_id, subject, message))
