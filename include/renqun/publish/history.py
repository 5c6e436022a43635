"""What was published of an audience: its versions, the pointer, withdrawals, releases and daily outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from renqun.errors import TechnicalError
from renqun.publish.manifest import (
    MANIFEST_NAME,
    AudienceManifest,
    Pointer,
    read_audience_manifest,
    to_text,
)
from renqun.publish.versions import sequence_of, version_folders
from renqun.settings import ShopPaths
from renqun.storage import sha256_of, write_text_atomically

POINTER_NAME = "latest.json"

Status = Literal["published", "empty", "held_back", "not_applicable"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Outcome(_Record):
    """What became of an audience on a business date: `as_of=<ds>/outcome.json`."""

    audience_id: str
    as_of: date
    status: Status
    version: str | None = None
    members: int | None = None
    reason: str | None = None
    """Why it was held back, is empty or does not apply."""
    content_key: str | None = None
    """What a release of a held-back audience refers to."""


class Release(_Record):
    """Somebody's word that held-back content may go out: `releases/<content key>.json`."""

    audience_id: str
    as_of: date
    content_key: str
    released_by: str
    reason: str


class Withdrawal(_Record):
    """Somebody's word that a version must not be used: `withdrawn/<version>/withdrawal.json`."""

    audience_id: str
    as_of: date
    version: str
    withdrawn_by: str
    reason: str
    pointer_before: str | None
    pointer_after: str | None
    recalled: int
    restored: int
    recalled_rows: dict[str, int] = {}
    """By destination that got identifiers of people: how many rows its recall files hold."""
    recalled_messages: int = 0
    """Of an audience with a trigger: messages that must not go out any more."""


@dataclass(frozen=True)
class AudienceVersion:
    """One published version of an audience."""

    folder: Path
    manifest: AudienceManifest
    is_withdrawn: bool

    @property
    def version(self) -> str:
        """Its name."""
        return self.manifest.version

    @property
    def members_file(self) -> Path:
        """Who is in it."""
        return self.folder / "members.parquet"


@dataclass(frozen=True)
class AudienceFolder:
    """`published/audiences/<audience>/` of a shop."""

    root: Path

    @classmethod
    def of(cls, paths: ShopPaths, audience_id: str) -> AudienceFolder:
        """The folder of one audience."""
        return cls(paths.published_audiences / audience_id)

    def day(self, as_of: date) -> Path:
        """The folder of a business date."""
        return self.root / f"as_of={as_of.isoformat()}"

    def versions(self) -> list[AudienceVersion]:
        """Every version, in the order of business date, then of publishing."""
        found = [self._load(folder) for folder in version_folders(self.root)]
        return sorted(found, key=lambda one: (one.manifest.as_of, sequence_of(one.manifest.provenance)))

    def pointer(self) -> Pointer | None:
        """What `latest.json` says; None before the first version."""
        file = self.root / POINTER_NAME
        if not file.is_file():
            return None
        try:
            return Pointer.model_validate_json(file.read_text(encoding="utf-8"))
        except (ValidationError, UnicodeDecodeError) as error:
            raise TechnicalError(
                f"the pointer of an audience cannot be read: {error}",
                where=str(file),
                remedy="put back the pointer from a backup, or remove it to begin anew",
            ) from error

    def latest(self) -> AudienceVersion | None:
        """The version that the pointer names."""
        pointer = self.pointer()
        return self._load(self.day(pointer.as_of) / pointer.version) if pointer else None

    def baseline(self, as_of: date) -> AudienceVersion | None:
        """The version that a publication of this date leads on from.

        It is what the pointer names; for a date older than that, the newest sound version up to the date.
        """
        latest = self.latest()
        if latest is None or (latest.manifest.as_of <= as_of and not latest.is_withdrawn):
            return latest
        earlier = [
            version for version in self.versions() if version.manifest.as_of <= as_of and not version.is_withdrawn
        ]
        return earlier[-1] if earlier else None

    def next_sequence(self) -> int:
        """The place in the order of publishing that comes next."""
        return 1 + max((sequence_of(one.manifest.provenance) for one in self.versions()), default=0)

    def point_to(self, version: AudienceVersion | None) -> None:
        """Let the pointer name a version, in one atomic step; None takes the pointer away."""
        file = self.root / POINTER_NAME
        if version is None:
            file.unlink(missing_ok=True)
            return
        pointer = Pointer(
            audience_id=version.manifest.audience_id,
            as_of=version.manifest.as_of,
            version=version.version,
            path=version.folder.relative_to(self.root).as_posix(),
            manifest_sha256=sha256_of(version.folder / MANIFEST_NAME),
        )
        _write_if_changed(file, to_text(pointer))

    def withdrawal_folder(self, version: str) -> Path:
        """Where the withdrawal of a version and its recall files are."""
        return self.root / "withdrawn" / version

    def lift_withdrawal(self, version: str) -> None:
        """A withdrawn version was released and goes out again; the record of the withdrawal stays."""
        folder = self.withdrawal_folder(version)
        if folder.is_dir():
            lifted = len(list(folder.parent.glob(f"{version}.lifted-*"))) + 1
            folder.rename(folder.with_name(f"{version}.lifted-{lifted}"))

    def record(self, outcome: Outcome) -> None:
        """Keep what became of a business date."""
        _write_if_changed(self.day(outcome.as_of) / "outcome.json", to_text(outcome))

    def outcome(self, as_of: date) -> Outcome | None:
        """What became of a business date; None where nothing was tried."""
        file = self.day(as_of) / "outcome.json"
        return Outcome.model_validate_json(file.read_text(encoding="utf-8")) if file.is_file() else None

    def outcomes(self) -> list[Outcome]:
        """What became of every business date, oldest first."""
        files = sorted(self.root.glob("as_of=*/outcome.json"))
        return [Outcome.model_validate_json(file.read_text(encoding="utf-8")) for file in files]

    def is_released(self, content_key: str) -> bool:
        """Whether somebody has let this very content go out."""
        return self.release_file(content_key).is_file()

    def release_file(self, content_key: str) -> Path:
        """Where the release of a content is kept."""
        return self.root / "releases" / f"{content_key}.json"

    def load(self, as_of: date, version: str) -> AudienceVersion:
        """A version by date and name."""
        return self._load(self.day(as_of) / version)

    def _load(self, folder: Path) -> AudienceVersion:
        try:
            manifest = read_audience_manifest(folder)
        except (OSError, ValidationError, UnicodeDecodeError) as error:
            raise TechnicalError(
                f"the manifest of a published audience cannot be read: {error}",
                where=str(folder / MANIFEST_NAME),
                remedy="'renqun verify' on that folder says what is wrong; put it back from a backup",
            ) from error
        return AudienceVersion(folder, manifest, self.withdrawal_folder(manifest.version).is_dir())


def sound_file(version: AudienceVersion, name: str) -> Path:
    """A file of a published version, as its manifest describes it.

    Raises:
        TechnicalError: it was changed or is gone.
    """
    file = version.folder / name
    if not file.is_file() or sha256_of(file) != version.manifest.files[name].sha256:
        raise TechnicalError(
            "a published version is not what its manifest says: nothing can lead on from it",
            where=str(file),
            remedy="'renqun verify' on that folder says what is wrong; put it back from a backup",
        )
    return file


def _write_if_changed(file: Path, text: str) -> None:
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        write_text_atomically(file, text)
