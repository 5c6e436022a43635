"""Time as the shop's clock on the wall shows it: seconds since 1970-01-01 00:00, without a zone.

Days are day numbers of the same count. Only where elapsed time matters across a change of the clocks (the planted
funnels) does the zone come in.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

DAY = 86_400
MINUTE = 60
_EPOCH = date(1970, 1, 1)
_EPOCH_AT = datetime(1970, 1, 1)
_CLOCK = tuple(f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(DAY))
_DATES: dict[int, str] = {}


def day_number(day: date) -> int:
    """The number of a calendar day."""
    return (day - _EPOCH).days


@cache
def day_date(number: int) -> date:
    """The calendar day of a number."""
    return _EPOCH + timedelta(days=number)


def day_text(number: int) -> str:
    """The calendar day of a number, as `YYYY-MM-DD`."""
    text = _DATES.get(number)
    if text is None:
        text = _DATES[number] = day_date(number).isoformat()
    return text


def wall_text(at: int, between: str = " ") -> str:
    """A time as `YYYY-MM-DD HH:MM:SS`."""
    return day_text(at // DAY) + between + _CLOCK[at % DAY]


def month_of(number: int) -> tuple[int, int]:
    """Year and month of a day number."""
    day = day_date(number)
    return day.year, day.month


def month_text(number: int) -> str:
    """The first day of a day number's month, as `YYYY-MM-01`."""
    return day_text(number)[:8] + "01"


@cache
def last_day_of_month(number: int) -> int:
    """The number of the last day of the month of a day."""
    day = day_date(number)
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return day_number(following) - 1


def months_between(earlier: int, later: int) -> int:
    """Calendar months from one day's month to another's."""
    first, second = month_of(earlier), month_of(later)
    return (second[0] - first[0]) * 12 + second[1] - first[1]


def utc_of(at: int, zone: ZoneInfo) -> datetime:
    """The instant that the shop's clock shows as `at`."""
    return (_EPOCH_AT + timedelta(seconds=at)).replace(tzinfo=zone).astimezone(UTC)


def elapsed(at: int, seconds: int, zone: ZoneInfo) -> int:
    """What the shop's clock shows so many real seconds after `at`."""
    later = (utc_of(at, zone) + timedelta(seconds=seconds)).astimezone(zone).replace(tzinfo=None)
    return int((later - _EPOCH_AT).total_seconds())


def clock_changes(first: int, last: int, zone: ZoneInfo) -> frozenset[int]:
    """Days on which, or on the eve of which, the shop's clocks are put forward or back."""
    changed: set[int] = set()
    for number in range(first, last + 1):
        noon = utc_of(number * DAY + DAY // 2, zone)
        if (utc_of((number + 1) * DAY + DAY // 2, zone) - noon) != timedelta(days=1):
            changed.update((number, number + 1))
    return frozenset(changed)
