"""Backup and restore: every file of a home with its digest, taken while nobody works on any shop."""

from __future__ import annotations

import json
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from renqun.errors import RequestError, TechnicalError
from renqun.ingest import places
from renqun.lock import exclusive
from renqun.settings import Home, Settings
from renqun.storage import canonical_json, sha256_of
from renqun.warehouse.connection import connect

MANIFEST_NAME = "backup.json"
SEAL_NAME = "backup.sha256"
_FILES = "files"
_LEFT_OUT = ("writer.lock", "run.lock", "ingest.lock", "docs.lock")
_RESTORING = ".restoring"


class BackedUp(BaseModel):
    """One file or link of the home."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["file", "link"]
    mode: int
    size: int = 0
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    target: str | None = None
    """Of a link: what it names, relative to its folder."""


class BackupManifest(BaseModel):
    """`backup.json`: everything that the backup holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["backup"] = "backup"
    schema_version: Literal[1] = 1
    taken_at: datetime
    shops: tuple[str, ...]
    folders: dict[str, int]
    """Every folder and its mode: an empty one is kept as well."""
    entries: dict[str, BackedUp]
    """By path relative to the home."""


@dataclass(frozen=True)
class BackupReport:
    """What was copied."""

    place: Path
    shops: tuple[str, ...]
    files: int
    bytes: int


