"""The descriptions of sources: what they name, and that nothing in them is ignored."""

from __future__ import annotations

import pytest

from renqun.errors import RequestError
from renqun.ingest.catalogue import all_sources, get_source, list_sources, parse_source, sources_of
from renqun.ingest.names import folded, slot_pattern, tidied

REQUIRED = {
    "orders": {"order_id", "ordered_at", "item_id", "quantity", "unit_price"},
    "traffic_events": {"event_at", "event_type", "visitor_id"},
    "traffic_sources": {"date", "source_level_1", "visitors"},
    "members": {"customer_id"},
    "consent": {"channel", "purpose", "granted", "recorded_at"},
    "suppressions": {"cause", "recorded_at"},
}

MINIMAL = """
source: things
group: orders
title: things
formats: [csv]
columns:
  - {name: thing_id, kind: id, meaning: a thing, required: true}
"""


def test_each_source_requires_what_the_generic_export_marks() -> None:
    required = {source.source: set(source.required_headers) for source in all_sources() if source.is_generic}
    assert required == REQUIRED


def test_groups_know_their_sources() -> None:
    assert {"traffic_events", "traffic_sources"} <= {source.source for source in sources_of("traffic")}
    assert {"consent", "members", "suppressions"} <= {source.source for source in sources_of("profiles")}
    assert all(source.group == "marketing" for source in sources_of("marketing"))
    assert list_sources() == all_sources()


def test_a_minimal_description_is_read() -> None:
    assert parse_source(MINIMAL, "things.yml").names == ("thing_id",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("title: things", "title: things\ncolour: red"), "colour"),
        (("required: true", "requiered: true"), "requiered"),
        (("kind: id", "kind: ident"), "kind"),
        (("kind: id", "kind: enum"), "an enum needs both"),
        (("name: thing_id", "name: date"), "cannot be a canonical name"),
        (("name: thing_id", "name: _batch_id"), "name"),
        (("columns:", "rules: {shop_currency: currency}\ncolumns:"), "unknown columns currency"),
        (("kind: id", "kind: id, not_negative: true"), "is for money"),
        (("columns:", "columns: ["), "cannot be read"),
        (("meaning: a thing", "meaning: a thing, header: a, headers: [b]"), "'header' or 'headers', not both"),
        (("meaning: a thing", 'meaning: a thing, headers: [" "]'), "is empty"),
        (("kind: id", "kind: date_range"), "names a date range's last day"),
        (("kind: id", "kind: id, last: until"), "names a date range's last day"),
        (("kind: id", "kind: number, percent_as: points"), "is for a percent"),
        (("kind: id", "kind: date, time_unit: seconds"), "is for a timestamp"),
        (("columns:", "time_zone: Mars/Base\ncolumns:"), "unknown time zone"),
        (("columns:", "currency: yuan\ncolumns:"), "currency"),
        (("columns:", "merge: {mode: upsert}\ncolumns:"), "need 'key'"),
        (("columns:", "merge: {mode: replace, key: [thing_id]}\ncolumns:"), "needs 'partition'"),
        (("columns:", "merge: {mode: append, key: [thing]}\ncolumns:"), "merge mentions unknown columns thing"),
        (("columns:", "dates: {column: day}\ncolumns:"), "dates mention unknown columns day"),
        (("columns:", "rows: {leave_out: [{column: level, values: [总计], reason: total}]}\ncolumns:"), "row filters"),
        (("columns:", "rows: {leave_out: [{column: thing_id, reason: total}]}\ncolumns:"), "needs 'values'"),
        (("columns:", "versions: [{name: one, has: []}]\ncolumns:"), "has"),
        (("columns:", "recognise: {hass: [a]}\ncolumns:"), "recognise.hass"),
        (("columns:", "columns:\n  - {name: other_id, kind: id, headers: [' Thing_ID '], meaning: it}"), "accept"),
    ],
)
def test_a_description_is_refused_when_it_says_something_unknown(change: tuple[str, str], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        parse_source(MINIMAL.replace(*change), "things.yml")


def test_an_unknown_source_names_the_known_ones() -> None:
    with pytest.raises(RequestError, match="traffic_events"):
        get_source("nothing")


def test_a_description_of_a_platform_export_is_read() -> None:
    source = parse_source(
        """
source: spend
group: marketing
title: spend
formats: [csv, xlsx]
time_zone: Asia/Shanghai
currency: CNY
recognise: {has: [花费], has_any: [[计划ID, 计划id]], lacks: [关键词]}
sheets: [全部]
versions: [{name: "2025", has: [计划ID]}]
columns:
  - {name: first_date, kind: date_range, last: last_date, headers: [日期], required: true, meaning: days}
  - {name: campaign_id, kind: id, headers: [计划ID], required: true, meaning: the campaign}
  - {name: cost, kind: money, headers: [花费, "Amount spent ({currency})"], nulls: [无], meaning: cost}
  - {name: click_rate, kind: percent, percent_as: points, headers: [点击率], meaning: clicks by impressions}
rows: {leave_out: [{column: campaign_id, values: [总计], reason: total}, {starts_with: [Total], reason: total}]}
merge: {mode: replace, partition: [first_date, last_date]}
""",
        "spend.yml",
    )
    assert source.names == ("first_date", "last_date", "campaign_id", "cost", "click_rate")
    assert source.required_headers == ("日期", "计划ID")
    assert (source.column("last_date").kind, source.is_generic) == ("date", False)


def test_names_are_the_same_to_a_person() -> None:
    assert tidied("\ufeff收货地址 \t") == "收货地址"
    assert folded("Ｌｉｎｅｉｔｅｍ  SKU") == folded(" lineitem sku")
    assert folded("总金额（旧版）") == folded("总金额(旧版)")
    assert slot_pattern("Amount spent ({currency})").fullmatch(folded("Amount spent (USD)"))["currency"] == "usd"  # type: ignore[index]
