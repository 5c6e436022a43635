"""From arguments to a landing tree and its truth."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from renqun.simulate import dirt, profile_files, shopify_files, sycm_files, sycm_shop, traffic_files
from renqun.simulate.books import Books, keep_books
from renqun.simulate.calendar import Calendar
from renqun.simulate.config import SimulationConfig
from renqun.simulate.drafts import Drafts, Progress
from renqun.simulate.draws import Stream
from renqun.simulate.excluded_orders import describe_excluded_orders, draft_excluded_orders, place_excluded_orders
from renqun.simulate.facts import Facts, Person
from renqun.simulate.order_forms import order_files
from renqun.simulate.planting import Planting
from renqun.simulate.plants import plant_all, plant_by_rhythm
from renqun.simulate.profile_files import Consent, Suppression
from renqun.simulate.totals import shop_totals
from renqun.simulate.trade import Trade, trade
from renqun.simulate.traffic import visit
from renqun.simulate.truth import SCHEMA_VERSION, describe_plants
from renqun.simulate.wall import DAY, day_number, day_text

_LATE_ORDERS_AGE, _LATE_EVENTS_AGE = 6, 5
_LATE_PERCENT = 30


@dataclass(frozen=True)
class SimulationSummary:
    """What a simulation has written."""

    landing: Path
    late: Path
    truth: Path
    as_of: str
    first_date: str
    files: int
    late_files: tuple[Path, ...]
    """Files of the late tree, to be copied to the same place below the landing tree."""
    bytes_written: int
    customers: int
    orders: int
    events: int
    planted: int


def _say_nothing(_what: str, _part: float) -> None:
    pass


def simulate(
    config: SimulationConfig,
    landing: Path,
    truth: Path,
    *,
    late: Path | None = None,
    progress: Progress = _say_nothing,
) -> SimulationSummary:
    """Write the exports of a simulated shop below `landing`, and to `truth` what the marts must make of them.

    Args:
        late: where held-back files go, `<group>/<date>/<file>` like in landing; default `late/` beside it.
        progress: told what is being done, and which part of that is done.

    Raises:
        RequestError: the landing tree holds another file where one would be written.
    """
    with _without_collector():
        return _simulate(config, landing, truth, late or landing.parent / "late", progress)


def _simulate(
    config: SimulationConfig, landing: Path, truth: Path, late: Path, progress: Progress
) -> SimulationSummary:
    calendar = Calendar(config)
    bed = Planting(config)
    progress("orders", 0.0)
    ordinary = trade(config)
    if config.plant:
        plant_all(bed)
        plant_by_rhythm(bed, ordinary.orders, calendar)
    excluded = place_excluded_orders(config, bed)
    progress("traffic", 0.0)
    sessions = visit(config, ordinary)
    planted_people = [plant.person for plant in bed.plants if plant.person]
    facts = Facts(
        people=ordinary.people + ordinary.prospects + planted_people,
        orders=ordinary.orders + [order for plant in bed.plants for order in plant.orders] + excluded,
        sessions=sessions + [session for plant in bed.plants for session in plant.sessions],
        same_person=bed.same_person,
    )
    if config.hold_back:
        _hold_back(ordinary, facts, calendar, config.seed)
    progress("files", 0.0)
    consents = _consents(ordinary, planted_people, config, calendar)
    suppressions = _suppressions(ordinary, planted_people, config, calendar)
    drafts = _draft(config, calendar, bed, facts, len(sessions), consents)
    profile_files.draft_suppressions(suppressions, calendar, drafts)
    draft_excluded_orders(config, excluded, calendar, drafts)
    if config.traffic_sources and config.form.startswith("taobao"):
        sycm_shop.draft_shop_days(facts, excluded, calendar, drafts, _kind(config))
    if config.form == "shopify":
        shopify_files.facts_as_told(facts, calendar)
    progress("truth", 0.0)
    books = _books(config, calendar, facts)
    written = drafts.write(landing, late, progress)
    document = _truth(config, calendar, bed, drafts, books, consents, suppressions) | {
        "excluded_order_count": len(excluded),
        "excluded_orders": describe_excluded_orders(excluded),
    }
    document["absent_customers"] += [order.customer_id for order in excluded]
    _write_truth(truth, document)
    files = drafts.sorted()
    end = books[calendar.end]["after_late"]
    progress("done", 1.0)
    return SimulationSummary(
        landing=landing,
        late=late,
        truth=truth,
        as_of=day_text(calendar.end),
        first_date=day_text(min(draft.day for draft in files)),
        files=sum(not draft.is_late for draft in files),
        late_files=tuple(late / draft.path for draft in files if draft.is_late),
        bytes_written=written,
        customers=len(end.named),
        orders=len(end.orders),
        events=sum(day.events for day in end.days.values()),
        planted=len(bed.plants),
    )


@contextmanager
def _without_collector() -> Iterator[None]:
    """Millions of tuples without a cycle among them: looking for cycles is half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _hold_back(ordinary: Trade, facts: Facts, calendar: Calendar, seed: int) -> None:
    """Move a part of one day's orders and of another day's visits into the late files."""
    draw = Stream(seed, "late files")
    day = calendar.end - _LATE_ORDERS_AGE
    candidates = [order for order in ordinary.orders if order.placed_day == day and not order.delay_days]
    for number, order in enumerate(candidates):
        order.is_late = number > 0 and draw.chance(_LATE_PERCENT)
    day = calendar.end - _LATE_EVENTS_AGE
    for session in facts.sessions:
        on_day = session.events[0][0] // DAY == day == session.events[-1][0] // DAY
        is_planted = session.visitor_id.startswith("pv-")
        if on_day and not is_planted and not session.delay_days and draw.chance(_LATE_PERCENT):
            session.is_late = True


