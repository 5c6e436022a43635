"""`renqun backup`, `restore`, `maintenance` and `restatement`: keeping a home, and knowing what late data changed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from renqun.cli.output import JsonOption, print_facts, print_json
from renqun.settings import Home


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


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
