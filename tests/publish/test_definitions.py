"""What a definition may say: every field strictly, nothing that cannot be meant."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import pytest
from pydantic import ValidationError
from shop_of_marts import audience

from renqun.publish.definitions import DestinationId
from renqun.publish.destinations import DESTINATIONS

WINDOW = {"max_change_share": "0.5", "min_previous": 10}


@pytest.mark.parametrize(
    "change",
    [
        {"weather": "sunny"},
        {"needs": []},
        {"needs": ["weather"]},
        {"destinations": []},
        {"destinations": ["canonical", "canonical"]},
        {"destinations": ["fax"]},
        {"include": {"segment": "x", "tag": "y"}},
        {"include": {"segment": "x'; drop table"}},
        {"id": "../x"},
        {"id": "a b"},
        {"expiry_days": 0},
        {"purpose": "marketing"},
        {"purpose": {"kind": "spam", "text": "-"}},
        {"purpose": {"kind": "marketing", "text": ""}},
        {"purpose": {"kind": "marketing", "text": "-", "why": "-"}},
        {"priority": -1},
        {"priority": 1_001},
        {"holdout": "-0.1"},
        {"holdout": "0.51"},
        {"holdout": "NaN"},
        {"destinations": ["sms"], "frequency_cap": {"times": 0, "days": 7}},
        {"destinations": ["sms"], "frequency_cap": {"times": 1, "days": 366}},
        {"destinations": ["sms"], "frequency_cap": {"times": 1}},
        {"size_window": WINDOW | {"max_change_share": 0}},
        {"size_window": WINDOW | {"min_members": -1}},
        {"size_window": WINDOW | {"max_members": 0}},
        {"size_window": WINDOW | {"min_members": 5, "max_members": 4}},
    ],
)
def test_a_definition_with_anything_unknown_or_impossible_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        audience(**change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"purpose": {"kind": "exclusion", "text": "-"}, "holdout": "0.1"}, "has no holdout"),
        ({"purpose": {"kind": "exclusion", "text": "-"}, "destinations": ["meta", "sms"]}, "addresses nobody, but sms"),
        ({"destinations": ["canonical", "meta"], "frequency_cap": {"times": 1, "days": 7}}, "nothing to cap"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        audience(**change)


def test_a_definition_with_every_field_is_read() -> None:
    one = audience(
        destinations=["canonical", "meta", "sms"],
        priority=10,
        holdout="0.1",
        frequency_cap={"times": 2, "days": 7},
        size_window=WINDOW | {"min_members": 5, "max_members": 5},
    )
    assert (one.priority, one.holdout, one.size_window.max_members) == (10, Decimal("0.1"), 5)
    assert one.definition_hash != audience().definition_hash


def test_every_destination_can_be_named() -> None:
    assert set(get_args(DestinationId)) == set(DESTINATIONS)
