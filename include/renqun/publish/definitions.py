"""Audience definitions: `audiences/<id>.yml`, strictly parsed. `members` compiles their rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from renqun.errors import RequestError
from renqun.publish.destinations import DESTINATIONS, is_contact
from renqun.publish.rules import ONE_LINE, AudienceRule, Rule, leaves, require_shallow
from renqun.publish.triggers import Reentry, Trigger
from renqun.settings import Group
from renqun.yaml_files import parse_strictly

DEFINITIONS_FOLDER = Path(__file__).resolve().parents[1] / "audiences"

DestinationId = Literal[
    "canonical", "meta", "google", "tiktok", "tencent", "oceanengine", "qianchuan", "damopan", "wechat_pay", "klaviyo",
    "braze", "sms",
]  # fmt: skip
"""The destinations by their ids; what each of them takes stands in `destinations/registry.py`."""

PurposeKind = Literal["marketing", "service", "exclusion"]
"""`marketing` and `service` are what people agree to or refuse; an `exclusion` keeps people out of somebody else's
list, so that nobody is taken from it."""

HIGHEST_PRIORITY = 1_000
LARGEST_HOLDOUT = Decimal("0.5")
"""More than half kept back is no measurement of an audience, but an audience of its own."""


Words = Annotated[str, Field(min_length=1, max_length=300, pattern=ONE_LINE)]
"""What people read."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(_Strict):
    """What people call the audience."""

    en: Words
    zh: Words


class Purpose(_Strict):
    """What the audience is for: the kind decides whose consent it needs, the text is for people."""

    kind: PurposeKind
    text: Words


class FrequencyCap(_Strict):
    """How often a person may be written to, by all audiences of the shop together, before this one lets them be."""

    times: int = Field(ge=1)
    """After this many messages no further one."""
    days: int = Field(ge=1, le=365)
    """Within this many days, the business date being the last of them."""


class SizeWindow(_Strict):
    """How large an audience may be, and how far it may change, without somebody looking at it."""

    max_change_share: Decimal = Field(gt=0)
    """Largest change of the number of members, as a share of the previous number."""
    min_previous: int = Field(ge=1)
    """Below this many previous members the share says nothing and is not looked at."""
    min_members: int = Field(default=0, ge=0)
    """Fewer members are held back; an audience that never had any is published empty all the same."""
    max_members: int | None = Field(default=None, ge=1)
    """More members are held back; no limit where it is not given."""

    @model_validator(mode="after")
    def _can_be_met(self) -> SizeWindow:
        if self.max_members is not None and self.min_members > self.max_members:
            raise ValueError(f"no audience has {self.min_members} members or more and {self.max_members} or fewer")
        return self


