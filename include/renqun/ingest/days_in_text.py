"""The days that a text names: a preamble, a file's name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

_DAY = r"(?<!\d)(20\d{2})(?:[-/._](\d{1,2})[-/._](\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))(?!\d)"
_ENGLISH_DAY = r"\b([A-Z][a-z]{2})[a-z]*\.? (\d{1,2}), (20\d{2})\b"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_JOINED = re.compile(r"\s*(?:至|到|~|-|—|–|_|to|,)+\s*", re.IGNORECASE)
_LABEL = re.compile(r"(统计|数据)?(日期|时间|周期)|date|period", re.IGNORECASE)
_MADE = re.compile(r"(导出|下载|生成|更新)(日期|时间)|generated|downloaded|exported", re.IGNORECASE)
"""When a file was made is not what it is about."""

Days = tuple[date, date]


def days_in_lines(lines: Sequence[str]) -> Days | None:
    """The first and the last day that a preamble says the figures are about; nothing where it says none or several."""
    about = [line for line in lines if not _MADE.search(line)]
    labelled = [line for line in about if _LABEL.search(line)]
    for candidates in (labelled, about):
        found = {days for line in candidates if (days := days_in(line)) is not None}
        if len(found) == 1:
            return found.pop()
    return None


def days_in(text: str) -> Days | None:
    """The day or the range of days in a text; nothing where there is none, or no telling which."""
    text = unicodedata.normalize("NFKC", text)
    found = [(match.start(), match.end(), day) for match in re.finditer(_DAY, text) if (day := _day(match))]
    found += [
        (match.start(), match.end(), day) for match in re.finditer(_ENGLISH_DAY, text) if (day := _english(match))
    ]
    found.sort()
    ranges = [
        (one[2], other[2])
        for one, other in pairwise(found)
        if _JOINED.fullmatch(text[one[1] : other[0]]) and one[2] <= other[2]
    ]
    if ranges:
        return ranges[0] if len(set(ranges)) == 1 else None
    days = {day for _, _, day in found}
    if len(days) != 1:
        return None
    (day,) = days
    return day, day


def _day(match: re.Match[str]) -> date | None:
    year, *rest = match.groups()
    month, day = [part for part in rest if part is not None]
    return _calendar_day(int(year), int(month), int(day))


def _english(match: re.Match[str]) -> date | None:
    name, day, year = match.groups()
    return _calendar_day(int(year), _MONTHS.index(name) + 1, int(day)) if name in _MONTHS else None


def _calendar_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
