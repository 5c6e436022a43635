"""A look at a file: what it is, what would be quarantined, nobody's phone, nothing loaded."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from ingest_place import DAY, SOUND_ORDER, Place, csv_file

from fixtures.exports import workbooks
from renqun.cli.status import _set_aside
from renqun.errors import RequestError
from renqun.ingest import checks, jsonlines, read, reasons
from renqun.ingest.catalogue import all_sources
from renqun.ingest.inspection import inspect_file, masked
from renqun.ingest.sums import BLANK_ROW, TOTAL
from renqun.persons.tombstones import ERASED_REASON
from renqun.settings import PROJECT_ROOT


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
    assert found.preview[0]["memo"] == "***"
    assert [(example.row, example.line, example.reasons, example.cells) for example in found.examples] == [
        (13, 14, ("negative_quantity:quantity",), {"quantity": "-1"}),
        (14, 15, ("ragged_row",), {}),
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
    ("value", "is_known", "personal", "shown"),
    [
        ("x", True, True, "***"),
        ("wx_abc", False, False, "***"),
        ("2024-03-05 10:00", True, False, "2024-03-05 10:00"),
        ("1234567890123456789", True, False, "1234567890123456789"),
        ("a.b@example.com!", True, False, "***"),
        (None, False, True, None),
    ],
)
def test_what_is_personal_or_unknown_is_masked(
    value: str | None, is_known: bool, personal: bool, shown: str | None
) -> None:
    assert masked(value, is_known=is_known, personal=personal) == shown


def test_a_known_column_is_shown_whatever_its_name_and_an_unknown_one_is_not(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "订单编号,买家实付金额,订单状态,是否手机订单,微信号\n90210000000000017,5,交易成功,手机订单,wx_abc\n"
    )
    (row,) = inspect_file(place.shop, path).preview
    assert (row["is_mobile"], row["微信号"]) == ("手机订单", "***")
    path.write_text(
        "Name,Email,Financial Status,Paid at,Accepts Marketing,Currency,Subtotal,Total,Created at,Lineitem quantity,"
        "Lineitem name,Lineitem price,Cancelled at\n"
        "#1,a@b.example,paid,2024-03-05 10:00:00,yes,CNY,1,1,2024-03-05 10:00:00,1,cup,1,2024-03-05 11:00:00\n"
    )
    (row,) = inspect_file(place.shop, path).preview
    assert (row["cancelled_at"], row["email"]) == ("2024-03-05 11:00:00", "***")


GENERIC = "order_id,ordered_at,item_id,quantity,unit_price\n"


def _order(number: int, quantity: str) -> str:
    return f"o{number},2024-03-05 10:00:00,i1,{quantity},1\n"


@pytest.mark.parametrize(
    ("rows", "bad", "because"),
    [
        (20, 9, None),
        (20, 10, "10 of 20 rows are set aside"),
        # Few rows say little about a file; but when none is left, nothing of it counts.
        (19, 18, None),
        (3, 3, "3 of 3 rows are set aside"),
        (0, 0, "it has no rows"),
    ],
)
def test_a_file_that_the_gate_would_reject_is_told(
    place: Place, tmp_path: Path, rows: int, bad: int, because: str | None
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(GENERIC + "".join(_order(n, "-1" if n < bad else "1") for n in range(rows)))
    assert inspect_file(place.shop, path).rejected_because == because


def test_a_row_is_told_by_the_line_on_which_a_person_sees_it(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    # The header is line 1, line 2 is empty, o0's item goes over lines 3 and 4, o1 stands on line 5.
    path.write_text(f'{GENERIC}\no0,2024-03-05 10:00:00,"i\n1",1,1\n{_order(1, "-1")}')
    assert [(one.row, one.line) for one in inspect_file(place.shop, path).examples] == [(2, 5)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_a_line_is_the_same_in_every_encoding(place: Place, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "orders"
    path.write_bytes(
        "订单编号,买家实付金额,订单状态\r\n90210000000000017,5,成功\r\n1.7E+18,5,成功\r\n".encode(encoding)
    )
    assert [(one.row, one.line) for one in inspect_file(place.shop, path).examples] == [(2, 3)]


def test_a_row_of_a_sheet_is_told_by_its_number_there(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "orders"
    head = ["订单编号", "买家实付金额", "订单状态"]
    rows = [["订单报表"], [], head, ["90210000000000017", "5", "交易成功"], [], ["1.71E+18", "5", "交易成功"]]
    path.write_bytes(workbooks.xlsx({"a": rows}))
    assert [(one.row, one.line) for one in inspect_file(place.shop, path).examples] == [(2, 6)]


def _reasons_in_the_code() -> set[str]:
    """Reasons as they are written into SQL (`f"name:{…}"`), and the faults of records."""
    code = "\n".join((Path(checks.__file__).parent / f"{name}.py").read_text() for name in ("checks", "ids"))
    faults = {read.RAGGED_ROW, read.ROW_TOO_LONG, read.BROKEN_ENCODING, jsonlines.BROKEN_JSON}
    return faults | set(re.findall(r'f"([a-z]+(?:_[a-z0-9]+)+):\{', code))


def test_every_reason_has_its_words_and_no_words_are_left_over() -> None:
    own = {rule.reason for source in all_sources() for rule in source.rules.not_before}
    own |= {source.rules.whole_by.reason for source in all_sources() if source.rules.whole_by}
    own |= {column.reason for source in all_sources() for column in source.columns if column.reason}
    left_out = {rule.reason for source in all_sources() for rule in source.rows.leave_out} | {BLANK_ROW, TOTAL}
    left_out.add(ERASED_REASON)
    assert set(reasons.LEFT_OUT) == left_out
    told = _reasons_in_the_code() - left_out
    assert {"missing_required", "negative_price", "ragged_row", "row_too_long", "broken_json", "digits_lost"} <= told
    assert told | own == set(reasons.SET_ASIDE)
    for words in (reasons.in_words(reason) for reason in (*told, *own, *left_out)):
        assert ";" in words, "what is wrong; what to do"
    page = (PROJECT_ROOT / "docs" / "runbooks" / "ingest.md").read_text(encoding="utf-8")
    for name, words in {**reasons.SET_ASIDE, **reasons.LEFT_OUT}.items():
        assert "| `{}` | {} | {} |".format(name, *words.split("; ", 1)) in page


def test_status_tells_what_was_set_aside_on_the_newest_day(place: Place) -> None:
    assert _set_aside(place.paths) is None
    place.drop(GENERIC + _order(1, "-1"), day="2024-03-04")
    place.drop(GENERIC + _order(2, "-1") + _order(3, "x") + _order(4, "1"))
    place.receive(days=(date(2024, 3, 4), DAY))
    told = {"negative_quantity:quantity": 1, "unparsable_value:quantity": 1}
    assert _set_aside(place.paths) == {"date": DAY, "reasons": told}
