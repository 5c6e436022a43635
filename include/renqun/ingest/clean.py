"""Cleaning cells of platforms' exports, as SQL: what is written around a value goes, the value stays.

Each kind of column has one canonical text that raw holds and staging casts. A cell that a cleaner does not understand
stays as it is, and the row checks find it. Clean cells, which are most, cost one look.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from renqun.ingest.catalogue import NUMBER_KINDS, TIME_KINDS, Column, Source, TimeUnit
from renqun.ingest.facts import Fact
from renqun.ingest.numbers import NumberSigns, clean_number, ungrouped
from renqun.settings import Shop
from renqun.sql_text import literal

_BLANKS = literal(" \t\r\n\u00a0\u3000\ufeff\u200b")
_BLANKS_AND_GUARDS = literal(" \t\r\n\u00a0\u3000\ufeff\u200b=\"'")
"""Blanks of all widths, TABs, and the marks that cannot be seen."""
_NULLS = ("", "-", "--", "—", "——", "－", "－－", "n/a", "null", "#n/a")

_WIDE = "０１２３４５６７８９．，－＋（）％：／￥　"
_NARROW = "0123456789.,-+()%:/¥ "

_SIGNS: dict[str, tuple[str, ...]] = {
    "CNY": ("¥", "元", "rmb", "cny", "人民币"),
    "JPY": ("¥", "円", "jpy"),
    "USD": (r"us\$", r"\$", "usd"),
    "EUR": ("€", "eur"),
    "GBP": ("£", "gbp"),
}
"""How an amount may say its currency. An amount with another sign than its currency's is not understood."""
_UNITS = ("元", "件", "个", "次", "人", "笔", "秒", "分", "s")

_PLAIN_NUMBER = r"-?\d+(\.\d+)?"
_ISO_DAY = r"[12]\d{3}-\d{2}-\d{2}"
_ISO_TIME = _ISO_DAY + r"( \d{2}:\d{2}(:\d{2})?)?"
_EXACT_TYPE = "DECIMAL(18, 6)"

_YEAR_FIRST = (
    r"^(\d{4})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})日?"
    r"(?:[T ] *(\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d{1,9})?)?))? *(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$"
)
_SINGLE_DIGIT = r"(^|[-: ])(\d)([-: ]|$)"
_DIGITS_ONLY_DAY = r"^(20\d{2}|19\d{2})(\d{2})(\d{2})$"
_DIGITS_ONLY_TIME = r"^(20\d{2}|19\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$"
_ONE_DAY = r"\d{8}|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?"
_RANGE = rf"^({_ONE_DAY}) *(?:至|到|~|～|-|—|–|to) *({_ONE_DAY})$"

_LATEST_SECOND = 253_402_300_799
"""The end of the year 9999."""
_PER_SECOND: dict[TimeUnit, int] = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000}


_IT = "§"
"""Stands in a step for what the step before has made."""
_CELL = "¤"
"""Stands in a step for the cell as it was read."""


@dataclass(frozen=True)
class Cleaning:
    """How the cells of a column become canonical text."""

    is_clean: str
    """A condition on the cell (`§`): true for cells that are canonical already. They skip the steps."""
    steps: tuple[str, ...]
    """Expressions, each on what the one before it has made; the first one on the cell."""
    quick: tuple[str, str] | None = None
    """The commonest unclean form: a condition on the cell, and the text that the steps would make of such a cell.
    Some columns are written like that in every row, and the steps cost more there than reading the file."""
    known: tuple[tuple[Fact, str], ...] = ()
    """Facts about a whole column, and the canonical text of a cell (`§`) where they hold: no cell needs a look then."""

    def known_text(self, facts: frozenset[Fact]) -> str | None:
        """The canonical text of a cell (`§`) of a column that some facts hold for, if they say enough."""
        return next((text for fact, text in self.known if fact in facts), None)


