"""What is asked of the simulator: size, span, shape of the files, and which faults to plant."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from renqun.errors import RequestError

HistoryFiles = Literal["daily", "monthly", "single"]
Form = Literal["generic", "taobao", "taobao_xlsx", "shopify"]
FORMS: tuple[Form, ...] = ("generic", "taobao", "taobao_xlsx", "shopify")
MINIMUM_PLANTED_DAYS = 190
"""The planted persons need as long a history; the oldest planted order is of age 720, less leaves some out."""
MINIMUM_DAILY_DAYS = 30
"""Orders of planted persons change their state in so many last days, which therefore have a file each."""
MINIMUM_TRAFFIC_DAYS = 16
"""The planted funnels and sessions need as many days of traffic."""


@dataclass(frozen=True)
class Dirt:
    """Which faults of real exports the files have."""

    bad_rows: bool = True
    """Rows that belong into quarantine, at least one for each reason."""
    duplicates: bool = True
    """A file twice under two names, an event twice, an order in two files, an old state exported again."""
    late_rows: bool = True
    """Events and orders that arrive in the file of a later day."""

    @classmethod
    def none(cls) -> Dirt:
        """Files without any fault."""
        return cls(bad_rows=False, duplicates=False, late_rows=False)


@dataclass(frozen=True)
class SimulationConfig:
    """The arguments of a simulation; the same arguments give the same bytes on any machine.

    Args:
        customers: persons who order at least once; prospects and planted persons come on top.
        start: first day with an order.
        end: last day of everything, and the as-of date of the truth.
        traffic_days: how many days up to `end` have traffic.
        events_per_day: average number of events a day.
        items: how many items the shop sells, planted items not counted.
        time_zone: the shop's zone; times in the files are naive and in it.
        currency: written into every order row.
        seed: everything that is left to chance depends on it.
        history_files: files of orders older than `daily_days`: one a day, one a month (in the folder of the
            month's last day), or a single one (in the folder of the day before the daily files begin).
        daily_days: how many days up to `end` have one orders file each; never fewer than `traffic_days` or 30.
        dirt: which faults the files have.
        hold_back: keep some orders and events out of the landing tree and write them to the late tree.
        plant: whether the shop has planted persons.
        traffic_sources: whether to write the platform's aggregate by source.
        profiles: whether to write members and consent.
        truth_dates: as-of dates of whole-shop totals; empty means `end` only.
        form: whose files the orders come in. `generic`: one CSV. `taobao`: order, item and refund reports as 千牛 gave
            them from 2017 to 2021, in GB18030, with a list of what the shop ordered itself, and 生意参谋 as `.xls`.
            `taobao_xlsx`: the reports of 2025 and 2026 with columns that the seller chose, that list and 生意参谋, all
            as `.xlsx`. `shopify`: its orders and customers as CSV.
            Events, members and consent are generic always: no platform exports them of single persons.
    """

    customers: int
    start: date
    end: date
    traffic_days: int
    events_per_day: int
    items: int = 300
    time_zone: str = "Asia/Shanghai"
    currency: str = "CNY"
    seed: int = 1
    history_files: HistoryFiles = "monthly"
    daily_days: int = 0
    dirt: Dirt = field(default_factory=Dirt)
    hold_back: bool = False
    plant: bool = True
    traffic_sources: bool = True
    profiles: bool = True
    truth_dates: tuple[date, ...] = ()
    form: Form = "generic"

    def __post_init__(self) -> None:
        problem = ""
        if self.customers < 1 or self.items < 20 or self.events_per_day < 1:
            problem = "a shop needs at least 1 customer, 20 items and 1 event a day"
        elif not 1 <= self.traffic_days <= self.days:
            problem = "the days of traffic must lie between the first and the last day of orders"
        elif self.plant and self.traffic_days < MINIMUM_TRAFFIC_DAYS:
            problem = f"planted persons need at least {MINIMUM_TRAFFIC_DAYS} days of traffic"
        elif self.plant and self.days < MINIMUM_PLANTED_DAYS:
            problem = f"planted persons need at least {MINIMUM_PLANTED_DAYS} days of orders"
        elif any(not self.daily_from <= day <= self.end for day in self.truth_dates):
            problem = f"dates of truth must lie between {self.daily_from} and {self.end}, where files are daily"
        elif self.form not in FORMS:
            problem = f"the form must be one of {', '.join(FORMS)}"
        elif self.form.startswith("taobao") and (self.time_zone, self.currency) != ("Asia/Shanghai", "CNY"):
            problem = "Taobao's files know one time zone and one currency: Asia/Shanghai and CNY"
        if problem:
            raise RequestError(f"the simulation cannot be made: {problem}")
        ZoneInfo(self.time_zone)

    @property
    def days(self) -> int:
        """Number of days from the first to the last, both included."""
        return (self.end - self.start).days + 1

    @property
    def traffic_start(self) -> date:
        """First day with traffic."""
        return self.end - timedelta(days=self.traffic_days - 1)

    @property
    def daily_from(self) -> date:
        """First day whose orders have a file of their own."""
        if self.history_files == "daily":
            return self.start
        days = min(self.days, max(self.daily_days, self.traffic_days, MINIMUM_DAILY_DAYS))
        return self.end - timedelta(days=days - 1)


DEMO_END = date(2026, 6, 30)


def demo_config(seed: int = 1) -> SimulationConfig:
    """The shop of `make demo`: two years of orders, sixty days of traffic, all eight RFM classes."""
    return SimulationConfig(
        customers=20_500,
        start=DEMO_END - timedelta(days=729),
        end=DEMO_END,
        traffic_days=60,
        events_per_day=10_000,
        items=400,
        seed=seed,
    )


def small_config(seed: int = 7, *, hold_back: bool = False) -> SimulationConfig:
    """The shop of the tests: forty daily files, the two years before in one."""
    return SimulationConfig(
        customers=300,
        start=DEMO_END - timedelta(days=739),
        end=DEMO_END,
        traffic_days=40,
        events_per_day=150,
        items=60,
        seed=seed,
        history_files="single",
        hold_back=hold_back,
        truth_dates=tuple(DEMO_END - timedelta(days=age) for age in (4, 3, 2, 1, 0)),
    )
