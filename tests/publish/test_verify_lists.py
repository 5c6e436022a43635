"""A forged or damaged trigger list contradicts itself, by the name of what is wrong; the real gates look at it, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from shop_of_marts import day
from test_triggers import ListShop, listed, unpaid_audience
from test_verify import change, forge, ids, rewrite, writable_copy

from renqun.publish.manifest import read_audience_manifest
from renqun.publish.verify import verify

ORDERS = (("a", "o1", "2026-03-01 02:00"), ("b", "o2", "2026-03-01 03:00"))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version with a list of two messages."""
    shop = ListShop.at(tmp_path_factory.mktemp("home"))
    assert isinstance(shop, ListShop)
    shop.list_of(day(0), *ORDERS)
    return shop.newest


@pytest.fixture
def version(published: Path, tmp_path: Path) -> Path:
    """A copy of it, as somebody downstream has it."""
    return writable_copy(published, tmp_path / published.name)


def test_an_untouched_list_passes(version: Path) -> None:
    report = verify(version)
    assert report.passed, report.failures
    assert report.files_checked == 9


def _list(query: str) -> Callable[[Path], None]:
    return lambda folder: rewrite(folder, "triggers.parquet", query)


def _entry(**said: object) -> Callable[[Path], None]:
    def forgery(folder: Path) -> None:
        manifest = read_audience_manifest(folder)
        assert manifest.trigger is not None
        forge(folder, trigger=manifest.trigger.model_copy(update=said))

    return forgery


FORGERIES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a stranger": (_list("select 'z' as customer_key, * exclude customer_key from {} limit 1"), "list_inconsistent"),
    "somebody twice": (_list("select 'a' as customer_key, * exclude customer_key from {}"), "list_inconsistent"),
    "another order": (_list("from {} order by due_at desc"), "not_sorted"),
    "another offer": (_list("select * replace ('free' as offer) from {}"), "list_inconsistent"),
    "another fact": (_list("select * replace ('order:o9' as fact_key) from {}"), "list_inconsistent"),
    "in time after all": (_list("select * replace (false as is_late) from {}"), "list_inconsistent"),
    "due a day later": (_list("select * replace (due_at + interval 1 day as due_at) from {}"), "counts_inconsistent"),
    "a message less": (_list("from {} limit 1"), "counts_inconsistent"),
    "another time in the CSV": (
        lambda folder: (folder / "triggers.csv").write_text(
            (folder / "triggers.csv").read_text(encoding="utf-8").replace("T03:00", "T05:00"), encoding="utf-8"
        ) and None,
        "csv_differs",
    ),
}  # fmt: skip
SAID: dict[str, Callable[[Path], None]] = {
    "less late": _entry(late=1),
    "a shorter lateness": _entry(longest_lateness_seconds=60),
    "more that was sent before": _entry(sent_before=7),
    "fewer rows": _entry(rows=1),
}


@pytest.mark.parametrize("kind", sorted(FORGERIES))
def test_a_consistent_forgery_of_a_list_still_contradicts_itself(version: Path, tmp_path: Path, kind: str) -> None:
    tamper, expected = FORGERIES[kind]
    tamper(version)
    forge(version)
    assert expected in ids(verify(version.rename(tmp_path / "copied")))


@pytest.mark.parametrize("kind", sorted(SAID))
def test_a_manifest_that_embellishes_its_list_is_found(version: Path, tmp_path: Path, kind: str) -> None:
    SAID[kind](version)
    assert ids(verify(version.rename(tmp_path / "copied"))) == {"counts_inconsistent"}


def test_a_list_that_the_manifest_keeps_quiet_about_is_found(version: Path, tmp_path: Path) -> None:
    forge(version, trigger=None)
    assert ids(verify(version.rename(tmp_path / "copied"))) == {"unexpected_file"}


def test_a_list_that_is_gone_is_found(version: Path) -> None:
    (version / "triggers.csv").unlink()
    assert ids(verify(version)) == {"missing_file"}
    change(version, lambda manifest: manifest["files"].pop("triggers.csv"))
    assert ids(verify(version)) == {"missing_file", "wrong_version"}


def test_the_real_gates_pass_a_sound_list_and_stop_one_that_was_changed(tmp_path: Path) -> None:
    from renqun.publish.audiences import gate_files, gate_members, promote, select_members, write_files
    from renqun.publish.selection import WorkFolder
    from renqun.publish.trigger_steps import list_file
    from renqun.publish.writing import staged_selections

    shop = ListShop.at(tmp_path / "home")
    assert isinstance(shop, ListShop)
    # The gate looks people up among the customers, whose keys are hashes.
    shop.list_of(day(0), ORDERS[0])
    shop.set_orders(day(1), *ORDERS)
    shop.publish_marts(day(1))
    ctx = shop.ctx(day(1))
    select_members(ctx, audiences=[unpaid_audience()])
    assert gate_members(ctx).held_back == {}
    write_files(ctx)
    assert gate_files(ctx).held_back == {}
    # The list of the day before goes out again: the gate on the written files sees it.
    (one,) = staged_selections(ctx)
    chosen = list_file(WorkFolder.of(ctx).members_file("champions"))
    again = next((shop.audiences / "champions").glob(f"as_of={day(0)}/*/triggers.parquet"))
    chosen.write_bytes(again.read_bytes())
    write_files(ctx)
    assert "triggers_file-never_sent_before" in gate_files(ctx).held_back["champions"]
    assert one.trigger is not None
    report = promote(ctx)
    assert report.held_back
    assert listed(shop.newest) == {"a": "order:o1"}