class Audience(_Strict):
    """One audience, as its YAML says."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")
    name: Name
    owner: Words
    purpose: Purpose
    needs: tuple[Group, ...] = Field(min_length=1)
    """Export groups without which the audience means nothing; a shop without one of them does not get it."""
    include: Rule
    """Who is meant; see the language of `rules`."""
    exclude: tuple[Rule, ...] = ()
    """Whoever meets one of these is not meant."""
    destinations: tuple[DestinationId, ...] = Field(min_length=1)
    priority: int = Field(default=0, ge=0, le=HIGHEST_PRIORITY)
    """Who is in several audiences of a day gets the message of the highest; of equal ones the first by id."""
    frequency_cap: FrequencyCap | None = None
    holdout: Decimal = Field(default=Decimal(0), ge=0, le=LARGEST_HOLDOUT)
    """Share of the people who are kept out of every file of this audience, so that its effect can be measured."""
    size_window: SizeWindow
    trigger: Trigger | None = None
    """Makes a list of due messages beside the members; none where the audience is just people."""
    reentry: Reentry | None = None
    """Of an audience with a trigger: when somebody may have a further message of it. Without it at once."""
    expiry_days: int = Field(ge=1)
    """How many days after its business date a version may still be used."""

    @field_validator("destinations", "needs")
    @classmethod
    def _no_entry_twice(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("an entry is given twice")
        return value

    @field_validator("include", "exclude")
    @classmethod
    def _can_be_read(cls, value: Rule | tuple[Rule, ...]) -> Rule | tuple[Rule, ...]:
        for rule in value if isinstance(value, tuple) else (value,):
            require_shallow(rule)
        return value

    @model_validator(mode="after")
    def _fits_its_purpose(self) -> Audience:
        contacts = [one for one in self.destinations if is_contact(DESTINATIONS[one])]
        if self.purpose.kind == "exclusion":
            if self.holdout:
                raise ValueError("an exclusion list keeps people out: it has no holdout")
            if contacts:
                raise ValueError(f"an exclusion list addresses nobody, but {', '.join(contacts)} would")
        if self.frequency_cap and not (contacts or self.trigger):
            raise ValueError("frequency_cap: none of the destinations writes to people, there is nothing to cap")
        return self

    @model_validator(mode="after")
    def _writes_to_people_in_one_way(self) -> Audience:
        if self.reentry and not self.trigger:
            raise ValueError("reentry: the audience has no trigger, nobody gets a message of it")
        if self.trigger:
            if self.purpose.kind == "exclusion":
                raise ValueError("trigger: an exclusion list addresses nobody")
            if contacts := [one for one in self.destinations if is_contact(DESTINATIONS[one])]:
                raise ValueError(
                    f"trigger: the list of due messages goes out, and {', '.join(contacts)} would write"
                    " to all members beside it"
                )
        return self

    @property
    def definition_hash(self) -> str:
        """Changes whenever anything in the definition does."""
        text = json.dumps(self.model_dump(mode="json", exclude_none=True), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rule that lets people in, and those that keep them out."""
        return (self.include, *self.exclude)

    @property
    def audiences(self) -> set[str]:
        """The other audiences that the definition names."""
        return {leaf.audience for rule in self.rules for leaf in leaves(rule) if isinstance(leaf, AudienceRule)}

    def expires_on(self, as_of: date) -> date:
        """The last day on which a version of this business date may be used."""
        return as_of + timedelta(days=self.expiry_days)


def load_audiences(folder: Path = DEFINITIONS_FOLDER) -> tuple[Audience, ...]:
    """All audiences of a folder by id, strictly parsed.

    Raises:
        RequestError: there is none, or a file is not a sound definition.
    """
    audiences = tuple(_load(file) for file in sorted(folder.glob("*.yml")))
    if not audiences:
        raise RequestError("no audience is defined", where=str(folder), remedy="add a file <audience>.yml")
    require_no_circle(audiences)
    return audiences


def load_audience(audience_id: str, folder: Path = DEFINITIONS_FOLDER) -> Audience:
    """One audience by id.

    Raises:
        RequestError: it is not defined.
    """
    audiences = load_audiences(folder)
    for audience in audiences:
        if audience.id == audience_id:
            return audience
    known = ", ".join(audience.id for audience in audiences)
    raise RequestError(f"no audience is called {audience_id!r}", where=str(folder), remedy=f"known audiences: {known}")


def require_no_circle(audiences: Sequence[Audience]) -> None:
    """Audiences may name each other, but none may come back to itself.

    Raises:
        RequestError: one does, or names an audience that is not defined.
    """
    named = {one.id: sorted(one.audiences) for one in audiences}
    for audience_id, others in named.items():
        for other in others:
            if other not in named:
                raise RequestError(
                    f"the audience {audience_id!r} names the audience {other!r}, which is not defined",
                    where=f"audiences/{audience_id}.yml",
                    remedy=f"known audiences: {', '.join(sorted(named))}",
                )
    try:
        tuple(TopologicalSorter(named).static_order())
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise RequestError(
            f"audiences name each other in a circle: {circle}",
            where=f"audiences/{error.args[1][0]}.yml",
            remedy="take one of these names out of the rules",
        ) from error


def _load(file: Path) -> Audience:
    try:
        audience = Audience.model_validate(parse_strictly(file.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise RequestError(
            f"an audience definition cannot be read: {error}",
            where=str(file),
            remedy="correct the key named above; the definitions beside it show the form",
        ) from error
    if audience.id != file.stem:
        raise RequestError(
            f"the audience {audience.id!r} is in a file called {file.name}",
            where=str(file),
            remedy="give the file the name of its id",
        )
    return audience
