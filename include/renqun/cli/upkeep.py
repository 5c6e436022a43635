"""`renqun backup`, `restore`, `maintenance` and `restatement`: keeping a home, and knowing what late data changed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from renqun.cli.output import JsonOption, ShopOption, print_facts, print_json, print_table
from renqun.settings import DEFAULT_SHOP, Home


def backup(
    to: Annotated[Path, typer.Argument(metavar="TO", help="A new folder outside the home.")],
    as_json: JsonOption = False,
) -> None:
    """Copy all shops of the home into a folder, with a digest of every file. Runs wait meanwhile."""
    from renqun.upkeep.backup import backup as take

    taken = take(Home.from_environment(), to, now=_now())
    facts = {"backup": str(taken.place), "shops": list(taken.shops), "files": taken.files, "bytes": taken.bytes}
    print_json(facts) if as_json else print_facts({**facts, "shops": ", ".join(taken.shops)})


def restore(
    origin: Annotated[Path, typer.Argument(metavar="FROM", help="A folder that 'renqun backup' made.")],
    as_json: JsonOption = False,
) -> None:
    """Put a backup into RENQUN_HOME, which must not have its shops. A damaged backup is refused."""
    from renqun.upkeep.backup import restore as put_back

    home = Home.from_environment()
    done = put_back(home, origin)
    facts = {"home": str(home.root), "shops": list(done.shops), "files": done.files, "bytes": done.bytes}
    print_json(facts) if as_json else print_facts({**facts, "shops": ", ".join(done.shops)})


def maintenance(
    shop_id: ShopOption = DEFAULT_SHOP,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove what has had its time by the shop's rules, and compact the warehouse: what the weekly DAG does."""
    from renqun.upkeep.maintenance import maintain

    home = Home.from_environment()
    done = maintain(home, home.shop(shop_id), now=_now(), dry_run=dry_run)
    if as_json:
        print_json({**asdict(done), "bytes": done.bytes})
        return
    rows = [(one.rule, one.path, f"{one.bytes:,}") for one in done.removals]
    print_table("would go" if dry_run else "gone", ("rule", "what", "bytes"), rows)
    warehouse = f"{done.compacted[0]:,} → {done.compacted[1]:,} bytes" if done.compacted else "as it is"
    print_facts({"bytes": f"{done.bytes:,}", "warehouse": warehouse})


def roles(shop_id: ShopOption = DEFAULT_SHOP, as_json: JsonOption = False) -> None:
    """Let the group of analysts (RENQUN_ANALYSTS_GROUP) read published marts, and nobody else read anything."""
    from renqun.upkeep.roles import apply_roles

    home = Home.from_environment()
    changed = apply_roles(home, home.shop(shop_id).id)
    rows = [(str(door.folder), f"{door.mode:04o}", "analysts" if door.is_for_analysts else None) for door in changed]
    if as_json:
        print_json([{"folder": folder, "mode": mode, "readers": readers} for folder, mode, readers in rows])
        return
    print_table("changed" if rows else "nothing had to be changed", ("folder", "mode", "readers"), rows)


def restatement(shop_id: ShopOption = DEFAULT_SHOP, as_json: JsonOption = False) -> None:
    """Which published versions would hold other people by what is known today. Nothing is written again."""
    from renqun.upkeep.restatement import restatement as compare

    home = Home.from_environment()
    shop = home.shop(shop_id)
    found = compare(home.paths(shop.id), shop.id)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    print_facts({"compared with": found.by and f"marts as of {found.by.as_of}, version {found.by.version}"})
    rows: list[tuple[object, ...]] = [
        (one.as_of, one.version, segment.segment_id, segment.added, segment.removed)
        for one in found.marts
        for segment in one.segments
    ]
    rows += [(one.as_of, one.version, one.unknown, None, None) for one in found.marts if one.unknown]
    print_table("marts that would differ", ("as of", "version", "segment", "added", "removed"), rows)
    shown = [one for one in found.audiences if one.differs or one.added or one.unknown]
    lines: list[tuple[object, ...]] = [
        (one.audience_id, one.as_of, one.version, one.members, _added(one.added_for_certain, one.added), one.removed,
         one.unknown)
        for one in shown
    ]  # fmt: skip
    columns = ("audience", "as of", "version", "members", "added", "removed", "not known because")
    print_table("audiences that would differ", columns, lines)


def _added(least: int, most: int | None) -> str | None:
    return None if most is None else str(most) if least == most else f"{least} to {most}"


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
