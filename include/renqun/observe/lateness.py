"""Whether a business date is published by the hour that the shop has set (`publish_by`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from renqun.settings import Home, Shop, ShopPaths


@dataclass(frozen=True)
class Late:
    """A date that is not published although its hour is over: since when, and what it lacks."""

    ds: date
    due: datetime
    lacks: tuple[str, ...]


def due_at(shop: Shop, ds: date) -> datetime | None:
    """When a date is to be published: the shop's hour, on the day after; None where the shop has set none."""
    if shop.publish_by is None:
        return None
    return datetime.combine(ds + timedelta(days=1), shop.publish_by, tzinfo=shop.zone)


def newest_due(shop: Shop, now: datetime) -> date | None:
    """The newest date whose hour is over."""
    if shop.publish_by is None:
        return None
    local = now.astimezone(shop.zone)
    days = 1 if local.timetz().replace(tzinfo=None) >= shop.publish_by else 2
    return local.date() - timedelta(days=days)


def late(home: Home, shop: Shop, now: datetime) -> Late | None:
    """The newest date that is late; None where there is none."""
    ds = newest_due(shop, now)
    due = due_at(shop, ds) if ds else None
    if ds is None or due is None:
        return None
    lacks = lacking(home, shop, ds)
    return Late(ds, due, lacks) if lacks else None


def lacking(home: Home, shop: Shop, ds: date) -> tuple[str, ...]:
    """What keeps a date from being published, first things first; nothing where it is published.

    A date that was closed for every group that the shop expects has nothing to publish.
    """
    from renqun.ingest.days import is_closed, missing_groups

    paths = home.paths(shop.id)
    if _audiences_as_of(paths, ds) and _marts_as_of(paths, ds):
        return ()
    if shop.expect and all(is_closed(paths, group, ds) for group in shop.expect):
        return ()
    missing = missing_groups(home, shop, ds)
    if missing:
        return tuple(f"{group} export" for group in missing)
    return ("audiences",) if _marts_as_of(paths, ds) else ("marts", "audiences")


def _marts_as_of(paths: ShopPaths, ds: date) -> bool:
    from renqun.publish.versions import latest_marts

    latest = latest_marts(paths)
    return latest is not None and latest.as_of >= ds


def _audiences_as_of(paths: ShopPaths, ds: date) -> bool:
    """Whether publishing has decided on the audiences of that date, or of a later one; one may be held back alone."""
    decided = (
        file.parent.name.removeprefix("as_of=") for file in paths.published_audiences.glob("*/as_of=*/outcome.json")
    )
    return any(as_of >= str(ds) for as_of in decided)
