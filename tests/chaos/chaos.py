"""`make chaos`: breaks runs on purpose, runs once more, and writes what came of it into a page.

After each fault one normal run must bring published files, accepted raw and marts to what an undisturbed run gives.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.extend(str(Path(__file__).parents[1] / folder) for folder in (".", "chaos", "e2e", "infra"))

import server_faults
from faults import FAULTS, SEED, Fault, NotHere
from lab import Lab, run, standing_is_whole, volume
from rich.console import Console
from workbench import Workbench

import parsed_project

PAGE = Path(__file__).parents[2] / "docs" / "chaos.md"
COMMAND = "make chaos"
_NO_TIME = "no time was left for it"
console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Row:
    """What came of a fault."""

    name: str
    what: str
    meanwhile: str
    afterwards: str
    seconds: float
    """Of the normal run after it."""

    @property
    def is_good(self) -> bool:
        """Whether one normal run made it as if nothing had happened."""
        return self.afterwards == "as undisturbed"


def break_once(lab: Lab, fault: Fault) -> Row:
    """One fault in a copy of the home, and one normal run after it."""
    if fault.needs_volume:
        with volume(fault.needs_volume) as place:
            return _break(lab, fault, lab.copy("home", place))
    name = "".join(letter if letter.isalnum() else "-" for letter in fault.name)
    bench = lab.copy(name)
    try:
        return _break(lab, fault, bench)
    finally:
        shutil.rmtree(bench.home, ignore_errors=True)


def _break(lab: Lab, fault: Fault, bench: Workbench) -> Row:
    meanwhile = fault.strike(lab, bench)
    is_whole = standing_is_whole(bench) if not fault.name.startswith("published") else True
    began = time.monotonic()
    outcome = run(bench)
    seconds = time.monotonic() - began
    apart = lab.apart(bench) if outcome.exit_code == 0 else [f"exit {outcome.exit_code}: {outcome.text[-400:]}"]
    if not is_whole:
        apart = ["what stood during the fault was not whole", *apart]
    return Row(fault.name, fault.what, meanwhile, "; ".join(apart[:4]) or "as undisturbed", seconds)


def page(rows: list[Row], left_out: dict[str, str]) -> str:
    """The page, `chaos.md` among the documents."""
    good = sum(row.is_good for row in rows)
    lines = [
        "# What breaks, and what comes of it",
        "",
        f"Written by `{COMMAND}` (seed {SEED}): do not edit. A small shop has one day published and another landed.",
        "A run of that day is broken; then the cause is mended and the same command runs once more, normally. *As",
        "undisturbed* means: every published file, link and accepted raw file has the same bytes, and every mart the",
        "same rows, as where nothing was broken; and what stood meanwhile was whole (`renqun verify`). Of manifests",
        "the provenance (times, ids of runs) is left out; `marts.duckdb` is compared by content.",
        "",
        f"**{good} of {len(rows)} faults end as undisturbed.**",
        "",
        "| fault | what happens | the broken run | after one normal run |",
        "|---|---|---|---|",
        *(f"| {row.name} | {row.what} | {row.meanwhile} | {row.afterwards} |" for row in rows),
    ]
    if left_out:
        lines += ["", "Not struck when this page was written:", ""]
        lines += [f"- {name}: {why}" for name, why in left_out.items()]
    return "\n".join([*lines, ""])


def main() -> int:
    """Break, mend, compare, write; 0 where everything ended as undisturbed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="faults whose name contains this; the page is not written")
    parser.add_argument("--list", action="store_true", help="the names of the faults")
    parser.add_argument("--minutes", type=float, default=24 * 60.0, help="begin no fault later than so many minutes on")
    parser.add_argument("--place", help="a folder for the homes; one in memory (/dev/shm) spares a slow disk")
    arguments = parser.parse_args()
    parsed_project.make_folder()
    chosen = [fault for fault in FAULTS if arguments.only in fault.name]
    if arguments.list:
        print("\n".join([*(fault.name for fault in FAULTS), *server_faults.NAMES]))
        return 0
    began = time.monotonic()
    root = Path(tempfile.mkdtemp(prefix="renqun-chaos-", dir=arguments.place))
    rows: list[Row] = []
    left_out: dict[str, str] = {}
    try:
        lab = Lab(root)
        # Where time is short, one kill after another tells less than something else.
        for fault in sorted(chosen, key=lambda one: one.name.startswith("kill")):
            if time.monotonic() - began > arguments.minutes * 60:
                left_out[fault.name] = _NO_TIME
                continue
            try:
                row = break_once(lab, fault)
            except (NotHere, PermissionError) as why:
                left_out[fault.name] = str(why)
                continue
            except AssertionError as wrong:
                row = Row(fault.name, fault.what, f"not as foreseen: {str(wrong)[:300]!r}", "not as foreseen", 0.0)
            rows.append(row)
            console.print(
                f"{'✓' if row.is_good else '✗'} {row.name:<36} {row.meanwhile} → {row.afterwards} ({row.seconds:.0f} s)"
            )
        names = [name for name in server_faults.NAMES if arguments.only in name]
        if time.monotonic() - began > arguments.minutes * 60:
            left_out |= dict.fromkeys(names, _NO_TIME)
        elif names:
            try:
                rows += [Row(*row) for row in server_faults.strike_all(root / "server", names, console.print)]
            except server_faults.NoServer as why:
                left_out |= dict.fromkeys(names, str(why))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    if not arguments.only:
        PAGE.write_text(page(rows, left_out), encoding="utf-8")
        console.print(f"written: {PAGE}")
    good = sum(row.is_good for row in rows)
    console.print(f"{good} of {len(rows)} as undisturbed; {len(left_out)} not struck")
    return 0 if good == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
