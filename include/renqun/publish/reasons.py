"""Reasons of memberships in words: the facts of a JSON text, named as the seed `segment_facts` names them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from renqun.thresholds import DBT_PROJECT

FACTS_SEED = DBT_PROJECT / "seeds" / "segment_facts.csv"


def in_words(reason: str | None, names: Mapping[str, str] | None = None) -> str | None:
    """A reason that can be read aloud; None where there is none.

    Args:
        reason: JSON text, an object of facts or a list of such objects; other text is given back as it is.
        names: words of the facts by key; the English ones of the seed where not given.
    """
    if reason is None:
        return None
    try:
        facts = json.loads(reason)
    except ValueError:
        return reason
    words = fact_names() if names is None else names
    records = facts if isinstance(facts, list) else [facts]
    return "; and ".join(_record(record, words) for record in records)


@cache
def fact_names(seed: Path = FACTS_SEED, column: str = "name_en") -> Mapping[str, str]:
    """The words of every fact that may stand in a reason."""
    with seed.open(encoding="utf-8", newline="") as stream:
        return {row["fact"]: row[column] for row in csv.DictReader(stream)}


def _record(record: Any, words: Mapping[str, str]) -> str:
    if not isinstance(record, dict):
        return _value(record)
    return ", ".join(f"{words.get(key, key.replace('_', ' '))}: {_value(value)}" for key, value in record.items())


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " and ".join(map(_value, value)) or "none"
    return str(value)
