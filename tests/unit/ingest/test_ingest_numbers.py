"""Numbers in the user's language: a point that groups is no point before decimals, and nobody guesses with money."""

from __future__ import annotations

import pytest
from ingest_place import Place

from renqun.settings import Shop

USD = Shop(id="default", currency="USD")
HEAD = ("Day", "Campaign", "Impr.", "Clicks", "Cost", "Conversions", "CTR")


def read(place: Place, separator: str, **cells: str) -> tuple[list[str | None], str | None]:
    """One row of a Google Ads report: its impressions, clicks, cost, conversions and click rate in raw; its reason."""
    sound = {"impr": "1", "clicks": "1", "cost": "1", "conversions": "1", "ctr": "1%"}
    row = ["2024-03-05", "brand", *(f'"{cell}"' for cell in (sound | cells).values())]
    content = "\n".join(["Campaign report", "March 5 2024", separator.join(HEAD), separator.join(row)]) + "\n"
    record = place.receive_one(content, group="marketing")
    ((*values, reason),) = place.rows(
        record, "impressions, clicks, cost, attributed_orders, click_rate, _quarantine_reason"
    )
    return values, reason


@pytest.mark.parametrize(
    ("separator", "cells", "values"),
    [
        # The language has a comma before decimals: that is why the cells are separated by something else.
        (";", {"impr": "10.000", "clicks": "1.000", "cost": "1.500"}, ["10000", "1000", "1500", "1", "0.01"]),
        (";", {"cost": "1.500,25", "conversions": "2,50", "ctr": "1,25%"}, ["1", "1", "1500.25", "2.50", "0.0125"]),
        (";", {"cost": "€ 1.234.567,8"}, ["1", "1", "1234567.8", "1", "0.01"]),
        (";", {"cost": "1,500"}, ["1", "1", "1.500", "1", "0.01"]),
        # A comma groups where three digits follow it; two signs say what each of them is.
        (",", {"impr": "10,000", "cost": "1,500.25"}, ["10000", "1", "1500.25", "1", "0.01"]),
        (",", {"cost": "1.500,25"}, ["1", "1", "1500.25", "1", "0.01"]),
        # A count has no three decimals; two points cannot both begin them.
        (",", {"impr": "10.000", "cost": "1.234.567"}, ["10000", "1", "1234567", "1", "0.01"]),
        ("\t", {"cost": "1.50", "conversions": "1.125"}, ["1", "1", "1.50", "1.125", "0.01"]),
        # No group begins with 0, and none has four digits before it.
        (",", {"cost": "0.500"}, ["1", "1", "0.500", "1", "0.01"]),
        (",", {"cost": "1500.250"}, ["1", "1", "1500.250", "1", "0.01"]),
    ],
)
def test_a_number_is_read_in_the_language_of_its_file(
    place: Place, separator: str, cells: dict[str, str], values: list[str]
) -> None:
    euro = Place(place.home, Shop(id="default", currency="EUR"))
    assert read(euro, separator, **cells) == (values, None)


@pytest.mark.parametrize(
    ("separator", "cost"),
    [(",", "1.500"), ("\t", "1.500"), (",", "$1.500"), (",", "-12.500"), (";", "12.50"), (";", "0.500")],
)
def test_money_that_may_be_a_thousand_times_more_is_set_aside(place: Place, separator: str, cost: str) -> None:
    _, reason = read(Place(place.home, USD), separator, cost=cost)
    assert reason == "ambiguous_number:cost"


def test_a_number_that_is_none_has_one_reason(place: Place) -> None:
    assert read(Place(place.home, USD), ";", cost="1.5 or so")[1] == "unparsable_value:cost"


def test_a_point_begins_decimals_where_the_platform_writes_for_everybody(place: Place) -> None:
    content = "订单编号,买家实付金额,订单状态\n90210000000000017,1.500,交易成功\n"
    record = place.receive_one(content)
    assert place.rows(record, "order_paid_amount, _quarantine_reason") == [("1.500", None)]


def test_a_large_file_is_read_like_a_small_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("renqun.ingest.portions.PORTIONS_FROM", 0)
    monkeypatch.setattr("renqun.ingest.portions.PORTION_BYTES", 200)
    rows = "".join(f"2024-03-05,brand {n},10.000,1,1.500,1,1%\n" for n in range(50))
    record = place.receive_one("Campaign report\nMarch 5 2024\n" + ",".join(HEAD) + "\n" + rows, group="marketing")
    found = set(place.rows(record, "impressions, _quarantine_reason"))
    assert found == {("10000", "ambiguous_number:cost")}
