"""`renqun status`: the last builds, what is published, what is missing, who is at work."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from typing import Annotated, Any

import typer

from renqun.cli.output import JsonOption, ShopOption, print_facts, print_json, print_table
from renqun.settings import DEFAULT_SHOP, Home, Shop, ShopPaths


def status(
    shop_id: ShopOption = DEFAULT_SHOP,
    builds: Annotated[int, typer.Option(help="How many builds to show.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """The state of a shop: published versions, last builds with each model, gates, missing days, who is at work."""
    from renqun.thresholds import check_overrides

    home = Home.from_environment()
    shop = home.shop(shop_id)
    check_overrides(shop)
    state = _state(home, shop, builds)
    if as_json:
        print_json(state)
        return
    published = state["published_marts"]
    print_facts(
        {
            "shop": shop.id,
            "marts": published and f"as of {published['as_of']}, version {published['version']}",
            "at work": ", ".join(state["at_work"]) or "nobody",
            "waiting in landing": _days_in_words(state["waiting"]),
            "missing days": _days_in_words(state["missing"]),
        }
    )
    if state["set_aside"]:
        from renqun.ingest.reasons import set_aside_in_words

        table = [(rows, reason, set_aside_in_words(reason)) for reason, rows in state["set_aside"]["reasons"].items()]
        print_table(f"rows set aside on {state['set_aside']['date']}", ("rows", "reason", "what it means"), table)
    for build in state["builds"]:
        title = f"build {build['build_id']} as of {build['as_of']}, layer {build['layer']}, {build['seconds']:.1f} s"
        rows = [(node["name"], node["state"], node["rows"], f"{node['seconds']:.2f}") for node in build["models"]]
        print_table(title, ("model", "state", "rows", "seconds"), rows)
    if state["gates"]:
        columns = ("gate", "date", "checks", "failed", "warned")
        print_table(
            "gates, each at its last run", columns, [[gate[name] for name in columns] for gate in state["gates"]]
        )


def _state(home: Home, shop: Shop, builds: int) -> dict[str, Any]:
    from renqun.publish.versions import latest_marts

    paths = home.paths(shop.id)
    latest = latest_marts(paths)
    return {
        "shop": shop.id,
        "published_marts": latest and {"as_of": latest.as_of, "version": latest.version, "folder": latest.folder},
        "at_work": _at_work(paths),
        "waiting": _waiting(paths),
        "missing": _missing(paths, shop),
        "set_aside": _set_aside(paths),
        "builds": _builds(paths, builds),
        "gates": _gates(paths),
    }


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


def _waiting(paths: ShopPaths) -> dict[str, list[date]]:
    """Days that lie in landing and were not taken in."""
    from renqun.ingest.days import days_without_batch
    from renqun.ingest.landing import days_in_landing
    from renqun.settings import GROUPS

    waiting = {group: days_without_batch(paths, group, days_in_landing(paths, group)) for group in GROUPS}
    return {group: days for group, days in waiting.items() if days}


def _missing(paths: ShopPaths, shop: Shop) -> dict[str, list[date]]:
    """Days between the first and the last accepted ones that an expected group does not have."""
    from renqun.ingest.days import days_without_batch
    from renqun.ingest.ledger import accepted_batches

    batches = accepted_batches(paths)
    missing: dict[str, list[date]] = {}
    for group in shop.expect:
        own = {record.ds for record in batches if record.group == group}
        if not own:
            continue
        last = max(record.ds for record in batches)
        days = [min(own) + timedelta(days=n) for n in range((last - min(own)).days + 1)]
        if absent := days_without_batch(paths, group, [day for day in days if day not in own]):
            missing[group] = absent
    return missing


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
    """The verdicts of the newest run of each gate."""
    newest: dict[str, Any] = {}
    for file in sorted((paths.quality / "results").glob("*/*/*.json"), key=lambda file: file.stat().st_mtime_ns):
        newest[file.name] = json.loads(file.read_text(encoding="utf-8"))
    return [
        {
            "gate": name.removesuffix(".json"),
            "date": report["ds"],
            "checks": len(report["checks"]),
            "failed": _bad(report, "critical"),
            "warned": _bad(report, "warning"),
        }
        for name, report in sorted(newest.items())
    ]


def _bad(report: dict[str, Any], severity: str) -> str | None:
    bad = [
        check["id"]
        for check in report["checks"]
        if check["severity"] == severity and check["verdict"] in ("failed", "error")
    ]
    return ", ".join(bad) or None


def _days_in_words(days: dict[str, list[date]]) -> str | None:
    parts = []
    for group, absent in days.items():
        shown = ", ".join(map(str, absent[:5])) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
        parts.append(f"{group}: {shown}")
    return "; ".join(parts) or None
