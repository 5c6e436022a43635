"""The faults: each breaks a run of the second day, or the home before it, and says what was seen meanwhile.

A fault is a function of a lab and a home that does the damage, runs, mends the cause (what an operator would do: free
the disk, end the other process, land the whole file), and returns in words what the broken run did. One normal run
comes after it; that is not its business.
"""

from __future__ import annotations

import glob
import os
import random
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab import FIRST, SECOND, Lab, faulty, run, standing_is_whole
from workbench import Outcome, Workbench

SEED = 20260310
CHAINS = {
    "ingest_orders": ("wait_for_files", "receive_files", "gate_raw", "promote_batches", "announce_exports"),
    "ingest_traffic": ("wait_for_files", "receive_files", "gate_raw", "promote_batches", "announce_exports"),
    "build_marts": ("plan_build", "build_staging", "gate_staging", "build_marts", "gate_marts", "publish_marts"),
    "publish_audiences": ("select_members", "gate_audience", "write_files", "gate_published", "promote_audiences"),
}
"""Tasks of a day of a shop that expects orders and traffic; a test keeps them those of the DAGs."""
RANDOM_KILLS = 6


class NotHere(Exception):
    """This machine cannot have this fault."""


@dataclass(frozen=True)
class Fault:
    """A fault by name: what happens, and the function that makes it happen."""

    name: str
    what: str
    strike: Callable[[Lab, Workbench], str]
    needs_volume: int = 0
    """Megabytes of the file system of its own that the home has to lie on; 0 where any will do."""


def _ended(outcome: Outcome) -> str:
    if outcome.exit_code < 0:
        return f"killed (signal {-outcome.exit_code})"
    assert "Traceback" not in outcome.text, outcome.text
    return f"exit {outcome.exit_code}" + ("" if outcome.exit_code == 0 else f": {_short(outcome.text)}")


def _short(text: str) -> str:
    """The first sentence of an error, behind the task that failed; without places, which are others every time."""
    lines = [line.strip() for line in text.splitlines()]
    behind = next((number for number, line in enumerate(lines[:-1]) if line.startswith("✗")), None)
    said = lines[behind + 1] if behind is not None else next((line for line in lines if line), "")
    return re.sub(r"/[^\s'\"]+/", "…/", said).replace("|", "/")[:160]


# --- kills ----------------------------------------------------------------------------------------------


def _kill_at(dag: str, task: str, when: str, whole_group: bool) -> Fault:
    def strike(lab: Lab, bench: Workbench) -> str:
        plan = {"kind": "kill_at_task", "dag": dag, "task": task, "when": when, "whole_group": whole_group}
        outcome = run(faulty(bench, plan))
        assert outcome.exit_code == -9, outcome.text
        return _ended(outcome)

    moment = {"0": "as it begins", "end": "as it ends"}.get(when, f"{when} s after its begin")
    who = "and its dbt " if whole_group else ""
    return Fault(f"kill: {dag}.{task}", f"kill −9 of the run {who}{moment}", strike)


def _kills() -> Iterator[Fault]:
    draw = random.Random(SEED)
    for dag, tasks in CHAINS.items():
        for task in tasks:
            yield _kill_at(dag, task, draw.choice(["0", "0.1", "0.5", "1.5", "end"]), draw.random() < 0.5)


def _random_kill(number: int, share: float, whole_group: bool) -> Fault:
    def strike(lab: Lab, bench: Workbench) -> str:
        seconds = lab.seconds * share
        outcome = run(faulty(bench, {"kind": "kill_after", "seconds": seconds, "whole_group": whole_group}))
        assert outcome.exit_code == -9, outcome.text
        return _ended(outcome)

    return Fault(f"kill: moment {number}", f"kill −9 after {share:.0%} of an undisturbed run's time", strike)


def _random_kills() -> Iterator[Fault]:
    draw = random.Random(SEED + 1)
    for number in range(1, RANDOM_KILLS + 1):
        yield _random_kill(number, round(draw.uniform(0.05, 0.9), 2), draw.random() < 0.5)


