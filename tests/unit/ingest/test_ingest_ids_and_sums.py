"""Damaged ids and rows of sums are neither orders nor customers, whatever program has written them."""

from __future__ import annotations

import pytest
from ingest_place import SOUND_ORDER, Place, csv_file

from renqun.settings import Group

TAOBAO = "订单编号,买家实付金额,订单状态,订单付款时间\n{},5.00,交易成功,2024-03-05 10:00:00\n"
WOO = "Date,Order #,N. Revenue (formatted),Status,Customer,Customer type,Product(s),Items sold,Coupon(s),Net Sales\n"
GOOGLE = "Campaign report\nMarch 5 2024\nCampaign ID,Campaign,Impr.,Clicks,Cost\n{},brand,1,1,1.00\n"
DAMAGED = ("1.71E+18", "1.71e18", "1.71E18", "1.71+18", '"1,71E+18"', "1.71E+018", "90210000000000017.0", "17.00")


@pytest.mark.parametrize("written", DAMAGED)
@pytest.mark.parametrize("content", [TAOBAO, GOOGLE], ids=["order", "campaign"])
def test_an_id_whose_digits_may_be_gone_is_set_aside(place: Place, content: str, written: str) -> None:
    group: Group = "orders" if content is TAOBAO else "marketing"
    (reason,) = place.reasons(place.receive_one(content.format(written), group=group))
    assert reason in {"digits_lost:order_id", "digits_lost:campaign_id"}


@pytest.mark.parametrize("written", ["########", "##", "#REF!", "#VALUE!", "#NAME?"])
@pytest.mark.parametrize("content", [TAOBAO, GOOGLE], ids=["order", "campaign"])
def test_an_id_that_is_a_spreadsheets_error_is_set_aside(place: Place, content: str, written: str) -> None:
    group: Group = "orders" if content is TAOBAO else "marketing"
    (reason,) = place.reasons(place.receive_one(content.format(written), group=group))
    assert reason in {"unparsable_value:order_id", "unparsable_value:campaign_id"}


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("90210000000000017", None),
        ('"=""90210000000000017"""', None),
        ("'90210000000000017", None),
        ("A-1", None),
        ("#N/A", "missing_required:order_id"),
    ],
)
def test_an_order_number_is_taken_as_it_is_meant(place: Place, written: str, reason: str | None) -> None:
    assert place.reasons(place.receive_one(TAOBAO.format(written))) == [reason]


@pytest.mark.parametrize("written", ["#1001", "12e45", "1E5", "v1.0", "1.5", "7.125", "SKU#", "a***z"])
def test_an_id_that_is_no_damaged_number_stays(place: Place, written: str) -> None:
    assert place.reasons(place.receive_one(GOOGLE.format(written), group="marketing")) == [None]


@pytest.mark.parametrize("written", ["1.71e18", "17.0", "####", "#REF!", "合计"])
def test_a_generic_id_is_any_text(place: Place, written: str) -> None:
    assert place.reasons(place.receive_one(csv_file(SOUND_ORDER | {"order_id": written}))) == [None]


@pytest.mark.parametrize("written", ["90210000000000017.0", "1.71e18", "####", "1.71E+18", "17.00"])
def test_a_large_file_is_asked_like_a_small_one(place: Place, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    small = place.reasons(place.receive_one(TAOBAO.format(written)))
    monkeypatch.setattr("renqun.ingest.portions.PORTIONS_FROM", 0)
    monkeypatch.setattr("renqun.ingest.portions.PORTION_BYTES", 200)
    head, row = TAOBAO.format(written).splitlines(keepends=True)
    place.drop(head + row * 50, name="large")
    record = next(one for one in place.receive().batches if one.rows_read == 50)
    assert set(place.reasons(record)) == set(small)
    assert small[0] is not None


SUMS = ("汇总", "总计", "合计", "本页合计", "小计", " 合计： ", "Total", "TOTALS", "Grand total", "Subtotal")


@pytest.mark.parametrize("word", SUMS)
def test_a_row_of_sums_is_no_order(place: Place, word: str) -> None:
    sums = f"{word},10.00,,\n"
    record = place.receive_one(TAOBAO.format("90210000000000017") + sums)
    assert (record.rows_read, record.rows_quarantined, record.rows_left_out) == (1, 0, {"total": 1})


def test_the_id_says_it_where_the_first_cell_does_not(place: Place) -> None:
    row = "2024-03-05 10:11:12,2001,$10.00,completed,Jane Doe,new,2× Tee,2,,10.00\n"
    record = place.receive_one(WOO + row + ",总计,$10.00,,,,,2,,10.00\n" + "Totals,,$10.00,,,,,2,,10.00\n")
    assert (record.rows_read, record.rows_quarantined, record.rows_left_out) == (1, 0, {"total": 2})


def test_a_row_of_sums_with_fewer_cells_is_one_all_the_same(place: Place) -> None:
    record = place.receive_one(TAOBAO.format("90210000000000017") + "合计,5.00\n")
    assert (record.rows_read, record.rows_quarantined, record.rows_left_out) == (1, 0, {"total": 1})


def test_a_person_may_be_called_total(place: Place) -> None:
    head = "买家会员名,订单编号,买家实付金额,订单状态\n"
    record = place.receive_one(head + "Total,90210000000000017,5.00,交易成功\n合计,,5.00,\n")
    assert (record.rows_read, record.rows_left_out) == (2, {})
    assert place.reasons(record) == [None, "missing_required:order_id"]
