"""Writing so that a reader sees the whole of a file or nothing of it."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and a final newline: equal values give equal bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2, default=str) + "\n"


def write_text_atomically(path: Path, text: str) -> None:
    """Write a file beside its place, flush it to disk, then move it there in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json_atomically(path: Path, value: Any) -> None:
    """`canonical_json` of a value, written atomically."""
    write_text_atomically(path, canonical_json(value))


@contextmanager
def staging_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` that becomes `target` in one rename when the block ends without an error.

    On an error it is removed, and `target` is as it was. Leftovers of killed writers (`.staging-*`) are
    removed by `sweep_staging`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.parent / f".staging-{target.name}-{uuid.uuid4().hex[:8]}"
    staging.mkdir()
    try:
        yield staging
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def sweep_staging(parent: Path) -> list[Path]:
    """Remove what killed writers left below a folder; returns what was removed. Call it under the shop's lock."""
    left = sorted(parent.glob("**/.staging-*")) if parent.exists() else []
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return left


def point_link(link: Path, target: Path) -> None:
    """Let the symbolic link `link` name `target` (relative to the link's folder), in one atomic step."""
    temporary = link.with_name(f".{link.name}.{uuid.uuid4().hex}.tmp")
    temporary.symlink_to(os.path.relpath(target, link.parent))
    temporary.replace(link)


def exchange(one: Path, other: Path) -> None:
    """Let two folders (or files) of one file system change places, in one atomic step.

    Where the file system cannot do that, the place of `other` is empty for a moment: `one` goes there last.
    """
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    at_cwd, exchange_flag = -100, 2
    if rename is not None and rename(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), exchange_flag) == 0:
        return
    aside = other.with_name(f".staging-{uuid.uuid4().hex[:8]}")
    other.rename(aside)
    one.rename(other)
    aside.rename(one)
