"""What there is of each audience: a list for people who ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from renqun.publish.definitions import Audience, load_audiences
from renqun.publish.history import AudienceFolder, Status
from renqun.publish.receipts import MatchRate, latest_rates, match_rates
from renqun.settings import Home, ShopPaths


@dataclass(frozen=True)
class AudienceSummary:
    """One audience, as `renqun audience list` shows it."""

    audience_id: str
    name_en: str
    name_zh: str
    owner: str
    as_of: date | None
    version: str | None
    members: int | None
    expires_on: date | None
    last_tried: date | None
    status: Status | None
    """What became of the newest date that was tried; None where none was."""
    reason: str | None
    versions: int
    withdrawn: tuple[str, ...]
    match_rates: dict[str, MatchRate]
    """By destination: the newest version whose list a platform has answered for."""


def list_audiences(home: Home, shop_id: str, *, audiences: Sequence[Audience] | None = None) -> list[AudienceSummary]:
    """Every defined audience of a shop: what its pointer names, and what became of the newest try."""
    definitions = load_audiences() if audiences is None else audiences
    paths = home.paths(shop_id)
    return [_summary(paths, AudienceFolder.of(paths, one.id), one) for one in definitions]


def _summary(paths: ShopPaths, folder: AudienceFolder, audience: Audience) -> AudienceSummary:
    latest = folder.latest()
    outcomes = folder.outcomes()
    versions = folder.versions()
    newest = outcomes[-1] if outcomes else None
    return AudienceSummary(
        audience_id=audience.id,
        name_en=audience.name.en,
        name_zh=audience.name.zh,
        owner=audience.owner,
        as_of=latest.manifest.as_of if latest else None,
        version=latest.version if latest else None,
        members=latest.manifest.counts.members if latest else None,
        expires_on=latest.manifest.expires_on if latest else None,
        last_tried=newest.as_of if newest else None,
        status=newest.status if newest else None,
        reason=newest.reason if newest else None,
        versions=len(versions),
        withdrawn=tuple(version.version for version in versions if version.is_withdrawn),
        match_rates=latest_rates(match_rates(paths, audience.id)),
    )
