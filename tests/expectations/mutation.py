"""`make mutation`: injects the fault of every check of every gate, and writes how many of them were caught.

The faults and what must come of them stand in the tests of this folder. A fault is caught when all tests that inject
it pass: the gate's own verdict names exactly this check, and no other that the fault does not imply.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from renqun.quality import load_stage
from renqun.quality.suite import STAGES, Suite

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "mutation.md"
COMMAND = "make mutation"


@dataclass
class Count:
    """Hears of every test, and keeps for which checks faults were injected and which of them slipped through."""

    injected: set[str] = field(default_factory=set)
    missed: set[str] = field(default_factory=set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest for the set-up, the call and the end of each test, also by its workers'."""
        from bench_of_checks import INJECTED

        checks = {str(value) for name, value in report.user_properties if name == INJECTED}
        if report.when == "call" and not report.skipped:
            self.injected |= checks
        if report.failed:
            self.missed |= checks

    @property
    def caught(self) -> set[str]:
        """Checks whose fault every test saw."""
        return self.injected - self.missed


@dataclass(frozen=True)
class Score:
    """What a gate caught."""

    critical: int
    injected: int
    caught: int


def score_of(checks: Iterable[str], count: Count) -> Score:
    """The score over these checks."""
    wanted = set(checks)
    return Score(len(wanted), len(wanted & count.injected), len(wanted & count.caught))


def page(suites: dict[str, tuple[Suite, ...]], count: Count) -> str:
    """`docs/mutation.md`: the score of each gate, then each object's critical checks by id."""
    lines = [
        "# What the gates catch",
        "",
        f"Written by `{COMMAND}`: do not edit. For every critical check one fault is injected into good data or files;",
        "it is caught when exactly this check says no (and those that the fault implies). `is_there` is the rule that",
        "every object begins with: its fault is the object's absence. The faults: `tests/expectations/`.",
        "",
        *_table(
            ["gate", "objects", "critical checks", "caught / injected"],
            [_gate_row(stage, of_stage, count) for stage, of_stage in suites.items()],
        ),
        "",
    ]
    for stage, of_stage in suites.items():
        rows = [_object_row(suite, count) for suite in of_stage]
        lines += [f"## Gate {stage}", "", *_table(["object", "caught / injected", "critical checks"], rows), ""]
    return "\n".join(lines)


def _gate_row(stage: str, suites: Iterable[Suite], count: Count) -> list[str]:
    suites = list(suites)
    score = score_of((check for suite in suites for check in suite.critical_ids), count)
    return [stage, str(len(suites)), str(score.critical), f"{score.caught} / {score.injected}"]


def _object_row(suite: Suite, count: Count) -> list[str]:
    score = score_of(suite.critical_ids, count)
    ids = [f"`{check}`" + ("" if check in count.caught else " **missed**") for check in suite.critical_ids]
    return [f"`{suite.object}`", f"{score.caught} / {score.injected}", ", ".join(ids)]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def main() -> int:
    """Run the tests that inject faults, print the score, write the page; 0 where all critical checks caught theirs.

    A fault that slipped through is 1, tests that could not be run are 3.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", default="2", help="how many tests at a time")
    arguments = parser.parse_args()
    sys.path.insert(0, str(HERE))
    count = Count()
    # The test of the page that is written here asks about the last one.
    others = ["-p", "no:cacheprovider", f"--ignore={HERE / 'test_every_critical_check_has_a_fault.py'}"]
    ended = pytest.main(["-q", "-n", arguments.workers, "--dist", "loadfile", *others, str(HERE)], [count])
    suites = {str(stage): load_stage(stage) for stage in STAGES}
    critical = {check for of_stage in suites.values() for suite in of_stage for check in suite.critical_ids}
    print(f"\n{'gate':<12}{'critical':>9}{'caught / injected':>20}")
    for stage, of_stage in suites.items():
        score = score_of((check for suite in of_stage for check in suite.critical_ids), count)
        print(f"{stage:<12}{score.critical:>9}{f'{score.caught} / {score.injected}':>20}")
    for check in sorted(critical - count.caught):
        print(f"not caught: {check}" + ("" if check in count.injected else " (no fault was injected)"))
    if ended not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        print("the tests could not be run: the page stays as it was", file=sys.stderr)
        return 3
    PAGE.write_text(page(suites, count), encoding="utf-8")
    print(f"written: {PAGE}")
    return 0 if critical <= count.caught and ended == pytest.ExitCode.OK else 1


if __name__ == "__main__":
    sys.exit(main())
