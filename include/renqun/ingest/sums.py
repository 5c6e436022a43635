"""Rows that are none: sums that platforms and spreadsheets write among or below the rows, and rows of nothing."""

from __future__ import annotations

from renqun.ingest.catalogue import Source
from renqun.ingest.detect import Detection
from renqun.sql_text import literal

BLANK_ROW = "blank_row"
"""The reason to leave out a row that holds nothing."""
TOTAL = "total"
"""The reason to leave out a row that sums up others."""

_TOTALS = "(?i:(本页|全部)?(汇总|总计|合计|小计|共计|总和)|(grand|sub)?[ -]?totals?)[:：]?"
"""What stands in the place of an id where a row is a sum."""


def left_out_reason(detection: Detection, cell: dict[str, str]) -> str:
    """The SQL that says why a row is none; null for rows.

    Args:
        detection: what the file is.
        cell: the SQL of each canonical column's text.
    """
    cases = []
    for rule in detection.source.rows.leave_out:
        if rule.column and rule.column not in cell:
            continue
        value = cell[rule.column] if rule.column else "trim(c0)"
        tests = [f"{value} IN ({', '.join(literal(text) for text in rule.values)})"] if rule.values else []
        tests += [f"starts_with({value}, {literal(text)})" for text in rule.starts_with]
        cases.append(f"WHEN {' OR '.join(tests)} THEN {literal(rule.reason)}")
    places = [cell[name] for name in _keys(detection.source) if name in cell]
    places += [] if _first_is_a_person(detection) else ["trim(c0)"]
    cases += [f"WHEN {_is_total(value)} THEN '{TOTAL}'" for value in places]
    # A row of commas is what a spreadsheet program saves below a table.
    empty = " AND ".join(f"coalesce(c{place}, '') = ''" for place in range(len(detection.header.names)))
    cases.append(f"WHEN fault IS NULL AND {empty} THEN '{BLANK_ROW}'")
    return f"CASE {' '.join(cases)} END"


def asked_columns(source: Source) -> frozenset[str]:
    """The canonical columns that say whether a row is one, beside the first cell."""
    return frozenset({*(rule.column for rule in source.rows.leave_out if rule.column), *_keys(source)})


def _keys(source: Source) -> tuple[str, ...]:
    """The ids and days that every row has. A name may be anything: a campaign may be called Total."""
    key = source.merge.key if source.merge else ()
    return tuple(one.name for one in source.columns if one.name in key and one.required and one.kind != "text")


def _first_is_a_person(detection: Detection) -> bool:
    name = next((name for name, place in detection.places.items() if place == 0), None)
    return name is not None and detection.source.column(name).personal


def _is_total(value: str) -> str:
    # Ids and days begin with a digit: a comparison spares almost every row the pattern.
    return f"NOT ({value} >= '0' AND {value} < ':') AND regexp_full_match({value}, {literal(_TOTALS)})"
