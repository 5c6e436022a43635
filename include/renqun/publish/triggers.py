"""The block `trigger` of a definition: which dated facts a list goes by, when each is due, and how it is sent.

```yaml
trigger:
  fact: unpaid_order                     # one of the closed catalogue in `trigger_facts`
  delay: {hours: 1}                      # or, by the calendar of the shop: {days: 3, at: "10:00"}
  window: {from: "09:00", to: "21:00"}   # messages go out between these hours only
  give_up_hours: 48
  channel: sms
  offer: unpaid_reminder
```
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from renqun.publish.destinations.destination import CONTACT_CHANNELS, Channel

FactName = Literal[
    "abandoned_cart", "birthday", "entered_segment", "first_paid", "item_launch", "repurchase_due", "signed_order",
    "unpaid_order",
]  # fmt: skip
"""The facts that a list may go by."""

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", strict=True)]
"""A time of day in the shop's zone, `HH:MM` in quotes: without them YAML takes `10:30` for a number."""

_SEGMENT = r"^[a-z][a-z0-9_]{0,60}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


class Delay(_Strict):
    """How long after the fact a message is due: so many hours, or on a day of the shop's calendar."""

    hours: int | None = Field(default=None, ge=0, le=24 * 60)
    """Elapsed time: an hour is an hour, whatever the clocks do."""
    days: int | None = Field(default=None, ge=-60, le=365)
    """Days of the calendar after the fact's date in the shop's zone; negative before a date that is known ahead."""
    at: Clock | None = None
    """The time of that day. One that the clocks leave out is moved by as much as they are; of one that comes twice it
    is the second."""

    @model_validator(mode="after")
    def _one_way_to_count(self) -> Delay:
        if (self.hours is None) == (self.days is None):
            raise ValueError("give hours, or days and at")
        if (self.days is None) != (self.at is None):
            raise ValueError("days need a time of day, at; hours have none")
        return self


class SendWindow(_Strict):
    """The hours of a day, in the shop's zone, in which messages go out; what is due outside waits for the next."""

    from_: Clock = Field(alias="from")
    to: Clock
    """The first minute that is outside again."""

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> SendWindow:
        if self.from_ >= self.to:
            raise ValueError("the window closes before it opens")
        return self


class Trigger(_Strict):
    """What makes a list of due messages out of an audience."""

    fact: FactName
    segments: tuple[Annotated[str, Field(pattern=_SEGMENT)], ...] | None = Field(default=None, min_length=1)
    """Of `entered_segment` only: the segments."""
    min_share: Decimal | None = Field(default=None, gt=0, le=1)
    """Of `item_launch` only: which share of a customer's behaviour the item's category must have."""
    delay: Delay
    window: SendWindow
    lead_hours: int = Field(default=36, ge=24, le=24 * 14)
    """The list holds what is due up to so many hours after the end of the business date. A daily list is there in the
    morning after that date and the next one a day later: 36 hours reach until then."""
    give_up_hours: int = Field(ge=1, le=24 * 60)
    """What was due longer ago than this at the end of the business date is not sent any more."""
    channel: Channel
    """By which way the message goes, and so whose consent it needs."""
    offer: str = Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")
    """What the message offers, by the name under which the sending system knows it."""

    @field_validator("channel")
    @classmethod
    def _writes_to_people(cls, value: Channel) -> Channel:
        if value not in CONTACT_CHANNELS:
            raise ValueError(f"a message goes by one of {', '.join(sorted(CONTACT_CHANNELS))}")
        return value

    @model_validator(mode="after")
    def _what_the_fact_takes(self) -> Trigger:
        for name, fact in (("segments", "entered_segment"), ("min_share", "item_launch")):
            if (getattr(self, name) is not None) != (self.fact == fact):
                raise ValueError(f"{name} belongs to the fact {fact}, which needs it")
        if self.segments and len(set(self.segments)) != len(self.segments):
            raise ValueError("a segment is given twice")
        return self


class Reentry(_Strict):
    """When somebody who has had a message of the list may have another one."""

    after_days: int = Field(ge=1, le=3650)
    """So many days after the business date of the list that named them last."""
