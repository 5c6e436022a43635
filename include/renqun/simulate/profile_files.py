"""Members, consent and suppressions, as a customer platform exports them: full snapshots on a few days."""

from __future__ import annotations

from dataclasses import dataclass

from renqun.simulate.calendar import Calendar
from renqun.simulate.drafts import Drafts
from renqun.simulate.draws import Stream
from renqun.simulate.facts import Person
from renqun.simulate.wall import DAY, day_text, wall_text

MEMBER_COLUMNS = (
    "customer_id", "joined_at", "is_fan", "fan_since", "tier", "points", "birthday", "gender", "age_band", "province",
    "city", "phone", "email",
)  # fmt: skip
CONSENT_COLUMNS = ("customer_id", "phone", "email", "channel", "purpose", "granted", "recorded_at")
CHANNELS = ("ads", "email", "sms")
PURPOSE = "marketing"
SUPPRESSION_COLUMNS = ("customer_id", "phone", "email", "cause", "status", "recorded_at")
_TIERS = ("普通会员", "银卡会员", "金卡会员", "钻石会员")
_AGE_BANDS = ("18-24", "25-29", "30-34", "35-39", "40-49", "50+")
_MISSING, _REFUSED, _WITHDRAWN = 6, 14, 19
"""Of a hundred customers: never asked; refused as well; withdrew later as well."""
_BLACKLISTED, _COMPLAINED = 4, 6
"""Of a thousand customers: blacklisted; with a complaint, half of which are closed by the end."""


@dataclass(frozen=True)
class Consent:
    """What one customer says about being written to."""

    person: Person
    given_day: int
    is_granted: bool
    withdrawn_day: int | None = None


@dataclass(frozen=True)
class Suppression:
    """A case for which nothing is sent to one customer."""

    person: Person
    day: int
    cause: str
    closed_day: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the case is open at the end."""
        return self.closed_day is None


def snapshot_days(calendar: Calendar) -> list[int]:
    """The days with a snapshot; the last is the end."""
    return sorted({calendar.daily_from, max(calendar.daily_from, calendar.end - 14), calendar.end})


def decide_consents(people: list[Person], seed: int, calendar: Calendar) -> list[Consent]:
    """What the ordinary customers said."""
    draw = Stream(seed, "consent")
    consents = []
    for person in people:
        fate = draw.below(100)
        withdrawn = calendar.end - draw.below(40)
        if fate < _MISSING:
            continue
        granted = fate >= _REFUSED
        is_withdrawn = _REFUSED <= fate < _WITHDRAWN and withdrawn > person.joined_day
        consents.append(Consent(person, person.joined_day, granted, withdrawn if is_withdrawn else None))
    return consents


def decide_suppressions(
    people: list[Person], planted: list[Person], seed: int, calendar: Calendar
) -> list[Suppression]:
    """Whom nothing may be sent: a few of the ordinary customers, and those who are planted for it."""
    draw = Stream(seed, "suppressions")
    found = []
    for person in people:
        fate, day = draw.below(1_000), calendar.end - draw.below(60)
        if fate < _BLACKLISTED + _COMPLAINED and day >= max(person.joined_day, calendar.daily_from):
            cause = "blacklist" if fate < _BLACKLISTED else "complaint"
            closed = min(day + 5, calendar.end) if fate % 2 and cause == "complaint" else None
            found.append(Suppression(person, day, cause, closed))
    for person in planted:
        word = (person.customer_id or "").removeprefix("planted_suppressed_")
        if word in ("blacklist", "complaint"):
            found.append(Suppression(person, calendar.end - 3, word))
        elif word == "closed":
            found.append(Suppression(person, calendar.end - 3, "complaint", calendar.end - 1))
    return found


def draft_suppressions(suppressions: list[Suppression], calendar: Calendar, drafts: Drafts) -> None:
    """Every case that was opened by the day of the snapshot, as it stood then."""
    for day in snapshot_days(calendar):
        known = [one for one in suppressions if one.day <= day]
        if not known:
            continue
        draft = drafts.file("profiles", "suppressions", day, "suppressions.csv", SUPPRESSION_COLUMNS)
        for one in known:
            is_closed = one.closed_day is not None and one.closed_day <= day
            recorded = wall_text(
                (one.closed_day if is_closed and one.closed_day is not None else one.day) * DAY + 36_000
            )
            status = "closed" if is_closed else "open"
            draft.rows.append([one.person.customer_id, "", "", one.cause, status, recorded])


def draft_members(people: list[Person], calendar: Calendar, drafts: Drafts) -> None:
    """Everyone who had joined by the day of the snapshot."""
    for day in snapshot_days(calendar):
        draft = drafts.file("profiles", "members", day, "members.csv", MEMBER_COLUMNS)
        for number, person in enumerate(people):
            if not person.is_member or person.joined_day > day:
                continue
            is_fan = number % 3 != 0 if person.is_fan is None else person.is_fan
            tier = _TIERS[min(3, number % 10 // 3)] if person.tier is None else person.tier
            joined = person.joined_day * DAY + 36_000 + number % 36_000
            by_chance = day_text(1_000 + number * 37 % 12_000) if number % 4 else ""
            birthday = by_chance if person.birthday is None else person.birthday
            draft.rows.append(
                [
                    person.customer_id,
                    wall_text(joined),
                    "true" if is_fan else "false",
                    wall_text(joined) if is_fan else "",
                    tier,
                    str(number * 17 % 5_000),
                    birthday,
                    ("female", "male", "")[number % 3],
                    _AGE_BANDS[number % len(_AGE_BANDS)],
                    person.province,
                    person.city,
                    person.phone,
                    person.email,
                ]
            )


def draft_consents(consents: list[Consent], calendar: Calendar, drafts: Drafts) -> None:
    """The newest word of every customer on every channel, as of the day of the snapshot."""
    for day in snapshot_days(calendar):
        draft = drafts.file("profiles", "consent", day, "consent.csv", CONSENT_COLUMNS)
        for consent in consents:
            if consent.given_day > day:
                continue
            is_withdrawn = consent.withdrawn_day is not None and consent.withdrawn_day <= day
            spoken = consent.withdrawn_day if is_withdrawn and consent.withdrawn_day is not None else consent.given_day
            granted = "true" if consent.is_granted and not is_withdrawn else "false"
            recorded = wall_text(spoken * DAY + 32_400)
            for channel in CHANNELS:
                draft.rows.append([consent.person.customer_id, "", "", channel, PURPOSE, granted, recorded])
