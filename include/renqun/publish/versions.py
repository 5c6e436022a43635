"""The versions of the marts that stand in the published folder, and which of them is the latest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from renqun.errors import RequestError, TechnicalError
from renqun.publish.manifest import MANIFEST_NAME, VERSION_PATTERN, MartsManifest, read_marts_manifest
from renqun.settings import ShopPaths

LATEST_LINK = "latest"


@dataclass(frozen=True)
class MartsVersion:
    """One immutable version of the marts."""

    as_of: date
    version: str
    folder: Path
    manifest: MartsManifest
    is_new: bool = False
    """Whether this call wrote it; False where the same content was published before."""
    is_latest: bool = False
    """Whether `latest` names it."""

    @property
    def sequence(self) -> int:
        """Its place in the order of publishing."""
        return sequence_of(self.manifest.provenance)


def sequence_of(provenance: Mapping[str, Any]) -> int:
    """The place of a version in the order of publishing; 0 where it is not recorded."""
    value = provenance.get("sequence", 0)
    return value if isinstance(value, int) else 0


def version_folders(root: Path) -> list[Path]:
    """All folders `as_of=<ds>/<version>` below a folder, oldest business date first."""
    return sorted(
        folder
        for folder in root.glob("as_of=*/*")
        if VERSION_PATTERN.fullmatch(folder.name) and (folder / MANIFEST_NAME).is_file()
    )


def published_marts(paths: ShopPaths) -> list[MartsVersion]:
    """All versions of the marts, in the order of business date, then of publishing."""
    latest = _latest_folder(paths)
    found = [_load(folder, latest) for folder in version_folders(paths.published_marts)]
    return sorted(found, key=lambda marts: (marts.as_of, marts.sequence))


def latest_marts(paths: ShopPaths) -> MartsVersion | None:
    """The version that `latest` names; None before the first."""
    latest = _latest_folder(paths)
    return _load(latest, latest) if latest else None


def find_marts(paths: ShopPaths, *, as_of: date | None = None, version: str | None = None) -> MartsVersion:
    """The version of the marts to work on: by name, else the newest of a date, else `latest`.

    Raises:
        RequestError: there is none.
    """
    latest = latest_marts(paths)
    if as_of is None and version is None:
        if latest:
            return latest
        wanted = "any version of the marts"
    else:
        wanted = " ".join(["marts", *([f"as of {as_of}"] if as_of else []), *([version] if version else [])])
        if latest and as_of in (None, latest.as_of) and version in (None, latest.version):
            return latest
        fitting = [
            marts
            for marts in published_marts(paths)
            if as_of in (None, marts.as_of) and version in (None, marts.version)
        ]
        if fitting:
            return fitting[-1]
    raise RequestError(
        f"{wanted} were not published" if as_of or version else "no version of the marts was published yet",
        where=str(paths.published_marts),
        remedy="'renqun run --date D' builds and publishes them; 'renqun status' lists what there is",
    )


def _latest_folder(paths: ShopPaths) -> Path | None:
    link = paths.published_marts / LATEST_LINK
    return link.resolve() if link.is_symlink() and link.exists() else None


def _load(folder: Path, latest: Path | None) -> MartsVersion:
    try:
        manifest = read_marts_manifest(folder)
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise TechnicalError(
            f"the manifest of a published version cannot be read: {error}",
            where=str(folder / MANIFEST_NAME),
            remedy="'renqun verify' on that folder says what is wrong; move the folder away and run again",
        ) from error
    return MartsVersion(
        as_of=manifest.as_of,
        version=manifest.version,
        folder=folder,
        manifest=manifest,
        is_latest=latest is not None and folder.resolve() == latest,
    )
