"""On which day's files a fact appears: daily files in the last weeks, larger ones before."""

from __future__ import annotations

from renqun.simulate.config import SimulationConfig
from renqun.simulate.facts import Order, Refund
from renqun.simulate.wall import DAY, day_number, last_day_of_month

_SETTLED_DAYS = 10
_CLOSED_DAYS = 3


class Calendar:
    """The date folders of a simulation."""

    def __init__(self, config: SimulationConfig) -> None:
        self.end = day_number(config.end)
        self.start = day_number(config.start)
        self.traffic_start = day_number(config.traffic_start)
        self.daily_from = day_number(config.daily_from)
        self._monthly = config.history_files == "monthly"

    def folder(self, day: int) -> int:
        """The folder whose orders file shows what happened on a day."""
        if day >= self.daily_from:
            return day
        eve = self.daily_from - 1
        return min(eve, last_day_of_month(day)) if self._monthly else eve

    def first_folder(self, order: Order) -> int:
        """The folder of the first export that shows an order."""
        day = order.placed_day + order.delay_days if order.only_on is None else order.only_on
        return self.folder(day)

    def shown_from(self, order: Order, day: int) -> int:
        """The folder of the first export that shows what happened to an order on a day."""
        return max(self.first_folder(order), self.folder(day))

    def refund_day(self, order: Order, refund: Refund) -> int:
        """The day that a refund counts on."""
        day = refund.at // DAY
        return day if refund.exports_time else self.shown_from(order, day)

    def export_folders(self, order: Order) -> list[int]:
        """All folders whose orders file holds the order: when it is placed, paid, refunded, closed."""
        if order.only_on is not None:
            return [self.folder(order.only_on)]
        days = {order.placed_day}
        if order.paid_at is not None:
            days.add(order.paid_at // DAY)
        days.update(refund.at // DAY for refund in order.refunds)
        if order.signed_at is not None:
            days.add(order.signed_at // DAY)
        if order.settles:
            days.add(self.settled_day(order))
        return sorted({self.shown_from(order, day) for day in days if day <= self.end})

    def signed_at(self, order: Order) -> int | None:
        """When the order counts as received: signed for, or confirmed by the platform when it closes it."""
        if order.signed_at is not None or order.paid_at is None or not order.settles:
            return order.signed_at
        return self.settled_day(order) * DAY + order.paid_at % DAY

    def settled_day(self, order: Order) -> int:
        """The day on which the platform closes an order."""
        if order.paid_at is None:
            return order.placed_day + _CLOSED_DAYS
        return order.paid_at // DAY + _SETTLED_DAYS
