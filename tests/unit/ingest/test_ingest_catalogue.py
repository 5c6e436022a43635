"""The descriptions of sources: what they name, and that nothing in them is ignored."""

from __future__ import annotations

import pytest

from renqun.errors import RequestError
from renqun.ingest.catalogue import all_sources, get_source, list_sources, parse_source, sources_of

REQUIRED = {
    "orders": {"order_id", "ordered_at", "item_id", "quantity", "unit_price"},
    "traffic_events": {"event_at", "event_type", "visitor_id"},
    "traffic_sources": {"date", "source_level_1", "visitors"},
    "members": {"customer_id"},
    "consent": {"channel", "purpose", "granted", "recorded_at"},
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
    assert {source.source: set(source.required_headers) for source in all_sources()} == REQUIRED


def test_groups_know_their_sources() -> None:
    assert [source.source for source in sources_of("traffic")] == ["traffic_events", "traffic_sources"]
    assert [source.source for source in sources_of("profiles")] == ["consent", "members"]
    assert sources_of("marketing") == ()
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
    ],
)
def test_a_description_is_refused_when_it_says_something_unknown(change: tuple[str, str], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        parse_source(MINIMAL.replace(*change), "things.yml")


def test_an_unknown_source_names_the_known_ones() -> None:
    with pytest.raises(RequestError, match="traffic_events"):
        get_source("nothing")