def cleaning(source: Source, column: Column, shop: Shop, signs: NumberSigns = "fixed") -> Cleaning:
    """How a column's cells are cleaned.

    Args:
        source: the source; it says the zone and the currency of its values.
        column: the column.
        shop: the shop, whose zone and currency hold where the source names none.
        signs: how the file writes its numbers.
    """
    if column.kind == "id":
        known: tuple[tuple[Fact, str], ...] = (("clean", _IT), ("apostrophe", _QUICK_ID[1]))
        if column.nulls:
            return Cleaning(_CLEAN_TEXT, _start(column))
        return Cleaning(_CLEAN_TEXT, _start(column), _QUICK_ID, known)
    if column.kind in NUMBER_KINDS:
        return _cleaning_of_number(source, column, shop, signs)
    if column.kind in TIME_KINDS:
        return _cleaning_of_time(source, column, shop)
    if column.kind == "boolean":
        said = (
            f"CASE WHEN regexp_full_match({_IT}, '(?i:true|1|yes|y|是|有)') THEN 'true' "
            f"WHEN regexp_full_match({_IT}, '(?i:false|0|no|n|否|无)') THEN 'false' ELSE {_IT} END"
        )
        return Cleaning(f"{_IT} IN ('true', 'false')", (*_start(column), said))
    steps = (_trimmed(_IT), _UNGUARDED, _nulled(column))
    return Cleaning("false", steps) if column.nulls else Cleaning(_CLEAN_TEXT, steps, known=(("clean", _IT),))


_STARTS = (("0", ":"), ("A", "N"), ("O", "n"), ("o", "~"), ("\u3041", "\ufb00"))
"""What most texts begin with: digits, letters and signs, but no guard, no dash and no `N/A`."""
_CLEAN_TEXT = (
    "("
    + " OR ".join(f"({_IT} >= '{first}' AND {_IT} < '{after}')" for first, after in _STARTS)
    + f" OR ({_IT} >= 'A' AND {_IT} < '~' AND length({_IT}) > {len('NULL')})"
    + ")"
    + "".join(f" AND NOT ends_with({_IT}, {literal(blank)})" for blank in " \t\n\u3000\u00a0")
)
"""Comparisons cost a tenth of a pattern, and there are more texts than anything else."""


_QUICK_ID = (f"regexp_full_match({_IT}, '''\\d+')", f"substr({_IT}, 2)")
"""Digits behind the apostrophe by which spreadsheets are told that they are a text: phones."""
_QUICK_NUMBER = (f"regexp_full_match({_IT}, '{_PLAIN_NUMBER}元')", f"replace({_IT}, '元', '')")
"""A number with the unit that platforms write behind every amount of some columns."""


def last_of_range(column: Column) -> Cleaning:
    """How a date range's cells become the last day; the column itself becomes the first one."""
    return _cleaning_of_range(column, 2)


def steps_applied(
    cleaning: Cleaning, value: str, name: str, facts: frozenset[Fact] = frozenset()
) -> list[tuple[str, str]]:
    """The SQL columns that lead from a cell to its canonical text, each to be computed after the one before.

    Args:
        cleaning: how.
        value: the SQL name of the cell.
        name: the prefix of the columns' names.
        facts: what holds for the whole column.

    Returns:
        Pairs of name and expression; the last one holds the canonical text.
    """
    text = cleaning.known_text(facts)
    if text is not None:
        return [(f"{name}_k", text.replace(_IT, f"nullif({value}, '')"))]
    cell, clean = f"{name}_f", f"{name}_0"
    made = [(cell, f"nullif({value}, '')"), (clean, f"{cell} IS NULL OR ({cleaning.is_clean.replace(_IT, cell)})")]
    # A step that looks at its input once is written around the one before it. All of it happens behind the question
    # whether the cell is clean: for most cells, none of it does.
    expressions: list[str] = []
    for step in cleaning.steps:
        if expressions and step.count(_IT) == 1:
            expressions[-1] = step.replace(_IT, expressions[-1])
        else:
            expressions.append(step)
    is_done, known = clean, cell
    if cleaning.quick:
        condition, made_of = (part.replace(_IT, cell) for part in cleaning.quick)
        known, is_done = f"{name}_q", f"{name}_q IS NOT NULL OR {clean}"
        made.append((known, f"CASE WHEN {clean} THEN {cell} WHEN {condition} THEN {made_of} END"))
    last = cell
    for place, expression in enumerate(expressions, start=1):
        made_of = expression.replace(_IT, last).replace(_CELL, cell)
        otherwise = known if place == len(expressions) else "NULL"
        last = f"{name}_{place}"
        made.append((last, f"CASE WHEN {is_done} THEN {otherwise} ELSE {made_of} END"))
    return made


def number_text(value: str) -> str:
    """The SQL of a decimal as text, without zeros at its end."""
    text = f"CAST({value} AS VARCHAR)"
    return f"CASE WHEN contains({text}, '.') THEN rtrim(rtrim({text}, '0'), '.') ELSE {text} END"


def _trimmed(value: str) -> str:
    return f"trim({value}, {_BLANKS})"


_UNGUARDED = f"""regexp_replace({_IT}, '^="\\s*((?s:.*?))\\s*"$', '\\1')"""
"""Without a guard (`="…"`)."""

