"""One folder with a file of every source and version, none of them named: all are claimed, and come out clean."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from loaded_exports import DAY, raw_rows, wrong_values

from fixtures.exports import sycm
from fixtures.exports.everything import exports
from fixtures.exports.export import Export
from renqun.ingest.catalogue import get_source
from renqun.ingest.detect import FileRefused
from renqun.ingest.ledger import BatchRecord, incoming_parquet
from renqun.ingest.receive import ReceiveReport, receive_files
from renqun.settings import GROUPS, Home, Shop, ShopPaths

by_export = pytest.mark.parametrize("place", range(len(exports())), ids=[export.called for export in exports()])


@dataclass(frozen=True)
class Received:
    """Every fixture file, dropped into one shop's folders and received in one run of each group."""

    paths: ShopPaths
    records: dict[str, BatchRecord]

    def record(self, place: int) -> BatchRecord:
        return self.records[_file_name(place)]

    def rows(self, place: int) -> list[dict[str, str | None]]:
        """Raw's rows, in the file's order."""
        return raw_rows(incoming_parquet(self.paths, self.record(place)))


def _file_name(place: int) -> str:
    """A name that says nothing, not even by its ending."""
    return f"{place:03}.bin"


def _receive(home: Home, group: str) -> ReceiveReport:
    return receive_files(home, Shop(id="default"), group, [DAY], look_again_seconds=0)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Received:
    home = Home(tmp_path_factory.mktemp("home"))
    paths = home.paths("default")
    for place, export in enumerate(exports()):
        folder = paths.landing / get_source(export.source).group / str(DAY)
        folder.mkdir(parents=True, exist_ok=True)
        Path(folder, _file_name(place)).write_bytes(export.content)
    records = {record.file_name: record for group in GROUPS for record in _receive(home, group).batches}
    return Received(paths, records)


def test_nothing_is_left_unclaimed(received: Received) -> None:
    assert received.records.keys() == {_file_name(place) for place in range(len(exports()))}
    assert {name: record.rejected_because for name, record in received.records.items() if record.rejected_because} == {}


@by_export
def test_a_file_is_recognised_with_its_version(received: Received, place: int) -> None:
    export, record = exports()[place], received.record(place)
    assert record.source == export.source
    if export.version:
        assert record.header_version == export.version


@by_export
def test_rows_are_counted_and_sums_are_left_out(received: Received, place: int) -> None:
    export, record = exports()[place], received.record(place)
    assert record.rows_read == export.rows
    assert record.rows_left_out == dict(export.left_out)
    assert record.quarantine_reasons == dict(export.quarantined)


@by_export
def test_what_was_planted_comes_out_clean(received: Received, place: int) -> None:
    export = exports()[place]
    source = get_source(export.source)
    assert wrong_values(source, received.rows(place), export.planted) == []


@pytest.mark.parametrize("place", [n for n, export in enumerate(exports()) if export.source == "ga4_events"])
def test_nested_values_arrive_as_json(received: Received, place: int) -> None:
    view, purchase = received.rows(place)
    params = json.loads(view["event_params"] or "")
    assert [param["key"] for param in params] == ["ga_session_id", "page_location"]
    assert str(params[0]["value"]["int_value"]) == "1748736000"
    assert json.loads(purchase["items"] or "")[0]["item_id"] == "BAG-1"
    assert json.loads(purchase["ecommerce"] or "")["transaction_id"] == "#1001"


def test_the_figures_of_a_single_item_are_refused_with_the_nearest_source(tmp_path: Path) -> None:
    home = Home(tmp_path)
    folder = home.paths("default").landing / "traffic" / str(DAY)
    folder.mkdir(parents=True)
    Path(folder, "traffic.xls").write_bytes(sycm.item_sources())
    with pytest.raises(FileRefused, match="nearest source is sycm"):
        _receive(home, "traffic")


def test_the_same_order_twice_a_day_is_two_batches_and_both_are_kept(received: Received) -> None:
    """Which one counts is decided by the models, never by leaving a file out."""
    orders = [record for record in received.records.values() if record.source == "taobao_orders"]
    wanted: list[Export] = [export for export in exports() if export.source == "taobao_orders"]
    assert len(orders) == len(wanted) == len({record.batch_id for record in orders})
