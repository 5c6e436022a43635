"""Which versions of the marts are kept: what somebody reads, the newest ones, and the last of each month."""

from __future__ import annotations

import logging
import shutil
import uuid
from datetime import date
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from renqun.errors import RenqunError
from renqun.publish.manifest import VersionReference, read_audience_manifest
from renqun.publish.versions import MartsVersion, published_marts, version_folders
from renqun.settings import ShopPaths

_log = logging.getLogger(__name__)


class RetentionSettings(BaseSettings):
    """The rule, from the environment (`RENQUN_KEEP_MARTS_VERSIONS`)."""

    model_config = SettingsConfigDict(env_prefix="RENQUN_")

    keep_marts_versions: int = Field(default=14, ge=1)
    """How many of the newest versions are kept; two weeks of daily builds, ours."""


def expire(paths: ShopPaths) -> list[Path]:
    """Remove the versions that the rule lets go and the parts that no version names; the caller holds the lock.

    A file that cannot be removed or a manifest that cannot be read stops nothing: the next publication tries
    again, and as long as one manifest is unreadable nothing is removed.

    Returns:
        What was removed.
    """
    try:
        versions = published_marts(paths)
        kept = kept_versions(versions, RetentionSettings().keep_marts_versions, referenced(paths, versions))
        removed = [remove_folder(marts.folder) for marts in versions if marts not in kept]
        return removed + remove_unnamed_parts(paths.published_marts, kept)
    except (OSError, ValueError, RenqunError) as error:
        _log.warning("old versions of the marts were not removed: %s", error)
        return []


def kept_versions(
    versions: list[MartsVersion], keep_newest: int, referenced: set[VersionReference]
) -> list[MartsVersion]:
    """The versions that stay.

    Args:
        versions: all of them, in the order of business date and publishing.
        keep_newest: how many of the newest stay.
        referenced: versions that an audience in use was made from.
    """
    last_of_month = {(marts.as_of.year, marts.as_of.month): marts.folder for marts in versions}
    stays = {marts.folder for marts in versions[-keep_newest:]} | set(last_of_month.values())
    return [
        marts
        for marts in versions
        if marts.folder in stays
        or marts.is_latest
        or VersionReference(as_of=marts.as_of, version=marts.version) in referenced
    ]


def referenced(paths: ShopPaths, versions: list[MartsVersion]) -> set[VersionReference]:
    """The marts of every audience version that may still be used on the newest business date."""
    newest = max((marts.as_of for marts in versions), default=date.min)
    referenced: set[VersionReference] = set()
    for audience in sorted(paths.published_audiences.glob("*")):
        for folder in version_folders(audience):
            manifest = read_audience_manifest(folder)
            if manifest.expires_on >= newest or _is_latest_audience(audience, folder):
                referenced.add(manifest.marts)
    return referenced


def _is_latest_audience(audience: Path, folder: Path) -> bool:
    pointer = audience / "latest.json"
    return pointer.is_file() and folder.name in pointer.read_text(encoding="utf-8")


def remove_folder(folder: Path) -> Path:
    """Let a version vanish in one step, then remove its files; who has them open keeps reading."""
    leaving = folder.with_name(f".staging-expired-{uuid.uuid4().hex[:8]}")
    folder.rename(leaving)
    shutil.rmtree(leaving, ignore_errors=True)
    if not any(folder.parent.iterdir()):
        folder.parent.rmdir()
    return folder


def remove_unnamed_parts(root: Path, kept: list[MartsVersion]) -> list[Path]:
    """Remove the parts that none of these versions names."""
    named = {root / part.path for marts in kept for mart in marts.manifest.partitioned.values() for part in mart.parts}
    unnamed = [part for part in sorted(root.glob("parts/*/*.parquet")) if part not in named]
    for part in unnamed:
        part.unlink(missing_ok=True)
    return unnamed