def backup(home: Home, to: Path, *, now: datetime) -> BackupReport:
    """Copy a home: `shops.yml` and every shop, without Airflow's own folder.

    Runs, writers and ingest of all shops wait until it has ended. The backup appears at once and whole.

    Args:
        home: the home.
        to: a folder that is not there yet, outside the home.
        now: the moment, for the record.

    Raises:
        RequestError: the folder is there already or lies in the home, or the home has no shop.
        TechnicalError: a file could not be copied as it is.
        ShopBusy: somebody is at work on a shop for too long.
    """
    place = to.expanduser().resolve()
    if place.exists() or place.is_relative_to(home.root):
        raise RequestError(
            "a backup goes into a new folder outside the home", where=str(place), remedy="name one that is not there"
        )
    shops = [shop.id for shop in home.shops() if home.paths(shop.id).root.is_dir()]
    if not shops:
        raise RequestError("there is nothing to back up", where=str(home.root), remedy="is RENQUN_HOME right?")
    place.parent.mkdir(parents=True, exist_ok=True)
    staging = place.with_name(f".staging-{place.name}-{uuid.uuid4().hex[:8]}")
    try:
        with _still(home, shops):
            manifest = _copy_home(home, shops, staging, now)
        text = canonical_json(manifest.model_dump(mode="json"))
        (staging / MANIFEST_NAME).write_text(text, encoding="utf-8")
        (staging / SEAL_NAME).write_text(sha256_of(staging / MANIFEST_NAME) + "\n", encoding="ascii")
        os.sync()
        staging.rename(place)
    except OSError as error:
        raise TechnicalError(
            f"the backup was not taken: {error}", where=str(place), remedy="mend what is named above, then try again"
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return _report(place, manifest)


def restore(home: Home, origin: Path) -> BackupReport:
    """Put a backup into a home that has none of its shops.

    Everything is looked at before anything is written. Killed in the middle, the same call goes on.

    Raises:
        RequestError: this is no backup, or a shop of it is there already.
        TechnicalError: the backup is damaged, or the disk is full.
    """
    place = origin.expanduser().resolve()
    manifest = check(place)
    seal = (place / SEAL_NAME).read_text(encoding="ascii")
    names = sorted({PurePosixPath(path).parts[0] for path in (*manifest.entries, *manifest.folders)})
    staging = home.root / _RESTORING
    mark = staging / SEAL_NAME
    is_begun = mark.is_file() and mark.read_text(encoding="ascii") == seal
    there = [name for name in names if (home.root / name).exists()]
    if there and not is_begun:
        raise RequestError(
            f"the home has {', '.join(there)} already: nothing is overwritten",
            where=str(home.root),
            remedy="restore into another home (RENQUN_HOME), or move these away",
        )
    try:
        if not is_begun:
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(parents=True)
            mark.write_text(seal, encoding="ascii")
        # `shops.yml` comes last: no scheduler sees a shop whose folder is not whole.
        for name in sorted(set(names) - set(there), key=lambda name: (name.endswith(".yml"), name)):
            shutil.rmtree(staging / name, ignore_errors=True)
            _copy_back(place, staging, manifest, name)
            (staging / name).rename(home.root / name)
        shutil.rmtree(staging)
    except OSError as error:
        raise TechnicalError(
            f"the backup was not restored: {error}", where=str(home.root), remedy="make room, then restore again"
        ) from error
    return _report(place, manifest)


def check(place: Path) -> BackupManifest:
    """The manifest of a sound backup: every file is there, nothing else, each with its digest.

    Raises:
        RequestError: this is no backup.
        TechnicalError: it is damaged.
    """
    if not (place / MANIFEST_NAME).is_file() or not (place / SEAL_NAME).is_file():
        raise RequestError("this is no backup", where=str(place), remedy=f"name the folder that holds {MANIFEST_NAME}")
    if sha256_of(place / MANIFEST_NAME) != (place / SEAL_NAME).read_text(encoding="ascii", errors="replace").strip():
        raise _damaged(place / MANIFEST_NAME, "it is not what was written")
    try:
        manifest = BackupManifest.model_validate(json.loads((place / MANIFEST_NAME).read_text(encoding="utf-8")))
    except (ValueError, ValidationError) as error:
        raise _damaged(place / MANIFEST_NAME, "it cannot be read") from error
    for path, entry in manifest.entries.items():
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise _damaged(place / MANIFEST_NAME, "it names a place outside the home")
        if entry.kind == "link":
            continue
        file = place / _FILES / path
        if file.is_symlink() or not file.is_file():
            raise _damaged(file, "it is not there")
        if file.stat().st_size != entry.size or sha256_of(file) != entry.sha256:
            raise _damaged(file, "it is not what was written")
    stored = {path for path, entry in manifest.entries.items() if entry.kind == "file"}
    for file in sorted(path for path in (place / _FILES).rglob("*") if path.is_symlink() or not path.is_dir()):
        if file.relative_to(place / _FILES).as_posix() not in stored:
            raise _damaged(file, "the backup did not hold it")
    return manifest


def _damaged(file: Path, what: str) -> TechnicalError:
    return TechnicalError(
        f"the backup is damaged: {what}", where=str(file), remedy="restore another one; nothing was written"
    )


@contextmanager
def _still(home: Home, shops: list[str]) -> Iterator[None]:
    """Hold every lock of every shop, and let each warehouse be one file."""
    timeout = Settings().lock_timeout_seconds
    with ExitStack() as locks:
        for shop_id in shops:
            paths = home.paths(shop_id)
            for lock in (paths.run_lock, paths.writer_lock, places.ingest_lock(paths)):
                locks.enter_context(exclusive(lock, "renqun backup", timeout_seconds=timeout))
            if paths.warehouse.exists():
                with connect(paths.warehouse) as connection:
                    connection.execute("checkpoint")
        yield


def _copy_home(home: Home, shops: list[str], staging: Path, now: datetime) -> BackupManifest:
    entries: dict[str, BackedUp] = {}
    folders: dict[str, int] = {}
    (staging / _FILES).mkdir(parents=True, mode=0o700)
    roots = [home.root / shop_id for shop_id in shops]
    found = [home.shops_file] if home.shops_file.exists() else []
    for root in roots:
        found += [root, *sorted(root.rglob("*"))]
    for path in found:
        name = path.relative_to(home.root)
        if path.name in _LEFT_OUT or any(part.startswith(".staging-") for part in name.parts):
            continue
        if path.is_symlink():
            entries[name.as_posix()] = BackedUp(kind="link", mode=0o777, target=os.readlink(path))
        elif path.is_dir():
            folders[name.as_posix()] = stat.S_IMODE(path.stat().st_mode)
            (staging / _FILES / name).mkdir(parents=True, exist_ok=True)
        elif path.is_file():
            copied = staging / _FILES / name
            copied.parent.mkdir(parents=True, exist_ok=True)
            mode = stat.S_IMODE(path.stat().st_mode)
            shutil.copyfile(path, copied)
            copied.chmod(mode & 0o700 | stat.S_IRUSR)
            entries[name.as_posix()] = BackedUp(
                kind="file", mode=mode, size=copied.stat().st_size, sha256=sha256_of(copied)
            )
    return BackupManifest(taken_at=now, shops=tuple(shops), folders=folders, entries=entries)


def _copy_back(place: Path, staging: Path, manifest: BackupManifest, top: str) -> None:
    folders = {path: mode for path, mode in manifest.folders.items() if PurePosixPath(path).parts[0] == top}
    for path in sorted(folders):
        (staging / path).mkdir(parents=True, exist_ok=True)
    for path, entry in manifest.entries.items():
        if PurePosixPath(path).parts[0] != top:
            continue
        target = staging / path
        if entry.kind == "link":
            target.symlink_to(str(entry.target))
            continue
        shutil.copyfile(place / _FILES / path, target)
        target.chmod(entry.mode)
        if sha256_of(target) != entry.sha256:
            raise OSError(f"{path} did not arrive as it was")
    for path in sorted(folders, reverse=True):
        (staging / path).chmod(folders[path])


def _report(place: Path, manifest: BackupManifest) -> BackupReport:
    stored = [entry for entry in manifest.entries.values() if entry.kind == "file"]
    return BackupReport(place, manifest.shops, len(stored), sum(entry.size for entry in stored))
