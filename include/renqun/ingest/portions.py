"""Large texts, portion by portion: as many processes as the settings allow threads decode, check and number their rows.

Each becomes a table of cells that DuckDB takes as it lies (`renqun.ingest.arrow`), so that no row is written as CSV and
read again. Where a file is cut does not depend on the processes, so that a batch has the same bytes whatever their
number.
"""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate, chain, islice
from json import loads
from pathlib import Path
from typing import Any

from renqun.errors import TechnicalError
from renqun.ingest.catalogue import NUMBER_KINDS, TIME_KINDS, Column
from renqun.ingest.detect import Detection
from renqun.ingest.encodings import read_as_utf8
from renqun.ingest.engine import Workbench
from renqun.ingest.facts import Fact, Facts, Job, Look, Written
from renqun.ingest.plain import forget
from renqun.ingest.records import RECORD_LIMIT
from renqun.ingest.spreadsheet import rows_as_csv

PORTIONS_FROM = 16 * 1024 * 1024
"""A smaller file is read before other processes have begun."""
PORTION_BYTES = 4 * 1024 * 1024
SHEET_ROWS_FROM = 10_000
"""Workbooks of fewer rows are read as one."""
SHEET_PORTION_ROWS = 5_000
_KEPT_MEMORY = str(256 * 1024 * 1024)
_OF_A_PORTION = {
    # Numpy would start threads of its own that have nothing to do.
    "OPENBLAS_NUM_THREADS": "1",
    # Memory that was given back is asked for again with the next portion: the C library keeps it meanwhile.
    "MALLOC_MMAP_THRESHOLD_": _KEPT_MEMORY,
    "MALLOC_TRIM_THRESHOLD_": _KEPT_MEMORY,
}
_HEAD_BYTES = 1024 * 1024
"""A header ends before: it is found among a file's first bytes."""


@dataclass(frozen=True)
class Portions:
    """A file's rows in several tables (`renqun.ingest.views`), or in several CSV texts without header, in UTF-8, where
    each row begins with its number in its text."""

    paths: tuple[Path, ...]
    rows: tuple[int, ...]
    """How many each of them has, counted apart from the reader of the rows."""
    facts: Facts
    """What holds for each column of the file, by its place."""
    are_tables: bool = True

    @property
    def offsets(self) -> tuple[int, ...]:
        """How many rows stand before each of them."""
        return tuple(accumulate(self.rows, initial=0))[:-1]

    def forget(self) -> None:
        """Delete them."""
        _forget(self.paths)