# --- disks ----------------------------------------------------------------------------------------------


def _full_disk(free_kilobytes: int) -> Fault:
    def strike(lab: Lab, bench: Workbench) -> str:
        filler = bench.home.parent / "filler"
        free = shutil.disk_usage(bench.home).free - free_kilobytes * 1024
        with filler.open("wb") as file:
            for _ in range(free // (1 << 20)):
                file.write(bytes(1 << 20))
        outcome = run(bench)
        filler.unlink()
        assert outcome.exit_code != 0, outcome.text
        return _ended(outcome)

    size = f"{free_kilobytes} KB" if free_kilobytes < 1024 else f"{free_kilobytes // 1024} MB"
    return Fault(f"disk full: {size}", f"{size} are left on the volume of the home", strike, needs_volume=400)


def _read_only(folder: str) -> Fault:
    def strike(lab: Lab, bench: Workbench) -> str:
        place = str(bench.shop() / folder)
        for options in (["--bind", place, place], ["-o", "remount,ro,bind", place]):
            subprocess.run(["mount", *options], check=True, capture_output=True)
        try:
            outcome = run(bench)
        finally:
            subprocess.run(["umount", place], check=True, capture_output=True)
        assert outcome.exit_code != 0, outcome.text
        return _ended(outcome)

    return Fault(f"read-only: {folder}", f"the volume of `{folder}/` can only be read", strike, needs_volume=400)


# --- files ----------------------------------------------------------------------------------------------


def _damage(file: Path, how: str) -> bytes:
    before = file.read_bytes()
    file.chmod(0o644)
    middle = len(before) // 3
    damaged = {
        "cut off": before[: len(before) // 2],
        "zeroes inside": before[:middle] + bytes(64) + before[middle + 64 :],
        "one bit": before[:40] + bytes([before[40] ^ 1]) + before[41:],
    }[how]
    file.write_bytes(damaged)
    return before


def _raw_damaged(how: str) -> Fault:
    def strike(lab: Lab, bench: Workbench) -> str:
        (file,) = (bench.shop() / "raw" / "orders" / f"date={FIRST}").glob("*.parquet")
        before = _damage(file, how)
        outcome = run(bench)
        file.write_bytes(before)  # as a backup gives it back
        assert outcome.exit_code != 0, outcome.text
        return _ended(outcome)

    return Fault(f"raw Parquet: {how}", "an accepted file of an earlier day is damaged; a backup gives it back", strike)


def _part_damaged(how: str) -> Fault:
    def strike(lab: Lab, bench: Workbench) -> str:
        file = min((bench.shop() / "published" / "marts" / "parts" / "fct_events").glob(f"{FIRST}-*.parquet"))
        _damage(file, how)
        assert not standing_is_whole(bench), "the damage is not seen"
        return "`renqun verify` names it"

    return Fault(f"published part: {how}", "a published day of `fct_events` is damaged", strike)


def _half_uploaded(lab: Lab, bench: Workbench) -> str:
    """Under its own name, and growing while the run looks at it."""
    file = bench.shop() / "landing" / "orders" / SECOND / "orders.csv"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    go_on = threading.Event()

    def upload() -> None:
        for end in range(len(whole) // 2, len(whole), 40):
            if go_on.wait(0.3):
                return
            with file.open("ab") as stream:
                stream.write(whole[end : end + 40])

    uploading = threading.Thread(target=upload)
    uploading.start()
    outcome = run(bench)
    go_on.set()
    uploading.join()
    file.write_bytes(whole)
    assert outcome.exit_code != 0, outcome.text
    return _ended(outcome)


def _temporary_name(lab: Lab, bench: Workbench) -> str:
    file = bench.shop() / "landing" / "orders" / SECOND / "orders.csv"
    part = file.with_name("orders.csv.part")
    file.rename(part)
    outcome = run(bench)
    part.rename(file)
    assert outcome.exit_code != 0, outcome.text
    return _ended(outcome)


# --- neighbours and clocks ------------------------------------------------------------------------------

_HOLD = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(600)"


def _warehouse_open(lab: Lab, bench: Workbench) -> str:
    other = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(bench.shop() / "warehouse" / "renqun.duckdb")], stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert other.stdout.readline()
    outcome = run(bench)
    other.kill()
    other.wait()
    assert outcome.exit_code != 0, outcome.text
    return _ended(outcome)


def _writer_busy(lab: Lab, bench: Workbench) -> str:
    from renqun.lock import exclusive

    with exclusive(bench.shop() / "warehouse" / "writer.lock", "somebody else"):
        outcome = run(Workbench(bench.home, {"RENQUN_LOCK_TIMEOUT_SECONDS": "1"}))
    assert outcome.exit_code == 3, outcome.text
    return _ended(outcome)


def _faketime() -> dict[str, str]:
    """The environment in which a process reads another clock, native code included."""
    places = [os.environ.get("FAKETIME_LIBRARY", ""), *glob.glob("/usr/lib/*/faketime/libfaketime.so.1")]
    library = next((place for place in places if place and Path(place).is_file()), None)
    if library is None:
        raise NotHere("libfaketime is not installed here (FAKETIME_LIBRARY may name it)")
    # dbt and DuckDB wait by the monotonic clock, which no jump moves.
    return {"LD_PRELOAD": library, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def _clock(shift: str) -> Fault:
    def strike(lab: Lab, bench: Workbench) -> str:
        outcome = run(bench, **_faketime(), FAKETIME=shift)
        assert outcome.exit_code == 0, outcome.text
        return _ended(outcome)

    return Fault(f"clock: {shift}", f"the machine's clock is wrong by {shift} during the run", strike)


def _clock_jumps(lab: Lab, bench: Workbench) -> str:
    told = bench.home.parent / f"{bench.home.name}-clock"
    told.write_text("+0", encoding="utf-8")
    back = threading.Timer(lab.seconds / 2, lambda: told.write_text("-3d", encoding="utf-8"))
    back.start()
    outcome = run(bench, **_faketime(), FAKETIME_TIMESTAMP_FILE=str(told), FAKETIME_CACHE_DURATION="1")
    back.cancel()
    assert outcome.exit_code == 0, outcome.text
    return _ended(outcome)


def _files_of_another_time(lab: Lab, bench: Workbench) -> str:
    """What landed was written by a machine whose clock stands in 2099, or in 1980."""
    for number, file in enumerate(sorted((bench.shop() / "landing").rglob("*.csv"))):
        moment = 4_070_908_800 if number % 2 else 315_532_800
        os.utime(file, (moment, moment))
    return _ended(run(bench))


FAULTS: tuple[Fault, ...] = (
    *_kills(),
    *_random_kills(),
    _full_disk(64),
    _full_disk(2 * 1024),
    _full_disk(12 * 1024),
    _read_only("warehouse"),
    _read_only("raw"),
    _read_only("published"),
    _raw_damaged("cut off"),
    _raw_damaged("zeroes inside"),
    _raw_damaged("one bit"),
    _part_damaged("cut off"),
    _part_damaged("one bit"),
    Fault("half-uploaded: growing", "half of a file under its own name, which grows meanwhile", _half_uploaded),
    Fault("half-uploaded: .part", "a file under its temporary name", _temporary_name),
    Fault("warehouse: open elsewhere", "another process holds the warehouse file open", _warehouse_open),
    Fault("warehouse: busy", "another process holds the writer's lock, longer than anybody waits", _writer_busy),
    _clock("+400d"),
    _clock("-400d"),
    Fault("clock: jumps", "the machine's clock jumps back by three days in the middle of the run", _clock_jumps),
    Fault("clock: files", "what landed carries times of 2099 and of 1980", _files_of_another_time),
)
"""All faults of a run on one machine; those of the server are in `server_faults`. Publishing to object storage, once
there is any, adds its own here."""