_BARE = f"trim({_IT}, {_BLANKS_AND_GUARDS})"
"""Without blanks, guards (`="…"`) and the apostrophe by which spreadsheets are told that digits are a text: ids,
numbers and times have none of these signs at their ends."""


def _start(column: Column) -> tuple[str, ...]:
    return _BARE, _nulled(column)


def _nulled(column: Column) -> str:
    """Null where the text says that there is nothing.

    As a pattern: DuckDB makes a join of a longer `IN`, which costs more than the rest of the file.
    """
    nulls = "|".join(re.escape(text) for text in dict.fromkeys((*_NULLS, *(null.lower() for null in column.nulls))))
    return f"nullif(regexp_replace({_IT}, {literal(f'^(?i:{nulls})$')}, ''), '')"


_NARROWED = f"translate({_IT}, '{_WIDE}', '{_NARROW}')"
"""Full-width digits and punctuation as half-width."""


def _cleaning_of_number(source: Source, column: Column, shop: Shop, signs: NumberSigns) -> Cleaning:
    currency = source.currency or shop.currency
    names = _SIGNS.get(currency, (currency.lower(),))
    sign, unit = "|".join(names), "|".join((*names, *_UNITS))
    nothing = _nulled(column).replace(_IT, _trimmed(_CELL))
    # What is no number in the end stays as it was, or says that there is nothing.
    otherwise = f"CASE WHEN {nothing} IS NULL THEN NULL ELSE {_CELL} END"
    steps = [
        _BARE,
        f"lower(replace({_NARROWED}, ' ', ''))",
        # (12.00) is -12.00; then the sign, so that -¥12 and ¥-12 are the same.
        f"CASE WHEN starts_with({_IT}, '(') THEN regexp_replace({_IT}, '^\\((.*)\\)$', '-\\1') ELSE {_IT} END",
        *([_SECONDS] if column.kind == "duration" else []),
        f"regexp_replace({_IT}, '^\\+?(-?)(?:{sign})?(-?.*?)(?:{unit})?$', '\\1\\2')",
        ungrouped(column, signs),
    ]
    is_clean = f"regexp_full_match({_IT}, '{clean_number(column, signs)}')"
    # What holds for the bytes of a plain number says nothing where a point may group.
    known: tuple[tuple[Fact, str], ...] = (("number", _IT),) if signs == "fixed" else ()
    if column.kind == "percent":
        number = f"TRY_CAST(rtrim({_IT}, '%') AS {_EXACT_TYPE})"
        is_number = f"regexp_full_match({_IT}, '{_PLAIN_NUMBER}%?') AND {number} IS NOT NULL"
        is_points = "true" if column.percent_as == "points" else f"ends_with({_IT}, '%')"
        hundredth = number_text(f"{number} * 0.01::DECIMAL(3, 2)")
        steps.append(
            f"CASE WHEN {is_number} AND NOT {is_points} THEN {_IT} "
            f"WHEN {is_number} THEN {hundredth} ELSE {otherwise} END"
        )
        if column.percent_as == "points":
            return Cleaning("false", tuple(steps))
        return Cleaning(is_clean, tuple(steps), known=known)
    # A spreadsheet writes small fractions like 1.2E-05; what it writes as 1.2E+18 has lost its digits.
    small = number_text(f"TRY_CAST(TRY_CAST({_IT} AS DOUBLE) AS {_EXACT_TYPE})")
    steps.append(
        f"CASE WHEN regexp_full_match({_IT}, '{_PLAIN_NUMBER}') THEN {_IT} "
        f"WHEN regexp_full_match({_IT}, '-?\\d(\\.\\d+)?e-\\d+') THEN coalesce({small}, {_CELL}) ELSE {otherwise} END"
    )
    if column.nulls or signs != "fixed":
        return Cleaning(is_clean, tuple(steps), known=known)
    return Cleaning(is_clean, tuple(steps), _QUICK_NUMBER, (*known, ("yuan", _QUICK_NUMBER[1])))


def _clock_part(place: int) -> str:
    return f"TRY_CAST(split_part({_IT}, ':', {place}) AS BIGINT)"


