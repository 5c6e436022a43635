"""Ids that a spreadsheet has damaged, as SQL conditions."""

from __future__ import annotations

from renqun.ingest.catalogue import Column

_CUT = r"[+-]?\d(\.\d+)?[eE]\+\d+"
"""What a spreadsheet writes for a long id (1.71E+18): the digits are gone."""
_CUT_OTHERWISE = r"\d[.,]\d+([eE]|[eE]?\+)\d+|\d+\.0{1,2}"
"""What other programs write (1.71e18, 1.71+18, 90210000000000017.0): whether a digit is gone, nobody can see."""
_ERROR = r"#{2,}|#(REF|N/A|VALUE|NAME|DIV/0|NULL|NUM|SPILL|CALC|GETTING_DATA)[!?]?"
"""A column too narrow for its number, saved as it looked; a formula that failed."""


def id_findings(column: Column, value: str, *, is_generic: bool) -> list[tuple[str, str]]:
    """Conditions under which an id is damaged, each with its reason.

    Args:
        column: the id's column.
        value: the SQL of its canonical text.
        is_generic: whether the file is in Renqun's own words, where ids are any text of the shop's.
    """
    lost, unparsable = f"digits_lost:{column.name}", f"unparsable_value:{column.name}"
    if is_generic:
        return [(f"regexp_full_match({value}, '{_CUT}')", lost)]
    cut = f"regexp_full_match({value}, '{_CUT}|{_CUT_OTHERWISE}')"
    return [(cut, lost), (f"regexp_full_match({value}, '{_ERROR}')", unparsable)]
