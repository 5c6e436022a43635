"""`make demo`: a made-up shop with two years of orders, run from its exports to its audience files.

Nothing here is part of the pipeline: it calls the `renqun` command as an operator would, and says what came out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RENQUN = Path(sys.executable).with_name("renqun")
SHOP = "default"
MADE_BY_DEMO = "demo.json"
"""Beside `shops.yml`: says that the exports in landing are made up, and their first and last day."""


def main() -> int:
    """Make the exports where there are none, run them, say what came out."""
    arguments = _arguments()
    began = time.monotonic()
    home = Path(os.environ.setdefault("RENQUN_HOME", "./home"))
    if not home.joinpath("shops.yml").exists():
        _renqun("init")
    days = _exports(home, seed=arguments.seed, small=arguments.small)
    if days is None:
        print(
            f"{home / SHOP / 'landing'} holds exports that the demo did not make, so it leaves them alone.\n"
            "  to do:   run them with 'renqun run', or give the demo its own home: make demo RENQUN_HOME=./home-demo",
            file=sys.stderr,
        )
        return 2
    _say(f"Running {days['from']} to {days['to']}: ingest, build, publish, each with its gates ...")
    _renqun("run", "--from", days["from"], "--to", days["to"])
    _show_result(home, time.monotonic() - began)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--small", action="store_true", help="three hundred customers instead of twenty thousand")
    parser.add_argument("--seed", type=int, default=1, help="equal seeds give equal exports")
    return parser.parse_args()


def _exports(home: Path, *, seed: int, small: bool) -> dict[str, str] | None:
    """The first and last day of the made-up exports; made now where landing is empty, None where it is not ours."""
    note = home / MADE_BY_DEMO
    landing = home / SHOP / "landing"
    if note.exists():
        made: dict[str, str] = json.loads(note.read_text(encoding="utf-8"))
        return made
    if any(path.is_file() for path in landing.rglob("*")):
        return None
    # Made beside landing and moved there whole: an interrupted demo leaves no half of a history.
    drawn = home / ".demo-exports"
    shutil.rmtree(drawn, ignore_errors=True)
    _say(
        "Making the exports of a believable shop, orders as 千牛 and traffic as 生意参谋 give them"
        " (no real person or order is in them) ..."
    )
    options = ["--form", "taobao", *(["--small"] if small else [])]
    truth = home / "demo-truth.json"
    _renqun("simulate", "--out", str(drawn), "--truth", str(truth), "--seed", str(seed), *options)
    days = sorted(folder.name for folder in drawn.glob("*/*") if folder.is_dir())
    shutil.rmtree(landing, ignore_errors=True)
    drawn.rename(landing)
    made = {"from": days[0], "to": days[-1]}
    note.write_text(json.dumps(made) + "\n", encoding="utf-8")
    return made


def _show_result(home: Path, seconds: float) -> None:
    published = home / SHOP / "published"
    _say(f"Done in {seconds:.0f} s. What you have now, below {published}:")
    print(f"\n  marts/latest     {_newest_marts(published)}, opened read-only by any DuckDB >= 1.0; one Parquet a mart")
    audiences = json.loads(_renqun("audience", "list", "--json", show=False))
    for audience in audiences:
        print(f"  audiences/{audience['audience']:<15} {_outcome(audience)}")
    example = next((a for a in audiences if a["latest_version"]), None)
    version = f"{published}/audiences"
    if example:
        version += f"/{example['audience']}/as_of={example['latest_as_of']}/{example['latest_version']}"
    elsewhere = home.resolve() != Path("home").resolve()
    renqun = f"{f'RENQUN_HOME={home} ' if elsewhere else ''}{os.path.relpath(RENQUN)}"
    print(
        "\nTry next:\n"
        f"  {renqun} status\n"
        f'  {renqun} sql "select rfm_class, count(*) as customers, round(avg(monetary), 2) as spent'
        ' from fct_customer_rfm group by all order by all"\n'
        f"  {renqun} verify {version}"
    )


def _newest_marts(published: Path) -> str:
    link = published / "marts" / "latest"
    return str(link.readlink()) if link.is_symlink() else "none"


def _outcome(audience: dict[str, Any]) -> str:
    members = audience["members"]
    told = f"{members:>6,} members" if isinstance(members, int) else " " * 14
    reason = f"; {audience['reason']}" if audience["reason"] else ""
    return f"{told}  {audience['last_status'] or 'not published'}{reason}"


def _renqun(*arguments: str, show: bool = True) -> str:
    """Call the command; where it fails, it has said why, and the demo ends with its exit code."""
    process = subprocess.run([RENQUN, *arguments], stdout=None if show else subprocess.PIPE, text=True, check=False)
    if process.returncode:
        sys.exit(process.returncode)
    return process.stdout or ""


def _say(sentence: str) -> None:
    print(f"\n{sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
