"""Homes to break: a day is published, the next has landed; and what an undisturbed run makes of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

import small_shop
from workbench import Outcome, Workbench, differences

FIRST, SECOND = small_shop.DAYS[:2]
_NOT_CONTENT = ("provenance", "manifest_sha256")
"""Keys of manifests and pointers that tell of the run and not of what was published."""


class Lab:
    """The base home and its undisturbed outcome, made once; every fault gets a copy."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = Workbench(root / "base")
        small_shop.drop_day(self.base, 1)
        self.base.done("run", "--date", FIRST)
        small_shop.drop_day(self.base, 2)
        self.whole = self.copy("whole")
        began = time.monotonic()
        self.whole.done("run", "--date", SECOND)
        self.seconds = time.monotonic() - began
        self.wanted = state_of(self.whole)
        self.before = state_of(self.base)

    def copy(self, name: str, root: Path | None = None) -> Workbench:
        """A home as the base is; its files are its own."""
        home = (root or self.root) / name
        shutil.copytree(self.base.home, home, symlinks=True)
        return Workbench(home)

    def apart(self, bench: Workbench) -> list[str]:
        """What differs from the undisturbed outcome: nothing, where all is well again."""
        found = state_of(bench)
        names = sorted(self.wanted.keys() | found.keys())
        apart = [name for name in names if self.wanted.get(name) != found.get(name)]
        return apart or [f"{table}: {counts}" for table, counts in differences(self.whole, bench).items()]


def state_of(bench: Workbench, shop: str = "default") -> dict[str, str]:
    """Every published file and accepted raw file by digest; of JSON what was published, not when; links by target.

    `marts.duckdb` is compared by content elsewhere: DuckDB's files are not the same bytes twice.
    """
    found: dict[str, str] = {}
    for folder in ("published", "raw"):
        root = bench.shop(shop) / folder
        for path in sorted(root.rglob("*")):
            name = f"{folder}/{path.relative_to(root).as_posix()}"
            if path.is_symlink():
                found[name] = os.readlink(path)
            elif path.is_file() and "/latest/" not in name and not _is_about_the_run(path, name):
                found[name] = hashlib.sha256(_content(path)).hexdigest()
    return found


def _is_about_the_run(path: Path, name: str) -> bool:
    """Ledgers with times of day, locks, and the database that is compared by content."""
    return path.suffix in {".duckdb", ".lock"} or (name.startswith("raw/") and path.suffix == ".json")


def _content(path: Path) -> bytes:
    if path.suffix != ".json":
        return path.read_bytes()
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        content = {key: value for key, value in content.items() if key not in _NOT_CONTENT}
    return json.dumps(content, sort_keys=True).encode()


def standing_is_whole(bench: Workbench) -> bool:
    """Whether what `latest` and every audience's pointer name proves itself offline, as `renqun verify` asks it."""
    from renqun.publish.verify import verify

    latest = bench.latest()
    places = [] if latest is None else [latest]
    for pointer in sorted((bench.shop() / "published" / "audiences").glob("*/latest.json")):
        said = json.loads(pointer.read_text(encoding="utf-8"))
        places.append(pointer.parent / f"as_of={said['as_of']}" / said["version"])
    return bool(places) and all(verify(place).passed for place in places)


def faulty(bench: Workbench, plan: dict[str, Any]) -> Workbench:
    """The same home, its next command with a fault inside."""
    return Workbench(bench.home, {**bench.environment, "CHAOS_FAULT": json.dumps(plan)})


def run(bench: Workbench, **environment: str) -> Outcome:
    """The second day."""
    return bench.renqun("run", "--date", SECOND, **environment)


@contextmanager
def volume(megabytes: int) -> Iterator[Path]:
    """A file system of its own of this size; PermissionError where this process may not mount one."""
    place = Path(tempfile.mkdtemp(prefix="renqun-volume-"))
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    mounted = subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0
    try:
        if not mounted:
            raise PermissionError("no right to mount a file system here")
        yield place
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)
        place.rmdir()
