"""The forms in which a shop's orders can be exported: the same facts, and a counterpart of every fault."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from renqun.simulate.calendar import Calendar
from renqun.simulate.config import SimulationConfig
from renqun.simulate.drafts import Drafts
from renqun.simulate.facts import Order
from renqun.simulate.planting import Planting


class OrderFiles(Protocol):
    """Drafts the files that tell of orders."""

    def draft_orders(self, orders: Iterable[Order]) -> None:
        """Every export of every order, in the order in which they were placed."""

    def draft_planted_exports(self, bed: Planting) -> None:
        """The exports of planted orders that say the same twice, or something old."""

    def draft_bad_rows(self) -> None:
        """Rows that belong into quarantine, at least one for each reason; one a day, from the last day backwards."""

    def draft_dirty_export(self, bed: Planting) -> None:
        """A later export of a planted order, with one impossible line and one that is only in bad company."""

    def draft_duplicates(self) -> None:
        """Files downloaded twice, and files that overlap with the one of the day."""


def order_files(config: SimulationConfig, calendar: Calendar, drafts: Drafts) -> OrderFiles:
    """What drafts the orders in the form that was asked for."""
    match config.form:
        case "taobao" | "taobao_xlsx":
            from renqun.simulate.taobao_files import TaobaoOrders

            return TaobaoOrders(calendar, drafts, as_workbooks=config.form == "taobao_xlsx")
        case "shopify":
            from renqun.simulate.shopify_files import ShopifyOrders

            return ShopifyOrders(calendar, drafts, config.currency, config.time_zone)
        case "generic":
            from renqun.simulate.order_files import GenericOrders

            return GenericOrders(calendar, drafts, config.currency)


def in_order(orders: Iterable[Order]) -> list[Order]:
    """As they were placed; what contradicts an order stands before it."""
    return sorted(orders, key=lambda one: (one.ordered_at, one.order_id, not one.is_ghost))


def planted_order(bed: Planting, kind: str) -> Order:
    """The first order of a planted person."""
    return next(plant.orders[0] for plant in bed.plants if plant.kind == kind)
