"""Prove a published version offline, from nothing but its folder: every doubt is a named failure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from renqun.errors import RequestError
from renqun.publish import files, layout
from renqun.publish.manifest import (
    FILE_NAME_PATTERN,
    MANIFEST_NAME,
    PART_PATH_PATTERN,
    VERSION_PATTERN,
    AudienceManifest,
    MartsManifest,
    expected_version,
)
from renqun.publish.verify_marts import verify_marts
from renqun.publish.verify_people import AUDIENCE_FILES, verify_audience
from renqun.publish.verify_report import VerifyReport
from renqun.storage import sha256_of

_NAME_A_VERSION = "name the folder that holds manifest.json, for example published/marts/latest"
_LARGEST_MANIFEST = 64 * 1024 * 1024


def verify(path: Path) -> VerifyReport:
    """Check a version of an audience or of the marts against its own manifest.

    Needs only the folder, wherever it was copied to. What it proves: the files are those that were written, all of
    them and nothing else, with these rows and columns; added and removed fit the members; every gate passed. It
    opens no connection and trusts no path that a manifest names.

    Args:
        path: the version's folder, a link to it, or the `latest.json` of an audience.

    Raises:
        RequestError: there is no such folder.
    """
    folder, pointed = _folder_of(path)
    report = VerifyReport(folder)
    content = _read_manifest(folder, report)
    if content is None or _has_unsafe_paths(content, report):
        return report
    manifest = _parse(content, report)
    if manifest is None:
        return report
    report.kind, report.version, report.as_of = manifest.kind, manifest.version, manifest.as_of.isoformat()
    if manifest.computed_version() != expected_version(manifest):
        report.fail("wrong_version", MANIFEST_NAME, "the version is not that of the manifest's content")
    if VERSION_PATTERN.fullmatch(folder.name) and folder.name != manifest.version:
        report.fail("wrong_version", folder.name, f"the manifest is that of version {manifest.version}")
    if pointed and sha256_of(folder / MANIFEST_NAME) != pointed:
        report.fail("wrong_pointer", path.name, "the manifest is not the one that the pointer was made for")
    if manifest.erasure:
        erased = manifest.erasure
        report.notes.append(
            f"{sum(erased.rows.values())} rows were erased since it was published, of {len(erased.erasures)} people"
        )
    with files.workbench() as connection:
        if isinstance(manifest, MartsManifest):
            verify_marts(connection, folder, manifest, report)
        else:
            verify_audience(connection, folder, manifest, report)
    return report


def pointed_folder(text: str, where: str) -> tuple[str, str]:
    """The version's folder that a pointer names, relative to it, and the digest of the manifest.

    Raises:
        RequestError: the text is no pointer, or names a path that is none of a version.
    """
    try:
        pointer = json.loads(text)
        named, digest = str(pointer["path"]), str(pointer.get("manifest_sha256"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError("the pointer cannot be read", where=where) from error
    parts = Path(named).parts
    if len(parts) != 2 or ".." in parts or Path(named).is_absolute():
        raise RequestError("the pointer names a path that is none of a version", where=where)
    return named, digest


def _folder_of(path: Path) -> tuple[Path, str | None]:
    """The version's folder, and the digest of the manifest that a pointer names."""
    pointed = None
    if path.is_file() and path.name == "latest.json":
        named, pointed = pointed_folder(path.read_text(encoding="utf-8", errors="replace"), str(path))
        path = path.parent / named
    if not path.is_dir():
        raise RequestError(
            "there is no version to verify",
            where=str(path),
            remedy=_NAME_A_VERSION,
        )
    folder = path.resolve()
    # A version whose manifest was lost still has its name or its files: that is a fault, and found below.
    if not (folder / MANIFEST_NAME).exists() and not VERSION_PATTERN.fullmatch(folder.name) and not _has_files(folder):
        raise RequestError("this folder is no version", where=str(path), remedy=_NAME_A_VERSION)
    return folder, pointed


def _has_files(folder: Path) -> bool:
    return (folder / layout.MARTS_DATABASE).exists() or any((folder / name).exists() for name in AUDIENCE_FILES)


def _read_manifest(folder: Path, report: VerifyReport) -> dict[str, Any] | None:
    file = folder / MANIFEST_NAME
    if file.is_symlink():
        report.fail("symlink", MANIFEST_NAME, "a version holds no links")
        return None
    if not file.is_file():
        report.fail("manifest_missing", MANIFEST_NAME, "the folder has no manifest")
        return None
    if file.stat().st_size > _LARGEST_MANIFEST:
        report.fail("manifest_invalid", MANIFEST_NAME, "it is larger than any manifest")
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        report.fail("manifest_invalid", MANIFEST_NAME, f"it is no JSON: {error}")
        return None
    if not isinstance(content, dict):
        report.fail("manifest_invalid", MANIFEST_NAME, "it is no JSON object")
        return None
    return content


def _has_unsafe_paths(content: Mapping[str, Any], report: VerifyReport) -> bool:
    """Whether the manifest names anything but plain files of its folder and parts in their place."""
    names = [name for key in ("files", "tables") for name in _keys(content.get(key))]
    unsafe = [name for name in names if not FILE_NAME_PATTERN.fullmatch(name)]
    marts = content.get("partitioned")
    for mart, entry in marts.items() if isinstance(marts, dict) else ():
        parts = entry.get("parts") if isinstance(entry, dict) else None
        for part in parts if isinstance(parts, list) else ():
            path = part.get("path") if isinstance(part, dict) else None
            found = PART_PATH_PATTERN.fullmatch(path) if isinstance(path, str) else None
            if found is None or found[1] != mart:
                unsafe.append(str(path))
    for name in unsafe:
        report.fail("unsafe_path", name[:200], "a manifest names plain files of its own folder only")
    return bool(unsafe)


def _parse(content: Mapping[str, Any], report: VerifyReport) -> MartsManifest | AudienceManifest | None:
    if content.get("schema_version") != 1 or content.get("kind") not in ("marts", "audience"):
        found = f"{content.get('kind')!r} {content.get('schema_version')!r}"
        report.fail("unknown_schema", MANIFEST_NAME, f"this program does not know manifests of the kind {found}")
        return None
    model = MartsManifest if content["kind"] == "marts" else AudienceManifest
    try:
        return model.model_validate_json(json.dumps(content))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        report.fail("manifest_invalid", place or MANIFEST_NAME, first["msg"])
        return None


def _keys(value: Any) -> list[str]:
    return [str(key) for key in value] if isinstance(value, dict) else []
