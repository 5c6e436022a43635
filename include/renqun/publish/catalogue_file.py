"""`catalogue.json`: what stands of every audience of a shop, in one file that programs may read before all others."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from renqun.publish.contracts import write_contract
from renqun.publish.history import AudienceFolder, AudienceVersion
from renqun.publish.manifest import to_text
from renqun.settings import ShopPaths
from renqun.storage import write_text_atomically

CATALOGUE_NAME = "catalogue.json"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ListedAudience(_Record):
    """What stands of one audience: the version that its pointer names."""

    audience_id: str
    name_en: str
    name_zh: str
    owner: str
    purpose: str
    purpose_kind: str | None
    status: Literal["published", "empty"]
    as_of: date
    version: str
    path: str
    """The version's folder, relative to the catalogue."""
    contract: str
    """Its Open Data Contract, relative to the catalogue."""
    expires_on: date
    """The last day on which the files may be used."""
    members: int = Field(ge=0)
    messages: int | None
    """Of an audience with a trigger: how many messages its list holds."""
    late_messages: int | None
    destinations: dict[str, int | None]
    """By destination: rows of its list; null where it gets none, for a reason that the manifest says."""


class AudienceCatalogue(_Record):
    """Every audience of the shop that has a version."""

    kind: Literal["audience_catalogue"] = "audience_catalogue"
    schema_version: Literal[1] = 1
    shop_id: str
    audiences: tuple[ListedAudience, ...]


def refresh_catalogue(paths: ShopPaths, shop_id: str) -> AudienceCatalogue:
    """Write the catalogue anew where it is not what the pointers say, with the contracts that it names.

    The caller holds the shop's writer lock. What a killed publisher left undone is done by the next.
    """
    root = paths.published_audiences
    folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    listed = []
    for folder in map(AudienceFolder, folders):
        version = folder.latest()
        if version is not None:
            listed.append(_listed(folder, version))
    catalogue = AudienceCatalogue(shop_id=shop_id, audiences=tuple(listed))
    file, text = root / CATALOGUE_NAME, to_text(catalogue)
    if listed and (not file.is_file() or file.read_text(encoding="utf-8") != text):
        write_text_atomically(file, text)
    elif not listed:
        file.unlink(missing_ok=True)
    return catalogue


def _listed(folder: AudienceFolder, version: AudienceVersion) -> ListedAudience:
    manifest = version.manifest
    contract = write_contract(folder, version)
    canonical: dict[str, int | None] = (
        {"canonical": manifest.counts.members} if "canonical" in manifest.destinations else {}
    )
    delivered = {name: None if one.refused else one.rows for name, one in sorted(manifest.deliveries.items())}
    return ListedAudience(
        audience_id=manifest.audience_id,
        name_en=manifest.name_en,
        name_zh=manifest.name_zh,
        owner=manifest.owner,
        purpose=manifest.purpose,
        purpose_kind=manifest.purpose_kind,
        status=manifest.status,
        as_of=manifest.as_of,
        version=manifest.version,
        path=version.folder.relative_to(folder.root.parent).as_posix(),
        contract=contract.relative_to(folder.root.parent).as_posix(),
        expires_on=manifest.expires_on,
        members=manifest.counts.members,
        messages=manifest.trigger.rows if manifest.trigger else None,
        late_messages=manifest.trigger.late if manifest.trigger else None,
        destinations=canonical | delivered,
    )
