"""What a manifest says: the contract between a published version and whoever reads it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from renqun.storage import canonical_json

SCHEMA_VERSION = 1
MANIFEST_NAME = "manifest.json"
VERSION_PATTERN = re.compile(r"[0-9a-f]{16}")
FILE_NAME_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
PART_PATH_PATTERN = re.compile(r"parts/([a-z][a-z0-9_]*)/(\d{4}-\d{2}-\d{2})-[0-9a-f]{16}\.parquet")

_SINCE_CONTACTS = frozenset({"purpose_kind", "held_back", "deliveries", "content_sha256", "trigger", "holdout_share"})

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


class Erasure(_Record):
    """What was taken out of a version after it was published, because people were erased.

    The version keeps its name, by which others know it. That name was the digest of what it held then; what it holds
    now has the digest `content`. Of the files as they were then no digest is kept: by that one could find out whether
    somebody had been in them.
    """

    rows: dict[str, int]
    """By file, or mart that is published in parts: rows that were erased, of all erasures together."""
    erasures: tuple[str, ...]
    """Fingerprints of the erased people; `quality/erasures/<fingerprint>.json` is the proof."""
    content: str = Field(pattern=r"^[0-9a-f]{16}$")
    """The version that a publication of what is left would have."""


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
    erasure: Erasure | None = None
    """Where people were erased from it since; absent otherwise."""
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


class TriggerEntry(_Record):
    """The trigger list of a version, and how late it is."""

    fact: str
    channel: str
    offer: str
    data_as_of: datetime
    """The end of the business date, UTC: facts before it are known. Whatever was due before it is late."""
    rows: int = Field(ge=0)
    late: int = Field(ge=0)
    """Rows that were due before `data_as_of`: to be sent at once, within the hours in which messages go out."""
    longest_lateness_seconds: int = Field(ge=0)
    """From the earliest `due_at` to `data_as_of`."""
    earliest_due_at: datetime | None
    latest_due_at: datetime | None
    due: int = Field(ge=0)
    """Facts of members that were due; what became of them is `held_back`, the next three numbers, and `rows`."""
    sent_before: int = Field(ge=0)
    waiting: int = Field(ge=0)
    """Of people who had a message of this list too lately."""
    superseded: int = Field(ge=0)
    """Further facts of people who are in the list with another one."""
    held_back: dict[str, int]
    """Facts of people whom the list may not name today, by cause."""


class Delivery(_Record):
    """What one destination that gets identifiers of people got."""

    name: str
    """What the audience is called there; neutral where the platform looks at names."""
    people: int = Field(ge=0)
    """Members for whom the files are meant."""
    held_back: dict[str, int]
    """Members for whom they are not, by cause."""
    rows: int = Field(ge=0)
    """Different rows of these people; of people that share all identifiers there is one."""
    refused: str | None
    """Why there is no list: the destination takes no fewer, or no more; null where there is one."""
    full: tuple[str, ...]
    """The files of the list; several where the destination limits their size."""
    append: tuple[str, ...]
    """Files of who is new in the list since the version before."""
    reduce: tuple[str, ...]
    """Files of who must be removed since the version before; all of them where there is no list any more."""
    appended: int = Field(ge=0)
    reduced: int = Field(ge=0)
    note: str
    """What whoever uploads the files has to know."""


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
    purpose_kind: Literal["marketing", "service", "exclusion"] | None = None
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
    held_back: dict[str, int] = {}
    """People whom the rules mean and who are no members, by cause; `holdout` is one. None of them is in a file but
    the holdout, which has its own."""
    holdout_share: Decimal | None = None
    """Share of the people that was to be held out, of the shop and of the audience together."""
    deliveries: dict[str, Delivery] = {}
    """By destination that gets identifiers of people."""
    content_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """Changes whenever members, holdout or what is known of their contacts and consent does."""
    marts: VersionReference
    batches: tuple[str, ...]
    """Batches that the marts were built from."""
    trigger: TriggerEntry | None = None
    """The list of due messages; null where the audience has none."""
    files: dict[str, FileEntry]
    gates: tuple[GateRecord, ...]
    erasure: Erasure | None = None
    """Where people were erased from it since; absent otherwise."""
    provenance: dict[str, Any]
    """Run, code revision, times, sequence: everything that may differ between two runs over the same input."""

    def computed_version(self) -> str:
        """The version that this content has; gates and provenance stand apart."""
        content = self.model_dump(mode="json", exclude={"version", "gates", "provenance", "erasure"})
        # Manifests of older releases lack these: their versions stay what they were.
        return _digest({name: value for name, value in content.items() if name not in _SINCE_CONTACTS or value})

    def content_key(self) -> str:
        """Equal for versions that name the same people for the same reasons on the same date."""
        content = self.content_sha256 or self.files["members.parquet"].sha256
        return content_key(self.definition_hash, self.as_of, content)


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


def expected_version(manifest: MartsManifest | AudienceManifest) -> str:
    """The version that the content of an unaltered manifest has."""
    return manifest.erasure.content if manifest.erasure else manifest.version


def with_erasure(changed: ManifestT, fingerprint: str, rows: Mapping[str, int]) -> ManifestT:
    """The manifest of what is left, with the note of what was erased now and before."""
    before: Erasure | None = changed.erasure
    counted = dict(before.rows) if before else {}
    for name, number in rows.items():
        counted[name] = counted.get(name, 0) + number
    note = Erasure(
        rows={name: number for name, number in sorted(counted.items()) if number},
        erasures=tuple(sorted({*(before.erasures if before else ()), fingerprint})),
        content=changed.computed_version(),
    )
    return changed.model_copy(update={"erasure": note})


def to_text(manifest: BaseModel) -> str:
    """A manifest as it is written: equal manifests give equal bytes."""
    content = manifest.model_dump(mode="json")
    if content.get("erasure", ...) is None:
        del content["erasure"]
    return canonical_json(content)


def read_marts_manifest(folder: Path) -> MartsManifest:
    """The manifest of a version of the marts."""
    return MartsManifest.model_validate_json((folder / MANIFEST_NAME).read_text(encoding="utf-8"))


def read_audience_manifest(folder: Path) -> AudienceManifest:
    """The manifest of a version of an audience."""
    return AudienceManifest.model_validate_json((folder / MANIFEST_NAME).read_text(encoding="utf-8"))


def content_key(definition_hash: str, as_of: date, content_sha256: str) -> str:
    """What makes two publications of an audience the same."""
    return _digest([definition_hash, as_of.isoformat(), content_sha256])


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
