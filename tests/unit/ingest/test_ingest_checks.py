"""Row checks: every reason, its boundaries, and what is no fault."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ingest_place import SOUND_CONSENT, SOUND_EVENT, SOUND_ORDER, Place, csv_file

from renqun.settings import Shop


def reason_of(place: Place, row: dict[str, str], group: str = "orders") -> str | None:
    (reason,) = place.reasons(place.receive_one(csv_file(row), group=group))
    return reason


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"item_id": ""}, "missing_required:item_id"),
        ({"item_id": "  "}, "missing_required:item_id"),
        ({"quantity": "two"}, "unparsable_value:quantity"),
        ({"quantity": "-1"}, "negative_quantity:quantity"),
        ({"quantity": "0"}, None),
        ({"quantity": "0.5"}, None),
        ({"unit_price": "-0.01"}, "negative_price:unit_price"),
        ({"unit_price": "0"}, None),
        ({"unit_price": "+9.9"}, None),
        ({"unit_price": "1,234.00"}, "unparsable_value:unit_price"),
        ({"unit_price": "¥9.90"}, "unparsable_value:unit_price"),
        ({"unit_price": "9."}, "unparsable_value:unit_price"),
        ({"unit_price": "1e3"}, "unparsable_value:unit_price"),
        ({"unit_price": "1234567890123"}, "unparsable_value:unit_price"),
        ({"refunded_amount": "none"}, "unparsable_value:refunded_amount"),
        ({"discount_amount": "-3"}, None),
        ({"ordered_at": "2024-02-30 10:00:00"}, "unparsable_value:ordered_at"),
        ({"ordered_at": "05/03/2024"}, "unparsable_value:ordered_at"),
        ({"ordered_at": "2024-03-05 24:00:00"}, "unparsable_value:ordered_at"),
        ({"ordered_at": "2024-03-05"}, None),
        ({"ordered_at": "2024-03-05T10:00"}, None),
        ({"ordered_at": "2024-03-05T02:00:00Z"}, None),
        ({"ordered_at": "2024-03-05 10:00:00.123456+0800"}, None),
        ({"ordered_at": "1999-12-31 23:59:59"}, "time_before_2000:ordered_at"),
        # 2000-01-01 begins in Shanghai at 1999-12-31T16:00Z.
        ({"ordered_at": "1999-12-31T16:00:00Z"}, None),
        ({"paid_at": "2024-03-05 09:59:59"}, "paid_before_ordered:paid_at"),
        ({"paid_at": "2024-03-05 10:00:00"}, None),
        ({"paid_at": ""}, None),
        # The folder's day ends 2024-03-05 23:59:59.999999; a day later is the last moment allowed.
        ({"paid_at": "2024-03-06 23:59:59"}, None),
        ({"paid_at": "2024-03-07 00:00:00"}, "time_after_export:paid_at"),
        # The row's own export time counts before the folder's.
        ({"paid_at": "2024-03-09 10:00:00", "exported_at": "2024-03-08 10:00:00"}, None),
        ({"paid_at": "2024-03-09 10:00:01", "exported_at": "2024-03-08 10:00:00"}, "time_after_export:paid_at"),
        ({"paid_at": "2024-03-06 10:00:01", "exported_at": "2024-03-05 10:00:00"}, "time_after_export:paid_at"),
        ({"currency": "USD"}, "foreign_currency:currency"),
        ({"currency": "cny"}, None),
        ({"currency": ""}, None),
        ({"order_id": "1.71E+18"}, "digits_lost:order_id"),
        ({"phone": "1.38E+10"}, "digits_lost:phone"),
        ({"item_id": "12e45"}, None),
        ({"customer_id": "a***z"}, None),
        ({"quantity": "x", "unit_price": "-1"}, "unparsable_value:quantity,negative_price:unit_price"),
    ],
)
def test_an_order_line_gets_its_reason(place: Place, changed: dict[str, str], reason: str | None) -> None:
    assert reason_of(place, SOUND_ORDER | changed) == reason


@pytest.mark.parametrize(
    ("group", "row", "reason"),
    [
        ("traffic", SOUND_EVENT, None),
        ("traffic", SOUND_EVENT | {"event_type": "View"}, "unknown_event_type:event_type"),
        ("traffic", SOUND_EVENT | {"event_type": ""}, "missing_required:event_type"),
        ("traffic", {"date": "2024-03-05", "source_level_1": "search", "visitors": "12"}, None),
        (
            "traffic",
            {"date": "2024-03-05 10:00", "source_level_1": "s", "visitors": "1"},
            "unparsable_value:traffic_date",
        ),
        ("traffic", {"date": "2024-03-05", "source_level_1": "s", "visitors": "-1"}, "negative_quantity:visitors"),
        ("profiles", {"customer_id": "c1", "birthday": "1985-02-03", "is_fan": "TRUE", "points": "-3"}, None),
        ("profiles", {"customer_id": "c1", "birthday": "1985-02-31"}, "unparsable_value:birthday"),
        ("profiles", {"customer_id": "c1", "is_fan": "1"}, "unparsable_value:is_fan"),
        ("profiles", SOUND_CONSENT, None),
        ("profiles", SOUND_CONSENT | {"customer_id": "", "phone": "13800138000"}, None),
        ("profiles", SOUND_CONSENT | {"customer_id": ""}, "missing_required:customer_id|phone|email"),
        ("profiles", SOUND_CONSENT | {"granted": "yes"}, "unparsable_value:granted"),
    ],
)
def test_a_row_of_another_source_gets_its_reason(
    place: Place, group: str, row: dict[str, str], reason: str | None
) -> None:
    assert reason_of(place, row, group) == reason


def test_naive_times_are_in_the_shops_zone(place: Place) -> None:
    london = replace(place, shop=Shop(id="default", time_zone="Europe/London"))
    # Paid 10:30 in London (= 10:30Z), ordered 10:00 at +08:00 (= 02:00Z): fine; the other way round it is not.
    assert (
        reason_of(london, SOUND_ORDER | {"ordered_at": "2024-03-05T10:00:00+08:00", "paid_at": "2024-03-05 02:00:00"})
        is None
    )
    too_early = SOUND_ORDER | {"ordered_at": "2024-03-05T10:00:00+08:00", "paid_at": "2024-03-05 01:59:59"}
    assert reason_of(london, too_early) == "paid_before_ordered:paid_at"


def test_a_bad_line_quarantines_its_order_and_no_other(place: Place) -> None:
    lines = [
        SOUND_ORDER | {"order_id": "o1", "item_id": "i1"},
        SOUND_ORDER | {"order_id": "o2", "item_id": "i1"},
        SOUND_ORDER | {"order_id": "o1", "item_id": "i2", "quantity": "-1"},
        SOUND_ORDER | {"order_id": "", "item_id": "i3"},
    ]
    record = place.receive_one(csv_file(*lines))
    assert place.reasons(record) == [
        "order_has_quarantined_line:order_id",
        None,
        "negative_quantity:quantity",
        "missing_required:order_id",
    ]
    assert (record.rows_read, record.rows_quarantined, record.rows_sound) == (4, 3, 1)
    assert record.quarantine_reasons == {
        "missing_required:order_id": 1,
        "negative_quantity:quantity": 1,
        "order_has_quarantined_line:order_id": 1,
    }
    texts = [row[0] for row in place.rows(record, "_row_text")]
    assert texts == [
        "o1,c1,2024-03-05 10:00:00,2024-03-05T10:05:00,i1,2,9.90",
        None,
        "o1,c1,2024-03-05 10:00:00,2024-03-05T10:05:00,i2,-1,9.90",
        ",c1,2024-03-05 10:00:00,2024-03-05T10:05:00,i3,2,9.90",
    ]


def test_a_ragged_line_quarantines_its_order_when_the_order_can_be_read(place: Place) -> None:
    content = csv_file(SOUND_ORDER, SOUND_ORDER | {"order_id": "o2"}) + "o1,c1,2024-03-05\n"
    record = place.receive_one(content)
    assert place.reasons(record) == ["order_has_quarantined_line:order_id", None, "ragged_row"]
    assert place.rows(record, "order_id, _source_row, _row_text")[2] == ("o1", 3, "o1,c1,2024-03-05")


def test_a_last_line_that_was_cut_off_is_quarantined(place: Place) -> None:
    content = csv_file(SOUND_ORDER, SOUND_ORDER | {"order_id": "o2"})
    record = place.receive_one(content[:-12])
    assert place.reasons(record) == [None, "ragged_row"]


def test_one_row_in_another_encoding_is_quarantined(place: Place) -> None:
    rows = [SOUND_ORDER | {"order_id": f"o{n}", "item_name": "杯子"} for n in range(3)]
    content = csv_file(*rows).encode()
    broken = content.replace(b"o1,c1", b"o1,\xb1\xad", 1)
    record = place.receive_one(broken)
    assert place.reasons(record) == [None, "broken_encoding", None]
    assert place.rows(record, "_row_text")[1][0].startswith("o1,\\xb1\\xad,")
