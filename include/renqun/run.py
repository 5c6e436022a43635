"""The identity of a run: which shop, which business date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from renqun.errors import RequestError
from renqun.settings import Home, Shop, ShopPaths


@dataclass(frozen=True)
class RunContext:
    """What every stage is told: the shop, its folders and the business date `ds`. Nothing below asks the clock.

    `run_id` names the run in records that stand apart from content (results, provenance).
    """

    home: Home
    shop: Shop
    ds: date
    run_id: str = "manual"
    warehouse_file: Path | None = None
    """Set where the run works in another warehouse file than the shop's own (see `renqun.warehouse.plan`)."""

    @property
    def paths(self) -> ShopPaths:
        """The shop's folders."""
        return replace(self.home.paths(self.shop.id), warehouse_file=self.warehouse_file)

    @classmethod
    def of(cls, shop_id: str, ds: str | date, *, home: Home | None = None, run_id: str = "manual") -> RunContext:
        """The run of a shop and a date, with the home from the environment.

        Raises:
            RequestError: no such shop, or `ds` is not a date.
        """
        place = home or Home.from_environment()
        return cls(place, place.shop(shop_id), parse_date(ds), run_id)


def parse_date(text: str | date) -> date:
    """A calendar day written `YYYY-MM-DD`.

    Raises:
        RequestError: it is none.
    """
    if isinstance(text, date):
        return text
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != text:
        raise RequestError(f"{text!r} is not a date", remedy="write it as YYYY-MM-DD, for example 2026-03-31")
    return parsed
