"""Day by day, at once, again, anew, late: the marts are the same."""

from __future__ import annotations

import json

import pytest
from small_shop import DAYS, drop_day
from workbench import Workbench, differences, published_bytes

from renqun.warehouse.memory import MEMORY_TABLES, PUBLICATION_MEMORY

pytestmark = pytest.mark.e2e

MEMORY = MEMORY_TABLES + PUBLICATION_MEMORY
"""Spells, sizes and flows exist for the dates that were built, outcomes for the lists that were published: they differ
between one build and three."""
BUILT = DAYS[2:]
"""The dates that `each_day` builds: three days loaded as a range, and two more one by one."""


def _build_day_by_day(bench: Workbench) -> None:
    bench.done("run", "--from", DAYS[0], "--to", BUILT[0])
    bench.done("run", "--from", BUILT[1], "--to", BUILT[-1], "--each-day")


@pytest.fixture(scope="module")
def each_day(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Five days, the last three of them built one by one."""
    bench = Workbench(tmp_path_factory.mktemp("each-day") / "home")
    for number in range(1, 6):
        drop_day(bench, number)
    _build_day_by_day(bench)
    return bench


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Five days, loaded as a range and built once."""
    bench = Workbench(tmp_path_factory.mktemp("at-once") / "home")
    for number in range(1, 6):
        drop_day(bench, number)
    bench.done("run", "--from", DAYS[0], "--to", DAYS[-1])
    return bench


def test_days_one_by_one_equal_days_at_once(each_day: Workbench, at_once: Workbench) -> None:
    assert differences(each_day, at_once, leave_out=MEMORY) == {}
    open_spells = "select segment_id, customer_key, reason from marts.fct_segment_memberships where exited_on is null"
    with each_day.marts() as left, at_once.marts() as right:
        spells = sorted(left.execute(open_spells.replace("marts.", "")).fetchall())
        assert spells
        assert spells == sorted(right.execute(open_spells.replace("marts.", "")).fetchall())


def test_a_range_builds_once_and_each_day_builds_every_day(each_day: Workbench, at_once: Workbench) -> None:
    def built(bench: Workbench) -> list[str]:
        return sorted(folder.name for folder in (bench.shop() / "published" / "marts").glob("as_of=*"))

    assert built(at_once) == [f"as_of={DAYS[-1]}"]
    assert built(each_day) == [f"as_of={day}" for day in BUILT]


def test_running_a_day_again_changes_no_published_byte(each_day: Workbench) -> None:
    before = published_bytes(each_day)
    assert len(before) > 20
    each_day.done("run", "--date", DAYS[-1])
    each_day.done("run", "--date", DAYS[2])
    assert published_bytes(each_day) == before


def test_a_full_refresh_equals_the_sum_of_the_increments(each_day: Workbench) -> None:
    before = published_bytes(each_day)
    each_day.done("run", "--date", DAYS[-1], "--full-refresh")
    assert published_bytes(each_day) == before
    (file,) = each_day.shop().glob(f"quality/builds/{DAYS[-1]}/*/marts.json")
    report = json.loads(file.read_text())
    assert not report["resumed"], "the tables were built anew"


def test_sizes_follow_from_entered_and_exited(each_day: Workbench) -> None:
    with each_day.marts() as marts:
        rows = marts.execute(
            """
            select as_of_date, customers, entered, exited,
                coalesce(lag(customers) over (partition by segment_id order by as_of_date), 0) as before
            from agg_segment_sizes__by_day
            """
        ).fetchall()
    assert {str(row[0]) for row in rows} == set(BUILT)
    assert sum(row[2] for row in rows) > 0
    assert [row for row in rows if row[4] + row[2] - row[3] != row[1]] == []


def test_late_files_end_where_punctual_files_would_have(
    each_day: Workbench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    late = Workbench(tmp_path_factory.mktemp("late") / "home")
    for number in range(1, 6):
        drop_day(late, number, orders=number != 3)
    late.shop().mkdir(parents=True, exist_ok=True)
    late.done("close-day", "--group", "orders", "--date", DAYS[2])
    _build_day_by_day(late)
    assert differences(each_day, late) != {}, "the missing day matters"
    drop_day(late, 3)
    outcome = late.renqun("run", "--date", DAYS[2])
    # The late orders empty an audience that had members: its file waits for somebody to look, the marts do not.
    assert outcome.exit_code == 0 or (outcome.exit_code == 1 and "held back" in outcome.text), outcome.text
    assert late.latest() is not None
    assert late.latest().parent.name == f"as_of={DAYS[-1]}"  # type: ignore[union-attr]
    # Not so what was published without the late orders: that cannot be made another by evaluating it anew.
    found = differences(each_day, late, leave_out=PUBLICATION_MEMORY)
    assert found == {}, "spells and sizes included: built dates are evaluated anew"


def test_a_past_date_on_purpose_leaves_latest_alone(
    each_day: Workbench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    latest, before = each_day.latest(), published_bytes(each_day)
    each_day.done("run", "--date", DAYS[-1], "--as-of", DAYS[2])
    assert each_day.latest() == latest
    after = published_bytes(each_day)
    assert {name: after.get(name) for name in before} == before
    # A build that has the later files before it gives what one without them gave: no model looks beyond its date.
    versions = list((each_day.shop() / "published" / "marts" / f"as_of={DAYS[2]}").iterdir())
    assert len(versions) == 1, f"the same content is the same version: {versions}"
