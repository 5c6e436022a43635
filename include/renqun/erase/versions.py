"""A published version without somebody: written beside its place, then both change places in one step."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from renqun.publish import files
from renqun.publish.manifest import MANIFEST_NAME, AudienceManifest, MartsManifest, to_text
from renqun.storage import exchange

_PREFIX = ".erased-"


def rewrite(
    folder: Path, changed: Collection[str], write: Callable[[Path], MartsManifest | AudienceManifest]
) -> MartsManifest | AudienceManifest:
    """Replace a version's folder by one in which some files are others.

    Args:
        folder: the version's folder; readers see the whole of the old one or the whole of the new one.
        changed: the files that `write` makes; the manifest is one of them. All others stay the same files.
        write: fills the new folder, and gives its manifest.
    """
    beside = folder.with_name(f"{_PREFIX}{folder.name}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    for file in folder.iterdir():
        if file.name not in changed and file.name != MANIFEST_NAME:
            os.link(file, beside / file.name)
    manifest = write(beside)
    (beside / MANIFEST_NAME).write_text(to_text(manifest), encoding="utf-8", newline="\n")
    for name in (*changed, MANIFEST_NAME):
        if (folder / name).exists() and (beside / name).exists():
            (beside / name).chmod((folder / name).stat().st_mode & 0o777)
    files.seal(beside)
    exchange(beside, folder)
    files.flush_folder(folder.parent)
    shutil.rmtree(beside)
    return manifest


def end_interrupted(root: Path) -> None:
    """End what a killed erasure left: a version that stands beside its empty place goes there, any other is removed."""
    for beside in sorted(root.glob(f"**/{_PREFIX}*")):
        place = beside.with_name(beside.name.removeprefix(_PREFIX))
        if place.exists():
            shutil.rmtree(beside)
        else:
            beside.rename(place)