def in_portions(bench: Workbench, detection: Detection, width: int) -> Portions | None:
    """A recognised text or workbook in portions; nothing where it is small, or not as regular as this way needs it.

    Args:
        bench: its folder takes the portions.
        detection: what the file is.
        width: how many cells every row has.

    Raises:
        TechnicalError: a process could not do its work, for want of room or memory.
    """
    if detection.header.format != "csv":
        return _sheets_in_portions(bench, detection, width)
    if len(detection.parts) != 1:
        return None
    path, encoding = detection.parts[0].body.path, detection.header.encoding
    if path.stat().st_size < PORTIONS_FROM or encoding.startswith("utf-16"):
        return None
    ((threads,),) = bench.connection.execute("SELECT current_setting('threads')").fetchall()
    # They begin while it is found out where to cut.
    hands = [_hand() for _ in range(min(int(threads), path.stat().st_size // PORTION_BYTES + 1))]
    targets: list[Path] = []
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            start = _start(path, detection)
            cuts = _cuts(data, start) if start is not None else None
        if cuts is None or len(cuts) < 2:
            return None
        targets += [bench.folder / f"portion-{number:05}" for number in range(len(cuts) - 1)]
        written = _write(hands, detection, path, list(zip(cuts, cuts[1:], targets, strict=False)), width)
    except BaseException:
        _forget(targets)
        raise
    finally:
        for hand in hands:
            hand.kill()
            hand.communicate()
    return _together(targets, written)


def _together(paths: Sequence[Path], written: Sequence[Written | None]) -> Portions | None:
    """Portions that were written; nothing if one of them is not regular."""
    done = [portion for portion in written if portion]
    if not done or len(done) < len(written):
        _forget(paths)
        return None
    facts = [
        frozenset[Fact].intersection(*map(frozenset, held)) for held in zip(*(one.facts for one in done), strict=True)
    ]
    return Portions(tuple(paths), tuple(portion.rows for portion in done), dict(enumerate(facts)))


def _forget(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _sheets_in_portions(bench: Workbench, detection: Detection, width: int) -> Portions | None:
    """Workbooks in portions, written by this process: only their reading is shared.

    As texts: importing what makes tables of them costs as much as it spares.
    """
    sheets = [(part.sheet, part.skip_rows) for part in detection.parts if part.sheet]
    if sum(sheet.content.height for sheet, _ in sheets) < SHEET_ROWS_FROM:
        return None
    lines = chain.from_iterable(rows_as_csv(sheet, skip, width) for sheet, skip in sheets)
    paths: list[Path] = []
    rows: list[int] = []
    while portion := list(islice(lines, SHEET_PORTION_ROWS)):
        paths.append(bench.folder / f"portion-{len(paths):05}.csv")
        rows.append(len(portion))
        with paths[-1].open("w", encoding="utf-8", errors="backslashreplace", newline="") as out:
            out.writelines(f"{number},{line}" for number, line in enumerate(portion, start=1))
    return Portions(tuple(paths), tuple(rows), {}, are_tables=False) if paths else None


def _start(path: Path, detection: Detection) -> int | None:
    """Where the first row begins in the file's own bytes; the detection has it in the bytes of UTF-8."""
    header = detection.header
    if header.encoding.startswith("utf-8"):
        return header.data_start
    head = b"".join(read_as_utf8(path, header.encoding, limit=_HEAD_BYTES))[: header.data_start]  # type: ignore[arg-type]
    if not head.endswith(b"\n"):
        return None
    with path.open("rb") as stream:
        return sum(len(stream.readline()) for _ in range(head.count(b"\n")))


def _cuts(data: mmap.mmap, start: int) -> list[int] | None:
    """Where portions begin, and the last one ends: always where a row does; nothing where a row has no end.

    No byte of a longer sign of these encodings is a quote or a line end, so that the file's own bytes can be asked.
    """
    cuts = [start]
    while cuts[-1] < len(data):
        end = cuts[-1] + PORTION_BYTES
        if end >= len(data):
            cuts.append(len(data))
            break
        # A line end behind an odd number of quotes is text.
        is_inside = data[cuts[-1] : end].count(b'"') % 2 == 1
        while True:
            line_end = data.find(b"\n", end, end + RECORD_LIMIT) + 1
            if not line_end:
                return None
            is_inside ^= data[end:line_end].count(b'"') % 2 == 1
            end = line_end
            if not is_inside:
                break
            if end - cuts[-1] > PORTION_BYTES + RECORD_LIMIT:
                return None
        cuts.append(end)
        forget(data, end)
    return cuts


def _write(
    hands: Sequence[subprocess.Popen[bytes]],
    detection: Detection,
    path: Path,
    portions: Sequence[tuple[int, int, Path]],
    width: int,
) -> list[Written | None]:
    """Write the portions; what was written of each, or nothing if one of them is not regular."""
    looks = _looks(detection, width)
    header = detection.header
    jobs = [
        Job(
            str(path),
            tuple((begin, end, str(target)) for begin, end, target in portions[hand :: len(hands)]),
            header.encoding,
            header.delimiter,
            looks,
            # Renqun's own words are taken as they are, but in an encoding that is none of theirs.
            not (detection.source.is_generic and header.encoding.startswith("utf-8")),
        )
        for hand in range(len(hands))
    ]
    with ThreadPoolExecutor(len(hands)) as pool:
        working = pool.map(_work, hands, (job.as_json() for job in jobs))
        # What reads the portions is imported meanwhile, and numpy with it.
        import_module("renqun.ingest.arrow")
        done = list(working)
    if any(None in results for results in done):
        return [None]
    return [Written(**done[number % len(hands)][number // len(hands)]) for number in range(len(portions))]


def _hand() -> subprocess.Popen[bytes]:
    """A process that waits for its job."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "renqun.ingest.portion"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | _OF_A_PORTION | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def _work(hand: subprocess.Popen[bytes], job: str) -> list[dict[str, Any]]:
    said, complaint = hand.communicate(job.encode())
    if hand.returncode:
        raise TechnicalError(
            f"a portion of the file could not be written: {complaint.decode(errors='replace')[-500:].strip()}",
            remedy="make room on the disk and in memory and run again; nothing was loaded from this file",
        )
    results: list[dict[str, Any]] = loads(said)
    return results


def _looks(detection: Detection, width: int) -> tuple[Look, ...]:
    """What to look for in each of the file's columns."""
    columns = {place: detection.source.column(name) for name, place in detection.places.items()}
    return tuple(_look(columns.get(place)) for place in range(width))


def _look(column: Column | None) -> Look:
    if column is None or column.kind == "boolean":
        return "nothing"
    if column.kind in NUMBER_KINDS:
        return "number"
    if column.kind in TIME_KINDS:
        return "time"
    return "id" if column.kind == "id" else "text"
