"""Faults of a trigger list's files, one for each critical check on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

K1 = "('k1', 'c1', timestamp '2026-03-10 02:00', true)"
K2 = "('k2', 'c2', timestamp '2026-03-11 01:00', false)"
K0 = "('k0', 'c1', timestamp '2026-03-09 02:00', true)"


def copy_list(target: Path, *rows: str) -> None:
    """Write a list's file with these rows."""
    due = "strftime(due_at, '%Y-%m-%dT%H:%M:%SZ') as due_at" if target.suffix == ".csv" else "due_at"
    values = f"(values {', '.join(rows)}) as t (dedupe_key, customer_key, due_at, is_late)"
    duckdb.execute(f"copy (select customer_key, dedupe_key, is_late, {due} from {values}) to '{target}'")


def write_lists(folder: Path) -> None:
    """A sound list in the folder of a version, and the ones beside it: as chosen, and as sent before."""
    for name in ("triggers.parquet", "triggers.csv", "../chosen.parquet"):
        copy_list(folder / name, K1, K2)
    copy_list(folder.parent / "sent.parquet", K0)


def _in(names: tuple[str, ...], *rows: str) -> Callable[[Path], None]:
    def fault(folder: Path) -> None:
        for name in names:
            copy_list(folder / name, *rows)

    return fault


_WRITTEN = ("triggers.parquet", "triggers.csv")
_ALL = (*_WRITTEN, "../chosen.parquet")
_STRANGER = "('k3', 'c9', timestamp '2026-03-10 02:00', true)"
_LATER = "('k1', 'c1', timestamp '2026-03-10 03:00', true)"
_OF_C1 = "('k2', 'c1', timestamp '2026-03-11 01:00', false)"

LIST_FAULTS: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "triggers_file-once_in_both_files": (_in(("triggers.csv",), K1), set()),
    "triggers_file-as_chosen": (_in(("triggers.csv",), _LATER, K2), set()),
    "triggers_file-never_sent_before": (_in(("../sent.parquet",), K1), set()),
    "triggers_file-are_members": (_in(_ALL, K1, K2, _STRANGER), set()),
    "triggers_file-one_a_person": (_in(_ALL, K1, _OF_C1), set()),
}
FURTHER: dict[str, tuple[Callable[[Path], None], str]] = {
    "a message more": (_in(_WRITTEN, K1, K2, _STRANGER), "triggers_file-once_in_both_files"),
    "a message less": (_in(_WRITTEN, K1), "triggers_file-once_in_both_files"),
    "a message twice": (_in(_WRITTEN, K1, K1, K2), "triggers_file-once_in_both_files"),
    "another time in both files": (_in(_WRITTEN, _LATER, K2), "triggers_file-as_chosen"),
    "another person in both files": (
        _in(_WRITTEN, "('k1', 'c2', timestamp '2026-03-10 02:00', true)"), "triggers_file-as_chosen"),
}  # fmt: skip
"""Further ways to fail, and the check that sees each of them at least."""