_SECONDS = (
    f"CASE WHEN regexp_full_match({_IT}, '\\d{{1,9}}:\\d{{2}}:\\d{{2}}') "
    f"THEN CAST({_clock_part(1)} * 3600 + {_clock_part(2)} * 60 + {_clock_part(3)} AS VARCHAR) "
    f"WHEN regexp_full_match({_IT}, '\\d{{1,9}}:\\d{{2}}') "
    f"THEN CAST({_clock_part(1)} * 60 + {_clock_part(2)} AS VARCHAR) "
    f"WHEN regexp_full_match({_IT}, '\\d{{1,9}}分(\\d{{1,9}}秒?)?') "
    f"THEN CAST(TRY_CAST(regexp_extract({_IT}, '^(\\d+)分', 1) AS BIGINT) * 60 + "
    f"coalesce(TRY_CAST(regexp_extract({_IT}, '分(\\d+)秒?$', 1) AS BIGINT), 0) AS VARCHAR) ELSE {_IT} END"
)
"""A clock's time, or minutes and seconds, as seconds."""


def _cleaning_of_time(source: Source, column: Column, shop: Shop) -> Cleaning:
    if column.time_unit is not None:
        return _cleaning_of_count(column, column.time_unit)
    if column.kind == "date_range":
        return _cleaning_of_range(column, 1)
    start = (*_start(column), *_ISO)
    if column.kind == "date":
        day = f"CASE WHEN regexp_matches({_IT}, '^{_ISO_DAY}([T ]|$)') THEN left({_IT}, 10) ELSE {_IT} END"
        return Cleaning(f"regexp_full_match({_IT}, '{_ISO_DAY}')", (*start, day), known=(("day", _IT),))
    if not source.time_zone or source.time_zone == shop.time_zone:
        return Cleaning(f"regexp_full_match({_IT}, '{_ISO_TIME}')", start, known=(("time", _IT),))
    # Raw's times without a zone are the shop's: those of another zone have to say so.
    naive = f"TRY_CAST({_IT} AS TIMESTAMP)"
    instant = f"timezone('UTC', timezone({literal(source.time_zone)}, {naive}))"
    is_naive = f"regexp_full_match({_IT}, '{_ISO_DAY}([T ]\\d{{2}}:\\d{{2}}(:\\d{{2}}(\\.\\d+)?)?)?')"
    zoned = f"strftime({instant}, '%Y-%m-%dT%H:%M:%SZ')"
    return Cleaning("false", (*start, f"CASE WHEN {is_naive} AND {naive} IS NOT NULL THEN {zoned} ELSE {_IT} END"))


_PADDED = f"regexp_replace({_IT}, '{_SINGLE_DIGIT}', '\\10\\2\\3', 'g')"

_ISO = (
    _NARROWED,
    f"CASE WHEN regexp_matches({_IT}, '^0000[-/.]00[-/.]00') THEN NULL "
    f"WHEN regexp_matches({_IT}, '{_DIGITS_ONLY_DAY}') "
    f"THEN regexp_replace({_IT}, '{_DIGITS_ONLY_DAY}', '\\1-\\2-\\3') "
    f"WHEN regexp_matches({_IT}, '{_DIGITS_ONLY_TIME}') "
    f"THEN regexp_replace({_IT}, '{_DIGITS_ONLY_TIME}', '\\1-\\2-\\3 \\4:\\5:\\6') "
    # The zone stands behind a mark until the single digits before it have got their zeros.
    f"ELSE regexp_replace({_IT}, '{_YEAR_FIRST}', '\\1-\\2-\\3 \\4|\\5') END",
    _PADDED,
    # Once more: what stood between two single digits was taken by the first.
    _PADDED,
    f"regexp_replace(regexp_replace({_IT}, ' *\\|(UTC|GMT)$', '|Z'), '^({_ISO_DAY}(?: [0-9:.]+)?) *\\|', '\\1')",
)
"""A day or time that begins with its year, in ISO 8601."""


def _cleaning_of_range(column: Column, end: int) -> Cleaning:
    part = f"CASE WHEN regexp_matches({_IT}, '{_RANGE}') THEN regexp_extract({_IT}, '{_RANGE}', {end}) ELSE {_IT} END"
    is_clean = f"regexp_full_match({_IT}, '{_ISO_DAY}')"
    return Cleaning(is_clean, (*_start(column), part, *_ISO), known=(("day", _IT),))


def _cleaning_of_count(column: Column, unit: TimeUnit) -> Cleaning:
    """A count since 1970 in UTC; a text that is none is taken for a time already."""
    count = f"TRY_CAST({_IT} AS BIGINT)"
    instant = f"make_timestamp({count} * {1_000_000 // _PER_SECOND[unit]})"
    is_count = f"regexp_full_match({_IT}, '\\d{{1,16}}') AND {count} < {_LATEST_SECOND * _PER_SECOND[unit]}"
    said = f"CASE WHEN {is_count} THEN strftime({instant}, '%Y-%m-%dT%H:%M:%S.%fZ') ELSE {_IT} END"
    return Cleaning("false", (*_start(column), said))
