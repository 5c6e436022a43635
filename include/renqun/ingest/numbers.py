"""What a point and a comma mean in a number: grouping, or the beginning of the decimals.

Most platforms write numbers in one way for everybody. Some follow the language of whoever downloads the report
(`numbers_follow_locale`): there, the file's separator says it. Where it does not, a number that could be either is left
as it is, and the row checks set it aside.
"""

from __future__ import annotations

from typing import Literal

from renqun.ingest.catalogue import NUMBER_KINDS, Column, Source

NumberSigns = Literal["fixed", "point", "comma"]
"""How a file writes its numbers:

- `fixed`: as its platform writes them for everybody, or as a workbook's typed cells.
- `point`: the user's language decides, and the file speaks for a point before the decimals, or says nothing.
- `comma`: the user's language decides, and it has a comma before the decimals: else no `;` were needed between cells.
"""

_IT = "§"
_PLAIN = r"-?\d+(\.\d+)?"
_GROUPED_BY_POINTS = r"[1-9]\d{0,2}(\.\d{3})"
_WITHOUT_POINTS = f"replace({_IT}, '.', '')"

_FIXED = (
    f"CASE WHEN NOT contains({_IT}, ',') THEN {_IT} "
    f"WHEN regexp_full_match({_IT}, '-?[1-9]\\d{{0,2}}(,\\d{{2,3}})*,\\d{{3}}(\\.\\d+)?%?') "
    f"THEN replace({_IT}, ',', '') "
    f"WHEN regexp_full_match({_IT}, '-?{_GROUPED_BY_POINTS}+,\\d+%?') "
    f"THEN replace({_WITHOUT_POINTS}, ',', '.') "
    f"WHEN regexp_full_match({_IT}, '-?\\d+,\\d+%?') THEN replace({_IT}, ',', '.') ELSE {_IT} END"
)
_COMMA = (
    f"CASE WHEN regexp_full_match({_IT}, '-?{_GROUPED_BY_POINTS}+(,\\d+)?%?') "
    f"THEN replace({_WITHOUT_POINTS}, ',', '.') "
    f"WHEN regexp_full_match({_IT}, '-?\\d+,\\d+%?') THEN replace({_IT}, ',', '.') ELSE {_IT} END"
)


def signs_of(source: Source, file_format: str, delimiter: str) -> NumberSigns:
    """How a file of a source writes its numbers."""
    if not source.numbers_follow_locale or file_format != "csv":
        return "fixed"
    return "comma" if delimiter == ";" else "point"


def clean_number(column: Column, signs: NumberSigns) -> str:
    """The pattern of numbers that mean the same however they are read."""
    if signs == "comma":
        return r"-?\d+"
    return r"-?\d+(\.\d{1,2})?" if signs == "point" and column.kind in {"money", "quantity"} else _PLAIN


def ungrouped(column: Column, signs: NumberSigns) -> str:
    """The SQL of a number (`§`) without separators of thousands, and with a point before the decimals."""
    if signs == "fixed":
        return _FIXED
    if signs == "comma":
        return _COMMA
    # Two points can only group. One can in a count, which has no three decimals; in money, nobody knows.
    points = "+" if column.kind == "quantity" else "{2,}"
    grouped = f"regexp_full_match({_IT}, '-?{_GROUPED_BY_POINTS}{points}%?')"
    return f"CASE WHEN {grouped} THEN {_WITHOUT_POINTS} ELSE {_FIXED} END"


def doubtful(column: Column, signs: NumberSigns, value: str, cell: str) -> str | None:
    """The SQL condition under which a number may be a thousand times another one; nothing where none can.

    Args:
        column: the number's column.
        signs: how the file writes numbers.
        value: the SQL of its canonical text.
        cell: the SQL of the cell as it was read.
    """
    if signs == "fixed" or column.kind not in NUMBER_KINDS:
        return None
    if signs == "comma":
        # A point that does not group contradicts the file's separator.
        groups = f"regexp_full_match({cell}, '\\D*{_GROUPED_BY_POINTS}+(,\\d+)?\\D*')"
        return f"contains({cell}, '.') AND regexp_full_match({value}, '{_PLAIN}') AND NOT {groups}"
    return f"regexp_full_match({value}, '-?{_GROUPED_BY_POINTS}')" if column.kind == "money" else None
