"""What a manifest says: the contract between a published version and whoever reads it."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from renqun.storage import canonical_json

SCHEMA_VERSION = 1
MANIFEST_NAME = "manifest.json"
VERSION_PATTERN = re.compile(r"[0-9a-f]{16}")
FILE_NAME_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
PART_PATH_PATTERN = re.compile(r"parts/([a-z][a-z0-9_]*)/(\d{4}-\d{2}-\d{2})-[0-9a-f]{16}\.parquet")

Verdict = Literal["passed", "passed_with_warnings", "failed"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GateRecord(_Record):
    """What one gate said of one object."""

    stage: str
    object: str
    verdict: Verdict
    checks: int = Field(ge=0)
    """How many expectations were looked at."""
    warnings: tuple[str, ...] = ()
    """Ids of the expectations that warned."""


class FileEntry(_Record):
    """One file of a version."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)
    rows: int = Field(ge=0)
    columns: tuple[tuple[str, str], ...]
    """Name and type of each column, in order."""


class PartEntry(_Record):
    """One day of a mart that is published in parts."""

    path: str
    """Below `published/marts/`: `parts/<mart>/<date>-<first 16 of sha256>.parquet`."""
    date: date
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    rows: int = Field(gt=0)


class PartitionedMart(_Record):
    """A mart whose rows are in parts, one a date."""

    date_column: str
    columns: tuple[tuple[str, str], ...]
    rows: int = Field(ge=0)
    parts: tuple[PartEntry, ...]


class BatchEntry(_Record):
    """One accepted batch that a version was built from."""

    batch_id: str
    source: str
    group: str
    ds: date


class MartsManifest(_Record):
    """`manifest.json` of a version of the marts."""

    kind: Literal["marts"] = "marts"
    schema_version: Literal[1] = 1
    shop_id: str
    as_of: date
    version: str = Field(pattern=r"^[0-9a-f]{16}$")
    tables: dict[str, FileEntry]
    """One Parquet a mart, `<mart>.parquet`; each is a table of `marts.duckdb` too."""
    partitioned: dict[str, PartitionedMart]
    """Marts that are published in parts only."""
    groups: tuple[str, ...]
    """Export groups that the shop has accepted batches of."""
    batches: tuple[BatchEntry, ...]
    gates: tuple[GateRecord, ...]
    provenance: dict[str, Any]
    """Run, build, code revision, times, the digest of `marts.duckdb`: everything that may differ between two
    runs over the same input. No version depends on it."""

    def computed_version(self) -> str:
        """The version that this content has."""
        return _digest(
            self.model_dump(mode="json", include={"schema_version", "shop_id", "as_of", "groups"})
            | {
                "tables": {
                    name: {"sha256": entry.sha256, "columns": entry.columns} for name, entry in self.tables.items()
                },
                "partitioned": {
                    name: {
                        "date_column": mart.date_column,
                        "columns": mart.columns,
                        "parts": [[part.path, part.sha256, part.rows] for part in mart.parts],
                    }
                    for name, mart in self.partitioned.items()
                },
            }
        )


class VersionReference(_Record):
    """A version of the marts or of the audience that the manifest stands in."""

    as_of: date
    version: str = Field(pattern=r"^[0-9a-f]{16}$")


class AudienceCounts(_Record):
    """How many people the files of a version name."""

    members: int = Field(ge=0)
    previous_members: int = Field(ge=0)
    added: int = Field(ge=0)
    removed: int = Field(ge=0)


class AudienceManifest(_Record):
    """`manifest.json` of a version of an audience."""

    kind: Literal["audience"] = "audience"
    schema_version: Literal[1] = 1
    shop_id: str
    audience_id: str
    name_en: str
    name_zh: str
    owner: str
    purpose: str
    purpose_kind: Literal["marketing", "service", "exclusion"]
    definition_hash: str = Field(pattern=r"^[0-9a-f]{16}$")
    as_of: date
    expires_on: date
    """The last day on which the files may be used."""
    version: str = Field(pattern=r"^[0-9a-f]{16}$")
    status: Literal["published", "empty"]
    """`empty`: the audience has no members, and had none before or was released."""
    destinations: tuple[str, ...]
    counts: AudienceCounts
    previous: VersionReference | None
    """The version that `added` and `removed` lead on from; null for the first."""
    marts: VersionReference
    batches: tuple[str, ...]
    """Batches that the marts were built from."""
    files: dict[str, FileEntry]
    gates: tuple[GateRecord, ...]
    provenance: dict[str, Any]
    """Run, code revision, times, sequence: everything that may differ between two runs over the same input."""

    def computed_version(self) -> str:
        """The version that this content has; gates and provenance stand apart."""
        return _digest(self.model_dump(mode="json", exclude={"version", "gates", "provenance"}))

    def content_key(self) -> str:
        """Equal for versions that name the same people for the same reasons on the same date."""
        return content_key(self.definition_hash, self.as_of, self.files["members.parquet"].sha256)


class Pointer(_Record):
    """`latest.json` of an audience."""

    audience_id: str
    as_of: date
    version: str = Field(pattern=r"^[0-9a-f]{16}$")
    path: str
    """The version's folder, relative to the pointer."""
    manifest_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


ManifestT = TypeVar("ManifestT", MartsManifest, AudienceManifest)


def with_version(draft: ManifestT) -> ManifestT:
    """The draft with the version that its content has."""
    return draft.model_copy(update={"version": draft.computed_version()})


def to_text(manifest: BaseModel) -> str:
    """A manifest as it is written: equal manifests give equal bytes."""
    return canonical_json(manifest.model_dump(mode="json"))


def read_marts_manifest(folder: Path) -> MartsManifest:
    """The manifest of a version of the marts."""
    return MartsManifest.model_validate_json((folder / MANIFEST_NAME).read_text(encoding="utf-8"))


def read_audience_manifest(folder: Path) -> AudienceManifest:
    """The manifest of a version of an audience."""
    return AudienceManifest.model_validate_json((folder / MANIFEST_NAME).read_text(encoding="utf-8"))


def content_key(definition_hash: str, as_of: date, members_sha256: str) -> str:
    """What makes two publications of an audience the same."""
    return _digest([definition_hash, as_of.isoformat(), members_sha256])


def json_schemas() -> dict[str, str]:
    """The published JSON schemas by file name; `schemas/` in this package holds them as files."""
    models: dict[str, type[BaseModel]] = {
        f"marts-manifest.v{SCHEMA_VERSION}.json": MartsManifest,
        f"audience-manifest.v{SCHEMA_VERSION}.json": AudienceManifest,
        f"audience-pointer.v{SCHEMA_VERSION}.json": Pointer,
    }
    return {name: canonical_json(model.model_json_schema()) for name, model in models.items()}


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
