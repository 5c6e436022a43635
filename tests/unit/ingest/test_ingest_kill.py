"""Killed at any point and run again; disks that are full; ledgers that are damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ingest_place import SOUND_ORDER, Place, csv_file, tree

from renqun.errors import ShopBusy, TechnicalError
from renqun.ingest import load, promote, receive, refusals
from renqun.ingest.ledger import accepted_batches, all_batches, incoming_batches
from renqun.ingest.promote import withdraw_batch
from renqun.ingest.refusals import reject_batches
from renqun.lock import exclusive
from renqun.settings import Home, Shop

ORDERS = csv_file(SOUND_ORDER, SOUND_ORDER | {"order_id": "o2", "quantity": "-1"})


class Killed(BaseException):
    """Stands for the end of the process."""


def expected_tree(tmp_path: Path, *, upto: str) -> dict[str, bytes]:
    calm = Place(Home(tmp_path / "calm"), Shop(id="default"))
    calm.drop(ORDERS)
    calm.receive()
    (record,) = calm.promote().promoted
    if upto == "withdrawn":
        withdraw_batch(calm.home, calm.shop, record.batch_id)
    return tree(calm)


STEPS = [
    (load, "copy_to_parquet"),
    (load, "flush"),
    (receive, "write_record"),
    (receive, "forget_refusal"),
    (promote, "write_record"),
    (promote, "copy_to_parquet"),
    (promote, "forget_refusal"),
    (promote, "ensure_raw_schema"),
]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("module", "step"), STEPS)
def test_killed_before_or_after_any_step_then_run_again(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, step: str, after: bool
) -> None:
    place.drop(ORDERS)
    with monkeypatch.context() as patch:
        kill_at(patch, module, step, after=after)
        with pytest.raises(Killed):
            place.receive()
            place.promote()
    assert len(all_batches(place.paths)) <= 1
    place.receive()
    place.promote()
    assert tree(place) == expected_tree(tmp_path, upto="accepted")


@pytest.mark.parametrize("verdict", ["accepted", "withdrawn"])
@pytest.mark.parametrize("moment", ["before the ledger entry", "before the move", "after the move"])
def test_a_move_that_is_killed_leaves_one_verdict(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verdict: str, moment: str
) -> None:
    place.drop(ORDERS)
    (record,) = place.receive().batches
    if verdict == "withdrawn":
        place.promote()
    with monkeypatch.context() as patch:
        if moment == "before the ledger entry":
            kill_at(patch, promote, "write_record", after=False)
        else:
            kill_at(patch, Path, "replace", after=moment == "after the move", only=f"{record.batch_id}.parquet")
        with pytest.raises(Killed):
            finish(place, verdict, record.batch_id)
    assert len([entry.verdict for entry in all_batches(place.paths)]) == 1
    finish(place, verdict, record.batch_id)
    assert [entry.verdict for entry in all_batches(place.paths)] == [verdict]
    assert tree(place) == expected_tree(tmp_path, upto=verdict)


def finish(place: Place, verdict: str, batch_id: str) -> None:
    if verdict == "accepted":
        place.promote()
    else:
        withdraw_batch(place.home, place.shop, batch_id)


def kill_at(patch: pytest.MonkeyPatch, owner: Any, name: str, *, after: bool, only: str | None = None) -> None:
    genuine = getattr(owner, name)

    def step(*args: Any, **kwargs: Any) -> Any:
        if only is not None and getattr(args[0], "name", None) != only:
            return genuine(*args, **kwargs)
        if after:
            genuine(*args, **kwargs)
        raise Killed

    patch.setattr(owner, name, step)


def test_a_refusal_that_is_killed_is_made_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.drop(ORDERS)
    (record,) = place.receive().batches
    with monkeypatch.context() as patch:
        kill_at(patch, refusals, "discard_incoming", after=False)
        with pytest.raises(Killed):
            reject_batches(place.home, place.shop, "orders", [record.batch_id], "why")
    reject_batches(place.home, place.shop, "orders", [record.batch_id], "why")
    assert [entry.verdict for entry in all_batches(place.paths)] == ["rejected"]


def test_a_full_disk_is_a_technical_error_and_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.drop(ORDERS)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(load, "flush", full)
    with pytest.raises(TechnicalError, match="No space left on device"):
        place.receive()
    assert list(tree(place)) == []


def test_a_damaged_ledger_entry_is_named(place: Place) -> None:
    place.drop(ORDERS)
    (record,) = place.receive().batches
    entry = place.parquet(record).with_suffix(".json")
    entry.write_text("{")
    with pytest.raises(TechnicalError, match=r"cannot be read") as error:
        incoming_batches(place.paths)
    assert error.value.where == str(entry)


def test_promoting_waits_for_the_writer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.drop(ORDERS)
    place.receive()
    monkeypatch.setenv("RENQUN_LOCK_TIMEOUT_SECONDS", "0")
    with exclusive(place.paths.writer_lock, "build the marts"), pytest.raises(ShopBusy, match="build the marts"):
        place.promote()
    assert accepted_batches(place.paths) == []
