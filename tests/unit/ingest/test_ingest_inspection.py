"""A look at a file: what it is, what would be quarantined, nobody's phone, nothing loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from ingest_place import DAY, SOUND_ORDER, Place, csv_file

from renqun.errors import RequestError
from renqun.ingest.inspection import inspect_file, masked


def test_a_look_at_a_file_tells_what_it_is_and_loads_nothing(place: Place) -> None:
    row = SOUND_ORDER | {"phone": "13800138000", "收货地址": "朝阳区 1 号", "memo": "call +86 138 0013 8000, a@b.cn"}
    content = csv_file(*[row | {"order_id": f"o{n}"} for n in range(12)], row | {"order_id": "o12", "quantity": "-1"})
    path = place.drop(content + "ragged,13900139000\n", name="check me.csv")
    found = inspect_file(place.shop, path)
    assert (found.source, found.group, found.drop_folder) == ("orders", "orders", f"landing/orders/{DAY}/")
    assert found.mapped_columns["phone"] == "phone"
    assert found.unknown_columns == ("收货地址", "memo")
    assert "line_id" in found.missing_columns
    assert (found.counts.rows_read, found.counts.rows_quarantined) == (14, 2)
    assert found.counts.quarantine_reasons == {"negative_quantity:quantity": 1, "ragged_row": 1}
    assert len(found.preview) == 10
    assert found.preview[0]["phone"] == found.preview[0]["收货地址"] == "***"
    assert found.preview[0]["memo"] == "call ***, ***"
    assert [(example.row, example.reasons, example.cells) for example in found.examples] == [
        (13, ("negative_quantity:quantity",), {"quantity": "-1"}),
        (14, ("ragged_row",), {}),
    ]
    assert "13900139000" not in str(found)
    assert "13800138000" not in str(found)
    assert not place.paths.raw.exists()


def test_without_a_day_times_are_not_compared_with_the_export(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(csv_file(SOUND_ORDER | {"paid_at": "2099-01-01 00:00:00"}))
    assert inspect_file(place.shop, path).counts.rows_quarantined == 0
    assert inspect_file(place.shop, path, day=DAY).counts.quarantine_reasons == {"time_after_export:paid_at": 1}


def test_a_look_at_an_unknown_file_says_what_is_missing(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("order_id,ordered_at,item_id,quantity\n")
    with pytest.raises(RequestError, match="misses unit_price"):
        inspect_file(place.shop, path)
    with pytest.raises(RequestError, match="no such file"):
        inspect_file(place.shop, tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("buyer_email", "x", "***"),
        ("联系手机", "x", "***"),
        ("Shipping Address", "x", "***"),
        ("order_id", "1234567890123456789", "1234567890123456789"),
        ("note", "a.b@example.com!", "***"),
        ("city", None, None),
    ],
)
def test_personal_data_is_masked_by_name_and_by_look(column: str, value: str | None, shown: str | None) -> None:
    assert masked(column, value) == shown
