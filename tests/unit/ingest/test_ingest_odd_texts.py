"""Texts that are odd and sound: a platform's blanks beside quotes, rows longer than any real one."""

from __future__ import annotations

import pytest
from ingest_place import Place


def test_a_blank_behind_the_closing_quotes_of_a_header_is_nothing(place: Place) -> None:
    """淘宝客 settlements come like this."""
    names = (
        "确认收货时间",
        "账户支出时间",
        "淘客结算时间",
        "佣金",
        "淘宝父订单编号",
        "淘宝子订单编号",
        "来源或淘客昵称",
    )
    head = ",".join(f'"{name}" ' for name in names) + "\r\n"
    row = '"2024-03-05 10:00:00","2024-03-05 10:00:00","2024-03-05 10:00:00","1.00","\t1\t","\t2\t","某来源"\r\n'
    record = place.receive_one((head + row).encode("gb18030"), group="marketing")
    assert record.source == "taobaoke_settlements"
    assert place.rows(record, "order_id, line_id, _quarantine_reason") == [("1", "2", None)]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_row_that_is_too_long_says_so(place: Place, quote: str) -> None:
    """It has as many cells as the header: to call it ragged would send somebody on a search."""
    long = f"90210000000000018,9.90,交易成功,{quote}{'长' * 3_400_000}{quote}"
    sound = "90210000000000017,9.90,交易成功,x"
    record = place.receive_one(f"订单编号,买家实付金额,订单状态,支付详情\n{sound}\n{long}\n")
    assert place.reasons(record) == [None, "row_too_long"]
