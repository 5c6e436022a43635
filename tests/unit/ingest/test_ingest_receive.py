"""Receiving, promoting, refusing, withdrawing: once only, nothing lost, and safe to kill anywhere."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_place import DAY, SOUND_EVENT, SOUND_ORDER, Place, csv_file, tree

from renqun.errors import RequestError
from renqun.ingest import ledger, promote, receive
from renqun.ingest.catalogue import METADATA_COLUMNS, all_sources, get_source
from renqun.ingest.days import close_day, group_is_complete, missing_groups, require_last_day
from renqun.ingest.engine import workbench
from renqun.ingest.landing import days_in_landing
from renqun.ingest.ledger import accepted_batches, all_batches, incoming_batches, rejected_batches
from renqun.ingest.promote import ensure_raw_schema, find_batch, withdraw_batch
from renqun.ingest.refusals import reject_batches
from renqun.ingest.relations import incoming_relation, profile_relation
from renqun.settings import Home, Shop

NEXT_DAY = DAY + timedelta(days=1)
ORDERS = csv_file(SOUND_ORDER, SOUND_ORDER | {"order_id": "o2", "quantity": "-1"})
EVENTS = csv_file(SOUND_EVENT)


# -- what a batch looks like ---------------------------------------------------------------------------------------


def test_raw_has_the_canonical_columns_then_the_files_own_then_metadata(place: Place) -> None:
    place.drop(csv_file(SOUND_ORDER | {"note": "hi", "gift": ""}), name="a.csv")
    (record,) = place.receive().batches
    relation = place.rows(record, "note, gift, line_id, _source_file, _source_row, _batch_id, _exported_at, _row_text")
    # The folder's day ends in Shanghai, eight hours before it does in UTC.
    end = (place.shop.end_of_day(DAY)).astimezone(tz=None).utctimetuple()
    assert relation[0][:6] == ("hi", None, None, "a.csv", 1, record.batch_id)
    assert relation[0][6].timetuple()[:6] == end[:6] == (2024, 3, 5, 15, 59, 59)
    with workbench() as bench:
        described = bench.connection.execute(f"DESCRIBE SELECT * FROM '{place.parquet(record)}'").fetchall()
    names = get_source("orders").names
    assert [row[0] for row in described] == [*names, "note", "gift", *METADATA_COLUMNS]
    assert {row[0]: row[1] for row in described if row[0] in METADATA_COLUMNS} == METADATA_COLUMNS
    assert all(row[1] == "VARCHAR" for row in described if row[0] not in METADATA_COLUMNS)


def test_ids_of_generic_exports_are_taken_as_they_are_written(place: Place) -> None:
    place.drop(csv_file(SOUND_ORDER | {"order_id": " 7"}, SOUND_ORDER | {"order_id": "7"}), name="a.csv")
    (record,) = place.receive().batches
    assert place.rows(record, "order_id, _quarantine_reason") == [(" 7", None), ("7", None)]


def test_content_hashes_are_equal_when_the_cells_are_whatever_the_columns_order(place: Place) -> None:
    reordered = dict(reversed(SOUND_ORDER.items())) | {"line_id": ""}
    place.drop(csv_file(SOUND_ORDER), name="a.csv")
    place.drop(csv_file(reordered, reordered | {"quantity": "3"}), name="b.csv")
    one, other = place.receive().batches
    (first,) = place.rows(one, "_content_hash")
    second, third = place.rows(other, "_content_hash")
    assert first == second != third


def test_the_same_file_gives_the_same_bytes(place: Place, tmp_path: Path) -> None:
    content = csv_file(*[SOUND_ORDER | {"order_id": f"o{n}", "item_name": f"杯{n}"} for n in range(3000)])
    record = place.receive_one(content)
    elsewhere = replace(place, home=Home(tmp_path / "elsewhere"))
    assert elsewhere.receive_one(content) == record
    assert elsewhere.parquet(record).read_bytes() == place.parquet(record).read_bytes()


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
ROWS = st.lists(st.tuples(CELL, CELL, st.booleans()), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, line_end=st.sampled_from(["\n", "\r\n"]), tail=st.binary(max_size=12))
def test_no_row_is_lost_and_cells_survive(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, bool]], line_end: str, tail: bytes
) -> None:
    place = Place(Home(tmp_path_factory.mktemp("home")), Shop(id="default"))
    written = [SOUND_ORDER | {"order_id": f"o{n}", "item_name": name, "note": note, "quantity": "1" if ok else "?"}
               for n, (name, note, ok) in enumerate(rows)]  # fmt: skip
    text = quote_all(written, line_end)
    tail = tail.translate(None, b'"') and b"x" + tail.translate(None, b'",\x00\r\n') + b"\n"
    record = place.receive_one(text.encode() + tail)
    assert record.rows_read == len(rows) + bool(tail)
    assert record.rows_quarantined == sum(not ok for *_, ok in rows) + bool(tail)
    found = place.rows(record, "_source_row, coalesce(item_name, ''), coalesce(note, ''), _quarantine_reason IS NULL")
    blank_is_empty = [(n, "" if not name.strip(" \t\r\n") else name, note, ok)
                      for n, (name, note, ok) in enumerate(rows, start=1)]  # fmt: skip
    assert found[: len(rows)] == blank_is_empty


def quote_all(rows: list[dict[str, str]], line_end: str) -> str:
    def line(cells: Any) -> str:
        return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + line_end

    return line(rows[0].keys()) + "".join(line(row.values()) for row in rows)


# -- once only -----------------------------------------------------------------------------------------------------


def test_receiving_and_promoting_again_changes_nothing(place: Place) -> None:
    place.drop(ORDERS)
    first = place.receive()
    assert first.new_batch_ids == first.batch_ids
    before = tree(place)
    again = place.receive()
    assert (again.batches, again.new_batch_ids) == (first.batches, ())
    assert tree(place) == before
    promoted = place.promote().promoted
    accepted = tree(place)
    third = place.receive()
    assert (third.batches, [entry.batch_id for entry in third.duplicates]) == ((), [promoted[0].batch_id])
    assert place.promote().promoted == ()
    assert tree(place) == accepted
    assert accepted_batches(place.paths) == list(promoted)


def test_the_same_bytes_under_another_name_and_day_are_loaded_once_and_both_days_count(place: Place) -> None:
    place.drop(ORDERS, name="a.csv")
    place.drop(ORDERS, name="b.csv")
    place.drop(ORDERS, day=NEXT_DAY)
    report = place.receive(days=(DAY, NEXT_DAY))
    assert [record.file_name for record in report.batches] == ["a.csv"]
    assert [(entry.ds, entry.file_name) for entry in report.duplicates] == [(DAY, "b.csv"), (NEXT_DAY, "export.csv")]
    assert missing_groups(place.home, place.shop, NEXT_DAY) == ["orders", "traffic"]
    place.promote(days=(DAY, NEXT_DAY))
    assert missing_groups(place.home, place.shop, DAY) == ["traffic"]
    assert missing_groups(place.home, place.shop, NEXT_DAY) == ["traffic"]
    assert len(accepted_batches(place.paths)) == 1


def test_a_repeated_file_in_another_groups_folder_is_still_misplaced(place: Place) -> None:
    place.drop(ORDERS)
    place.receive()
    place.promote()
    place.drop(ORDERS, group="traffic")
    with pytest.raises(RequestError, match="belong to the group 'orders'"):
        place.receive("traffic")
    assert missing_groups(place.home, place.shop, DAY) == ["traffic"]


def test_an_incoming_batch_is_forgotten_when_its_file_is_replaced_or_moved(place: Place) -> None:
    path = place.drop(ORDERS)
    place.receive()
    path.write_text(csv_file(SOUND_ORDER))
    (corrected,) = place.receive().batches
    assert [record.batch_id for record in incoming_batches(place.paths)] == [corrected.batch_id]
    path.unlink()
    place.drop(csv_file(SOUND_ORDER), day=NEXT_DAY)
    (moved,) = place.receive(days=(NEXT_DAY,)).batches
    assert (moved.batch_id, moved.ds) == (corrected.batch_id, NEXT_DAY)


def test_a_file_corrected_in_its_place_sorts_behind_the_one_before(place: Place) -> None:
    names = []
    for rows in (ORDERS, csv_file(SOUND_ORDER), csv_file(SOUND_ORDER, SOUND_ORDER)):
        place.drop(rows, name="orders.csv")
        (record,) = place.receive().batches
        names += {row[0] for row in place.rows(record, "_source_file")}
        assert record.file_name == "orders.csv"
        place.promote()
    assert names == ["orders.csv", "orders.csv#002", "orders.csv#003"] == sorted(names)


def test_only_the_batches_that_the_gate_saw_are_promoted(place: Place) -> None:
    place.drop(ORDERS, name="a.csv")
    seen = place.receive().batch_ids
    place.drop(csv_file(SOUND_ORDER), name="b.csv")
    place.receive()
    report = promote.promote_batches(place.home, place.shop, "orders", [DAY], batch_ids=seen)
    assert [record.file_name for record in report.promoted] == ["a.csv"]
    assert [record.file_name for record in incoming_batches(place.paths)] == ["b.csv"]


# -- whole files only ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv.tmp", "a.csv.part", "a.crdownload", "a.partial", "a.csv~"])
def test_a_file_with_a_temporary_name_is_left_alone(place: Place, name: str) -> None:
    place.drop(ORDERS, name=name)
    report = place.receive()
    assert (report.batches, report.days_without_file) == ((), (DAY,))
    assert [left.where for left in report.left_alone] == [f"landing/orders/{DAY}/{name}"]


def test_hidden_files_and_markers_are_no_files(place: Place) -> None:
    place.drop(ORDERS, name=".DS_Store")
    place.drop("", name="_SUCCESS")
    report = place.receive()
    assert (report.batches, report.left_alone) == ((), ())


def test_a_file_that_still_grows_is_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place.drop(ORDERS)
    monkeypatch.setattr(time, "sleep", lambda _: path.write_text(ORDERS + ORDERS))
    report = place.receive()
    assert (report.batches, [left.why for left in report.left_alone]) == ((), ["it is still being written"])
    monkeypatch.undo()
    assert len(place.receive().batches) == 1


def test_a_file_that_changes_while_it_is_read_is_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place.drop(ORDERS)
    genuine = receive.write_batch

    def slowly(*args: Any, **kwargs: Any) -> Any:
        counts = genuine(*args, **kwargs)
        path.write_text(ORDERS * 2)
        return counts

    monkeypatch.setattr(receive, "write_batch", slowly)
    report = place.receive()
    assert report.batches == ()
    assert [left.why for left in report.left_alone] == ["it changed while it was read"]


def test_an_old_file_is_not_looked_at_twice(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place.drop(ORDERS)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("no need to wait"))
    assert len(place.receive().batches) == 1


def test_a_shop_with_markers_waits_for_the_marker(place: Place) -> None:
    careful = replace(place, shop=Shop(id="default", success_marker=True))
    careful.drop(ORDERS)
    report = careful.receive()
    assert (report.batches, len(report.left_alone)) == ((), 1)
    assert "_SUCCESS" in report.left_alone[0].why
    careful.drop("", name="_SUCCESS")
    assert len(careful.receive().batches) == 1


# -- days ----------------------------------------------------------------------------------------------------------


def test_a_day_is_complete_when_every_expected_group_is_accepted_or_closed(place: Place) -> None:
    place.drop(ORDERS)
    place.receive()
    assert missing_groups(place.home, place.shop, DAY) == ["orders", "traffic"]
    place.promote()
    assert not group_is_complete(place.home, place.shop, DAY)
    assert close_day(place.home, place.shop, "traffic", DAY)
    assert not close_day(place.home, place.shop, "traffic", DAY)
    assert group_is_complete(place.home, place.shop, DAY)
    assert not group_is_complete(place.home, place.shop, NEXT_DAY)


def test_days_without_files_are_listed_and_only_the_last_one_must_be_there(place: Place) -> None:
    days = [DAY, NEXT_DAY]
    place.drop(ORDERS, day=NEXT_DAY)
    assert days_in_landing(place.paths, "orders") == [NEXT_DAY]
    report = place.receive(days=days)
    assert report.days_without_file == (DAY,)
    require_last_day(place.home, place.shop, report)
    later = place.receive(days=[*days, date(2024, 3, 7)])
    with pytest.raises(RequestError, match="no file of the group 'orders' for 2024-03-07") as refusal:
        require_last_day(place.home, place.shop, later)
    assert "close-day --shop default --group orders --date 2024-03-07" in str(refusal.value)
    close_day(place.home, place.shop, "orders", date(2024, 3, 7))
    require_last_day(place.home, place.shop, later)


def test_no_landing_folder_at_all_is_a_day_without_file(place: Place) -> None:
    report = place.receive()
    assert (report.batches, report.days_without_file) == ((), (DAY,))
    with pytest.raises(RequestError, match="no file of the group"):
        require_last_day(place.home, place.shop, report)


# -- refusing and withdrawing --------------------------------------------------------------------------------------


def test_a_refused_batch_keeps_its_original_and_may_come_again(place: Place) -> None:
    place.drop(ORDERS)
    (record,) = place.receive().batches
    reject_batches(place.home, place.shop, "orders", [record.batch_id], "half of its rows are quarantined")
    kept = place.paths.raw / "rejected" / record.batch_id
    assert (kept / "export.csv").read_text() == ORDERS
    assert [(entry.verdict, entry.rejected_because) for entry in all_batches(place.paths)] == [
        ("rejected", "half of its rows are quarantined")
    ]
    assert place.promote().promoted == ()
    assert len(place.receive().batches) == 1
    place.promote()
    assert rejected_batches(place.paths) == []
    with pytest.raises(RequestError, match="not among the incoming"):
        reject_batches(place.home, place.shop, "orders", [record.batch_id], "too late")


def test_a_withdrawn_batch_is_gone_and_stays_out(place: Place) -> None:
    place.drop(ORDERS)
    place.receive()
    (record,) = place.promote().promoted
    withdrawn = withdraw_batch(place.home, place.shop, record.batch_id[:6])
    assert withdrawn.verdict == "withdrawn"
    assert withdraw_batch(place.home, place.shop, record.batch_id) == withdrawn
    assert accepted_batches(place.paths) == []
    assert find_batch(place.paths, record.batch_id) == withdrawn
    assert missing_groups(place.home, place.shop, DAY) == ["orders", "traffic"]
    report = place.receive()
    assert (report.batches, len(report.withdrawn)) == ((), 1)
    with pytest.raises(RequestError, match=r"what lies there was withdrawn: export\.csv"):
        require_last_day(place.home, place.shop, report)
    with pytest.raises(RequestError, match="no accepted batches"):
        withdraw_batch(place.home, place.shop, "ffff")


# -- what others read ----------------------------------------------------------------------------------------------


def test_every_source_has_a_typed_empty_relation(place: Place) -> None:
    ensure_raw_schema(place.paths)
    before = tree(place)
    ensure_raw_schema(place.paths)
    assert tree(place) == before
    assert set(before) == {f"{source.source}/date=1900-01-01/schema.parquet" for source in all_sources()}
    place.drop(csv_file(SOUND_ORDER | {"date": "x", "note": "y"}))
    place.receive()
    place.promote()
    with workbench() as bench:
        rows = bench.connection.execute(
            f"SELECT * EXCLUDE (_raw_file) FROM read_parquet('{place.paths.raw}/orders/*/*.parquet', "
            "hive_partitioning = true, hive_types = {'date': DATE}, filename = '_raw_file', union_by_name = false)"
        )
        assert [column[0] for column in rows.description] == [*get_source("orders").names, *METADATA_COLUMNS, "date"]
        assert [row[-1] for row in rows.fetchall()] == [DAY]


def test_the_gate_sees_all_incoming_files_as_one_relation_and_a_profile_of_each(place: Place) -> None:
    place.drop(ORDERS, name="a.csv")
    place.drop(csv_file(SOUND_ORDER | {"note": "extra"}), name="b.csv")
    place.drop("order_id,ordered_at,item_id,quantity,unit_price\n", name="c.csv")
    records = incoming_batches(place.paths, "orders", [DAY]) or place.receive().batches
    with workbench() as bench:
        rows = bench.connection.execute(
            f"SELECT _source_file, count(*), count(_quarantine_reason) FROM "
            f"({incoming_relation(place.paths, 'orders', records)}) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        profiles = bench.connection.execute(
            "SELECT file_name, rows_read, rows_quarantined, quarantined_rate, unknown_column_count, ds "
            f"FROM ({profile_relation(records)}) ORDER BY file_name"
        ).fetchall()
        nothing = bench.connection.execute(profile_relation([])).fetchall()
        empty = bench.connection.execute(incoming_relation(place.paths, "members", records)).fetchall()
    assert rows == [("a.csv", 2, 1), ("b.csv", 1, 0)]
    assert profiles == [
        ("a.csv", 2, 1, 0.5, 0, DAY),
        ("b.csv", 1, 0, 0.0, 1, DAY),
        ("c.csv", 0, 0, 0.0, 0, DAY),
    ]
    assert nothing == empty == []


def test_the_ledger_holds_no_cell_of_a_row(place: Place) -> None:
    record = place.receive_one(csv_file(SOUND_ORDER | {"phone": "13800138000", "quantity": "13800138000x"}))
    assert "13800138000" not in ledger.BatchRecord.model_dump_json(record)
