"""The files of a simulated shop: the same bytes every time, readable, and with the faults that the truth lists."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from simulated_recount import read
from simulated_shop import SimulatedShop, make_shop

from renqun.errors import RequestError
from renqun.simulate import Dirt, SimulationConfig, simulate, small_config

_REASONS = {
    "orders": {
        "missing_required", "unparsable_value", "negative_quantity", "negative_price", "time_before_2000",
        "paid_before_ordered", "time_after_export", "foreign_currency", "digits_lost", "ragged_row",
        "broken_encoding", "order_has_quarantined_line",
    },
    "traffic_events": {
        "missing_required", "unparsable_value", "time_before_2000", "time_after_export", "unknown_event_type",
        "digits_lost", "ragged_row", "broken_encoding",
    },
}  # fmt: skip


def _digest(root: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file():
            total.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return total.hexdigest()


def test_simulation_gives_the_same_bytes_when_made_in_another_process(
    dirty_shop: SimulatedShop, tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from renqun.simulate import simulate, small_config; "
        "root = Path(sys.argv[1]); simulate(small_config(hold_back=True), root / 'landing', root / 'truth.json')"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "America/New_York", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=environment)

    assert _digest(tmp_path) == _digest(dirty_shop.root)


def test_simulation_gives_other_bytes_when_the_seed_differs(dirty_shop: SimulatedShop, tmp_path: Path) -> None:
    other = make_shop(tmp_path, small_config(8, hold_back=True))

    assert other.truth["totals"] != dirty_shop.truth["totals"]


def test_simulation_leaves_its_files_alone_when_made_twice(tmp_path: Path) -> None:
    config = replace(small_config(), dirt=Dirt.none(), plant=False, customers=30, events_per_day=20)
    make_shop(tmp_path, config)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "landing").rglob("*.csv")}
    make_shop(tmp_path, config)

    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "landing").rglob("*.csv")}
    with pytest.raises(RequestError, match="holds another file"):
        make_shop(tmp_path, replace(config, seed=99))


def test_every_day_has_its_files_when_the_shop_is_small(clean_shop: SimulatedShop) -> None:
    days = [f"2026-{month:02d}-{day:02d}" for month, last in ((5, 31), (6, 30)) for day in range(1, last + 1)][21:]

    for group, name in (
        ("orders", "orders.csv"),
        ("traffic", "traffic_events.csv"),
        ("traffic", "traffic_sources.csv"),
    ):
        assert all(read(clean_shop.landing / group / day / name) for day in days), f"a day has no {name}"
    assert sorted(path.name for path in (clean_shop.landing / "orders").iterdir())[0] == "2026-05-21"


def test_files_hold_the_rows_and_faults_that_the_truth_lists(dirty_shop: SimulatedShop) -> None:
    late = dirty_shop.root / "late"
    on_disk = {str(path.relative_to(dirty_shop.landing)) for path in dirty_shop.landing.rglob("*.csv")}
    listed = dirty_shop.truth["files"]
    assert on_disk | set(dirty_shop.truth["late_files"]) == set(listed)
    reasons: dict[str, set[str]] = {"orders": set(), "traffic_events": set()}
    for name, entry in listed.items():
        path = (late if entry["is_late"] else dirty_shop.landing) / name
        # No cell of the simulated shop holds a line feed, so lines are rows.
        assert path.read_bytes().count(b"\n") - 1 == entry["rows"] > 0
        assert sum(entry["quarantined"].values()) * 2 < entry["rows"] or entry["rows"] < 20
        if entry["same_bytes_as"]:
            assert path.read_bytes() == (dirty_shop.landing / entry["same_bytes_as"]).read_bytes()
        reasons.setdefault(entry["source"], set()).update(entry["quarantined"])

    assert reasons == {**_REASONS, "traffic_sources": set(), "members": set(), "consent": set(), "suppressions": set()}
    assert any(entry["same_bytes_as"] for entry in listed.values())
    assert {entry["source"] for entry in listed.values() if entry["is_late"]} == {"orders", "traffic_events"}


def test_cells_that_need_quotes_are_quoted(clean_shop: SimulatedShop) -> None:
    names = {row["item_name"] for path in (clean_shop.landing / "orders").rglob("*.csv") for row in read(path)}

    assert '赠品 "小样", 5ml' in names


def test_progress_tells_every_part_and_ends_with_the_whole(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    config = replace(small_config(), plant=False, customers=30, events_per_day=20)
    simulate(
        config, tmp_path / "landing", tmp_path / "truth.json", progress=lambda what, part: told.append((what, part))
    )

    assert list(dict.fromkeys(what for what, _ in told)) == [
        "orders",
        "traffic",
        "files",
        "truth",
        "writing files",
        "done",
    ]
    assert told[-1] == ("done", 1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"customers": 0}, "at least 1 customer"),
        ({"traffic_days": 0}, "days of traffic"),
        ({"traffic_days": 5}, "at least 16 days of traffic"),
        ({"start": date(2026, 3, 1)}, "at least 190 days"),
        ({"truth_dates": (date(2026, 1, 1),)}, "dates of truth"),
    ],
)
def test_config_is_refused_when_it_makes_no_shop(change: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        replace(small_config(), **change)  # type: ignore[arg-type]


def test_clocks_stand_still_around_a_change_of_the_zone(tmp_path: Path) -> None:
    """In New York the clocks went forward on 2026-03-08 and back on 2025-11-02: no event in those nights."""
    for end in (date(2026, 3, 20), date(2025, 11, 14)):
        config = SimulationConfig(
            customers=100,
            start=date(2024, 10, 1),
            end=end,
            traffic_days=20,
            events_per_day=300,
            items=40,
            time_zone="America/New_York",
            currency="USD",
        )
        shop = make_shop(tmp_path / end.isoformat(), config)
        nights = ("2026-03-08 0", "2025-11-02 0")
        times = [row["event_at"] for path in shop.landing.rglob("traffic_events.csv") for row in _sound(path)]
        assert not [at for at in times if at.startswith(nights) and at[12] in "01234"]


def _sound(path: Path) -> list[dict[str, str]]:
    lines = path.read_bytes().decode("utf-8", errors="replace").splitlines()
    header = lines[0].split(",")
    return [dict(zip(header, line.split(","), strict=False)) for line in lines[1:]]
