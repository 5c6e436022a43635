"""`renqun status`: what ran, what is published, what is late or missing, who is at work, and what to do next."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renqun.cli.output import JsonOption, ShopOption, print_facts, print_json, print_table
from renqun.settings import DEFAULT_SHOP, Group, Home, ShopPaths

if TYPE_CHECKING:
    from renqun.observe.state import ShopState


def status(
    shop_id: ShopOption = DEFAULT_SHOP,
    builds: Annotated[int, typer.Option(help="How many builds to show.")] = 3,
    details: Annotated[
        bool, typer.Option("--details", help="Also each model of the last builds, and each object of the gates.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """The state of a shop in one screen: each stage's last run, what is published, gates, what is late or missing,
    who is at work, and what to do next."""
    from renqun.observe.state import look, next_steps
    from renqun.thresholds import check_overrides

    home = Home.from_environment()
    shop = home.shop(shop_id)
    check_overrides(shop)
    state = look(home, shop, datetime.now(UTC))
    steps = next_steps(state)
    if as_json:
        print_json(_for_programs(home, state, steps, builds))
        return
    paths = home.paths(shop.id)
    print_facts(
        {
            "shop": shop.id,
            "marts": state.marts_as_of and f"as of {state.marts_as_of}, version {state.marts_version}",
            "at work": ", ".join(_at_work(paths)) or "nobody",
            **({"late": f"{state.late.ds}, since {state.late.due:%Y-%m-%d %H:%M}"} if state.late else {}),
            "waiting in landing": _days_in_words(state.waiting),
            "missing days": _days_in_words(state.missing),
        }
    )
    _print_set_aside(paths)
    _print_stages(state)
    _print_published(state)
    if details:
        _print_details(paths, builds)
    print("next:" if steps else "next: nothing, all is well" if state.stages else "next: drop exports, 'renqun run'")
    for step in steps:
        print(f"  - {step}")


def _for_programs(home: Home, state: ShopState, steps: list[str], builds: int) -> dict[str, Any]:
    from renqun.publish.versions import latest_marts

    paths = home.paths(state.shop.id)
    latest = latest_marts(paths)
    return {
        "shop": state.shop.id,
        "published_marts": latest and {"as_of": latest.as_of, "version": latest.version, "folder": latest.folder},
        "published_audiences": [asdict(one) for one in state.audiences],
        "at_work": _at_work(paths),
        "late": state.late and asdict(state.late),
        "waiting": state.waiting,
        "missing": state.missing,
        "set_aside": _set_aside(paths),
        "stages": [run.model_dump(mode="json", exclude={"shop_id", "versions"}) for run in state.stages],
        "builds": _builds(paths, builds),
        "gates": _gates(paths),
        "open_alerts": state.open_alerts,
        "next": steps,
    }


def _print_stages(state: ShopState) -> None:
    rows = [
        (
            f"{run.dag} / {run.stage}",
            run.ds,
            run.verdict,
            None if run.rows is None else f"{run.rows:,}",
            f"{run.seconds:.1f}",
            None if run.peak_memory_bytes is None else f"{run.peak_memory_bytes / 1e6:,.0f}",
        )
        for run in state.stages
    ]
    if rows:
        print_table("each task at its last run", ("task", "date", "ended", "rows", "seconds", "MB"), rows)


def _print_published(state: ShopState) -> None:
    if state.audiences:
        rows = [
            (one.audience_id, one.as_of, one.version, one.members, one.held_back and f"held back: {one.held_back}")
            for one in state.audiences
        ]
        print_table("audiences, each at its latest version", ("audience", "as of", "version", "members", "note"), rows)
    if state.gates:
        gates = [
            (one.gate, one.ds, one.checks, ", ".join(one.failed) or None, ", ".join(one.warned) or None)
            for one in state.gates
        ]
        print_table("gates, each at its last run", ("gate", "date", "checks", "failed", "warned"), gates)


def _print_set_aside(paths: ShopPaths) -> None:
    from renqun.ingest.reasons import set_aside_in_words

    if aside := _set_aside(paths):
        table = [(rows, reason, set_aside_in_words(reason)) for reason, rows in aside["reasons"].items()]
        print_table(f"rows set aside on {aside['date']}", ("rows", "reason", "what it means"), table)


def _print_details(paths: ShopPaths, builds: int) -> None:
    for build in _builds(paths, builds):
        title = f"build {build['build_id']} as of {build['as_of']}, layer {build['layer']}, {build['seconds']:.1f} s"
        rows = [(node["name"], node["state"], node["rows"], f"{node['seconds']:.2f}") for node in build["models"]]
        print_table(title, ("model", "state", "rows", "seconds"), rows)
    columns = ("gate", "date", "checks", "failed", "warned")
    if gates := _gates(paths):
        print_table("each object of the gates", columns, [[gate[name] for name in columns] for gate in gates])


def _at_work(paths: ShopPaths) -> list[str]:
    from renqun.errors import ShopBusy
    from renqun.lock import exclusive, holder

    found = []
    for lock in (paths.run_lock, paths.writer_lock):
        if not lock.exists():
            continue
        note = holder(lock)
        try:
            with exclusive(lock, "renqun status"):
                pass
        except ShopBusy:
            found.append(note)
    return found


def _set_aside(paths: ShopPaths) -> dict[str, Any] | None:
    """The rows of the newest date that were set aside, by reason, of whatever became of their files."""
    from renqun.ingest.ledger import all_batches

    records = [record for record in all_batches(paths) if record.verdict != "withdrawn"]
    newest = max((record.ds for record in records), default=None)
    reasons: Counter[str] = Counter()
    for record in records:
        reasons.update(record.quarantine_reasons if record.ds == newest else {})
    return {"date": newest, "reasons": dict(sorted(reasons.items()))} if reasons else None


def _builds(paths: ShopPaths, count: int) -> list[dict[str, Any]]:
    """The last builds, layer by layer, newest first."""
    files = sorted(
        (paths.quality / "builds").glob("*/*/*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True
    )
    found: list[dict[str, Any]] = []
    for file in files:
        build_id, as_of = file.parent.name, file.parent.parent.name
        if build_id not in {build["build_id"] for build in found[-1:]} and len({b["build_id"] for b in found}) == count:
            break
        report = json.loads(file.read_text(encoding="utf-8"))
        found.append(
            {
                "build_id": build_id,
                "as_of": as_of,
                "layer": report["layer"],
                "resumed": report["resumed"],
                "seconds": report["seconds"],
                "models": [node for node in report["nodes"] if node["kind"] != "test"],
                "failed": [node for node in report["nodes"] if node["state"] in {"error", "fail", "runtime error"}],
            }
        )
    return found


def _gates(paths: ShopPaths) -> list[dict[str, Any]]:
    """The last verdicts on each object of each gate."""
    from renqun.observe.state import bad_checks, newest_results

    return [
        {
            "gate": name.removesuffix(".json"),
            "date": report["ds"],
            "checks": len(report["checks"]),
            "failed": ", ".join(bad_checks(report, "critical")) or None,
            "warned": ", ".join(bad_checks(report, "warning")) or None,
        }
        for name, report in newest_results(paths).items()
    ]


def _days_in_words(days: Mapping[Group, list[date]]) -> str | None:
    from renqun.observe.state import days_in_words

    return "; ".join(f"{group}: {days_in_words(absent)}" for group, absent in days.items()) or None
