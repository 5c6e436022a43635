"""The state of a shop as its files tell it: what ran, what is published, late, missing or held back, and what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from renqun.observe.lateness import Late, late
from renqun.observe.runs import StageRun, last_of_each_stage
from renqun.settings import GROUPS, Group, Home, Shop, ShopPaths

_SHOWN_DAYS = 5


@dataclass(frozen=True)
class AudienceState:
    """One audience: its current version, and the last decision on it where that was not to publish."""

    audience_id: str
    as_of: date | None
    version: str | None
    members: int | None
    held_back: str | None = None
    """Why the last date was held back; null where it was not."""


@dataclass(frozen=True)
class GateState:
    """The last verdicts of a gate, over all objects that it asked."""

    gate: str
    ds: date
    checks: int
    failed: tuple[str, ...]
    """Ids of critical checks; one that failed for two audiences is named once, and counted twice."""
    warned: tuple[str, ...]
    failed_count: int
    warned_count: int


@dataclass(frozen=True)
class ShopState:
    """What `renqun status` and `renqun metrics` tell of a shop."""

    shop: Shop
    marts_as_of: date | None
    marts_version: str | None
    stages: tuple[StageRun, ...]
    audiences: tuple[AudienceState, ...]
    gates: tuple[GateState, ...]
    waiting: dict[Group, list[date]]
    """Days that lie in landing and were not taken in."""
    missing: dict[Group, list[date]]
    """Days between the first and the last accepted ones that an expected group does not have."""
    late: Late | None
    open_alerts: int


def look(home: Home, shop: Shop, now: datetime) -> ShopState:
    """The state of a shop now."""
    from renqun.alerts.ledger import open_alerts
    from renqun.publish.versions import latest_marts

    paths = home.paths(shop.id)
    latest = latest_marts(paths)
    return ShopState(
        shop=shop,
        marts_as_of=latest.as_of if latest else None,
        marts_version=latest.version if latest else None,
        stages=tuple(last_of_each_stage(paths)),
        audiences=tuple(_audiences(paths)),
        gates=tuple(_gates(paths)),
        waiting=_waiting(paths),
        missing=_missing(paths, shop),
        late=late(home, shop, now),
        open_alerts=len(open_alerts(paths)),
    )


def next_steps(state: ShopState) -> list[str]:
    """What an operator does next, the most urgent first; nothing where all is well."""
    from renqun.alerts.causes import PAGES, RUNBOOKS

    of_shop = "" if state.shop.id == "default" else f" --shop {state.shop.id}"
    steps = []
    if state.late is not None:
        steps.append(
            f"{state.late.ds} is late since {state.late.due:%Y-%m-%d %H:%M}, it lacks {', '.join(state.late.lacks)}:"
            f" {RUNBOOKS}/late.md"
        )
    for run in state.stages:
        if run.verdict in ("stopped", "refused", "failed"):
            gate = run.stage.removeprefix("gate_")
            page = f"gate-{gate}.md" if run.stage != gate else PAGES.get(run.dag, f"{run.dag}.md")
            steps.append(f"{run.dag} / {run.stage} of {run.ds} {run.verdict}: {run.error}: {RUNBOOKS}/{page}")
    held = [one.audience_id for one in state.audiences if one.held_back]
    if held:
        steps.append(f"held back: {', '.join(held)}; look at 'renqun audience list{of_shop}'")
    for group, absent in state.missing.items():
        # What lies in landing is there, and was not taken in: that is the next line.
        days = [day for day in absent if day not in state.waiting.get(group, [])]
        if not days:
            continue
        steps.append(
            f"{group} has no export of {days_in_words(days)}: drop it and run the day, or"
            f" 'renqun close-day{of_shop} --group {group} --date {days[0]}'"
        )
    for group, days in state.waiting.items():
        steps.append(f"{group} of {days_in_words(days)} lies in landing: 'renqun run{of_shop} --date {days[-1]}'")
    return steps


def days_in_words(days: list[date]) -> str:
    """The first days, and how many more."""
    more = f" and {len(days) - _SHOWN_DAYS} more" if len(days) > _SHOWN_DAYS else ""
    return ", ".join(map(str, days[:_SHOWN_DAYS])) + more


def newest_results(paths: ShopPaths) -> dict[str, dict[str, Any]]:
    """The last verdicts on each object, by the name of its file (`<stage>.<object>[.<subject>].json`)."""
    newest: dict[str, dict[str, Any]] = {}
    files = sorted(
        (paths.quality / "results").glob("*/*/*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True
    )
    for file in files:
        if file.name not in newest:
            newest[file.name] = json.loads(file.read_text(encoding="utf-8"))
    return dict(sorted(newest.items()))


def bad_checks(report: dict[str, Any], severity: str) -> list[str]:
    """The ids of the checks of a result file that failed with a severity."""
    return [
        check["id"]
        for check in report["checks"]
        if check["severity"] == severity and check["verdict"] in ("failed", "error")
    ]


def _gates(paths: ShopPaths) -> list[GateState]:
    """Of each gate the verdicts of its last run; a run is one business date."""
    reports: dict[str, list[dict[str, Any]]] = {}
    for report in newest_results(paths).values():
        reports.setdefault(report["stage"], []).append(report)
    gates = []
    for gate in ("raw", "staging", "marts", "audience", "published"):
        asked = reports.get(gate, [])
        if not asked:
            continue
        ds = max(report["ds"] for report in asked)
        last = [report for report in asked if report["ds"] == ds]
        failed = [one for report in last for one in bad_checks(report, "critical")]
        warned = [one for report in last for one in bad_checks(report, "warning")]
        gates.append(
            GateState(
                gate=gate,
                ds=date.fromisoformat(ds),
                checks=sum(len(report["checks"]) for report in last),
                failed=tuple(sorted(set(failed))),
                warned=tuple(sorted(set(warned))),
                failed_count=len(failed),
                warned_count=len(warned),
            )
        )
    return gates


def _audiences(paths: ShopPaths) -> list[AudienceState]:
    from renqun.publish.history import AudienceFolder

    root = paths.published_audiences
    found = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []:
        audience = AudienceFolder(folder)
        version = audience.latest()
        days = sorted(file.parent.name.removeprefix("as_of=") for file in folder.glob("as_of=*/outcome.json"))
        outcome = audience.outcome(date.fromisoformat(days[-1])) if days else None
        if version is None and outcome is None:
            continue
        held = outcome is not None and outcome.status == "held_back"
        found.append(
            AudienceState(
                audience_id=folder.name,
                as_of=version.manifest.as_of if version else None,
                version=version.version if version else None,
                members=version.manifest.counts.members if version else None,
                held_back=(outcome.reason or "held back") if held and outcome is not None else None,
            )
        )
    return found


def _waiting(paths: ShopPaths) -> dict[Group, list[date]]:
    from renqun.ingest.days import days_without_batch
    from renqun.ingest.landing import days_in_landing

    waiting = {group: days_without_batch(paths, group, days_in_landing(paths, group)) for group in GROUPS}
    return {group: days for group, days in waiting.items() if days}


def _missing(paths: ShopPaths, shop: Shop) -> dict[Group, list[date]]:
    from renqun.ingest.days import days_without_batch
    from renqun.ingest.ledger import accepted_batches

    batches = accepted_batches(paths)
    missing: dict[Group, list[date]] = {}
    for group in shop.expect:
        own = {record.ds for record in batches if record.group == group}
        if not own:
            continue
        last = max(record.ds for record in batches)
        days = [min(own) + timedelta(days=n) for n in range((last - min(own)).days + 1)]
        if absent := days_without_batch(paths, group, [day for day in days if day not in own]):
            missing[group] = absent
    return missing