def _consents(ordinary: Trade, planted: list[Person], config: SimulationConfig, calendar: Calendar) -> list[Consent]:
    if not config.profiles:
        return []
    consents = profile_files.decide_consents(ordinary.people + ordinary.prospects, config.seed, calendar)
    for person in planted:
        if person.customer_id == "planted_consent_missing":
            continue
        withdrawn = calendar.end - 3 if person.customer_id == "planted_consent_withdrawn" else None
        granted = person.customer_id != "planted_consent_refused"
        consents.append(Consent(person, calendar.daily_from, granted, withdrawn))
    return consents


def _suppressions(
    ordinary: Trade, planted: list[Person], config: SimulationConfig, calendar: Calendar
) -> list[Suppression]:
    if not config.profiles:
        return []
    return profile_files.decide_suppressions(ordinary.people, planted, config.seed, calendar)


def _draft(
    config: SimulationConfig,
    calendar: Calendar,
    bed: Planting,
    facts: Facts,
    ordinary_sessions: int,
    consents: list[Consent],
) -> Drafts:
    drafts = Drafts()
    zone = ZoneInfo(config.time_zone)
    orders = order_files(config, calendar, drafts)
    orders.draft_orders(facts.orders)
    traffic_files.draft_events(facts.sessions[:ordinary_sessions], facts.sessions[ordinary_sessions:], zone, drafts)
    if config.dirt.duplicates:
        traffic_files.draft_duplicates(config.seed, calendar, drafts)
        if config.plant:
            traffic_files.draft_planted_duplicates(bed, zone, drafts)
            orders.draft_planted_exports(bed)
    if config.dirt.bad_rows:
        dirt.draft_bad_events(calendar, drafts)
        orders.draft_bad_rows()
        if config.plant:
            orders.draft_dirty_export(bed)
    if config.dirt.duplicates:
        orders.draft_duplicates()
    if config.traffic_sources:
        _draft_platform_figures(config, calendar, facts, drafts)
    if config.profiles:
        profile_files.draft_members(facts.people, calendar, drafts)
        profile_files.draft_consents(consents, calendar, drafts)
        if config.form == "shopify":
            shopify_files.draft_customers(facts, consents, calendar, drafts)
    return drafts


def _draft_platform_figures(config: SimulationConfig, calendar: Calendar, facts: Facts, drafts: Drafts) -> None:
    figures = traffic_files.count_sources(facts.sessions, facts.orders, calendar)
    if not config.form.startswith("taobao"):
        traffic_files.draft_sources(figures, drafts)
        return
    kind = _kind(config)
    sycm_files.draft_shop_sources(figures, calendar, drafts, kind, twice=config.dirt.duplicates)
    sycm_files.draft_items(facts.sessions, facts.orders, calendar, drafts, kind)


def _kind(config: SimulationConfig) -> sycm_files.Kind:
    """The workbooks of 生意参谋 that go with a form of Taobao's."""
    return "xls" if config.form == "taobao" else "xlsx"


def _books(config: SimulationConfig, calendar: Calendar, facts: Facts) -> dict[int, dict[str, Books]]:
    days = sorted({calendar.end, *(day_number(day) for day in config.truth_dates)})
    snapshots = profile_files.snapshot_days(calendar)
    books: dict[int, dict[str, Books]] = {}
    for as_of in days:
        newest = max(day for day in snapshots if day <= as_of)
        members = [
            person.customer_id
            for person in facts.people
            if config.profiles and person.is_member and person.joined_day <= newest
        ]
        after = keep_books(facts, calendar, as_of, members, with_late=True)
        before = keep_books(facts, calendar, as_of, members, with_late=False) if config.hold_back else after
        books[as_of] = {"before_late": before, "after_late": after}
    return books


def _truth(
    config: SimulationConfig,
    calendar: Calendar,
    bed: Planting,
    drafts: Drafts,
    books: dict[int, dict[str, Books]],
    consents: list[Consent],
    suppressions: list[Suppression],
) -> dict[str, Any]:
    files = drafts.sorted()
    totals: dict[str, dict[str, Any]] = {}
    for day, pages in books.items():
        after = shop_totals(pages["after_late"])
        before = shop_totals(pages["before_late"]) if config.hold_back else after
        totals[day_text(day)] = {"before_late": before, "after_late": after}
    return {
        "schema_version": SCHEMA_VERSION,
        "form": config.form,
        "time_zone": config.time_zone,
        "currency": config.currency,
        "seed": config.seed,
        "as_of": day_text(calendar.end),
        "traffic_start": day_text(calendar.traffic_start),
        "daily_from": day_text(calendar.daily_from),
        "late_files": [draft.path for draft in files if draft.is_late],
        "left_out": bed.left_out,
        "not_told": bed.not_told,
        "same_person": bed.same_person,
        "absent_customers": [dirt.NOBODY] if config.dirt.bad_rows else [],
        "files": {draft.path: draft.describe() for draft in files},
        "totals": totals,
        "planted": describe_plants(bed, books, calendar, consents, suppressions),
    }


def _write_truth(target: Path, document: dict[str, Any]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1)
    temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
    temporary.replace(target)
