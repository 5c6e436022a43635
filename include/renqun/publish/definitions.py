"""Audience definitions: `audiences/<id>.yml`, strictly parsed, compiled through DuckDB's expression builder."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

import duckdb
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from renqun.errors import RequestError
from renqun.settings import Group
from renqun.yaml_files import parse

DEFINITIONS_FOLDER = Path(__file__).resolve().parents[1] / "audiences"

Destination = Literal["canonical"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(_Strict):
    """What people call the audience."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class SegmentCriterion(_Strict):
    """Everybody who is in a segment on the business date."""

    segment: str = Field(pattern=r"^[a-z][a-z0-9_]*$")


class SizeWindow(_Strict):
    """How far an audience may change from one publication to the next without somebody looking at it."""

    max_change_share: Decimal = Field(gt=0)
    """Largest change of the number of members, as a share of the previous number."""
    min_previous: int = Field(ge=1)
    """Below this many previous members the share says nothing and is not looked at."""


class Audience(_Strict):
    """One audience, as its YAML says."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")
    name: Name
    owner: str = Field(min_length=1)
    purpose: str = Field(min_length=1)
    needs: tuple[Group, ...] = Field(min_length=1)
    """Export groups without which the audience means nothing; a shop without one of them does not get it."""
    include: SegmentCriterion
    exclude: tuple[SegmentCriterion, ...] = ()
    destinations: tuple[Destination, ...] = Field(min_length=1)
    size_window: SizeWindow
    expiry_days: int = Field(ge=1)
    """How many days after its business date a version may still be used."""

    @field_validator("destinations", "needs")
    @classmethod
    def _no_entry_twice(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("an entry is given twice")
        return value

    @property
    def definition_hash(self) -> str:
        """Changes whenever anything in the definition does."""
        text = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]

    @property
    def segments(self) -> tuple[str, ...]:
        """Every segment that the definition names."""
        return (self.include.segment, *(criterion.segment for criterion in self.exclude))

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


def included(memberships: duckdb.DuckDBPyRelation, audience: Audience, as_of: date) -> duckdb.DuckDBPyRelation:
    """Who the definition lets in, before exclusions: customer key, entered_on and reason."""
    return _in_segment(memberships, audience.include, as_of).set_alias("included")


def without_excluded(
    people: duckdb.DuckDBPyRelation,
    memberships: duckdb.DuckDBPyRelation,
    criterion: SegmentCriterion,
    as_of: date,
) -> duckdb.DuckDBPyRelation:
    """The people who do not meet one exclusion."""
    excluded = _in_segment(memberships, criterion, as_of).select("customer_key").set_alias("excluded")
    return people.join(excluded, "customer_key", how="anti").set_alias("included")


def members(memberships: duckdb.DuckDBPyRelation, audience: Audience, as_of: date) -> duckdb.DuckDBPyRelation:
    """The members of an audience as of a date, in the order of their keys.

    Args:
        memberships: `fct_segment_memberships` of a published version.
        audience: the definition.
        as_of: the business date of that version.
    """
    people = included(memberships, audience, as_of)
    for criterion in audience.exclude:
        people = without_excluded(people, memberships, criterion, as_of)
    return people.order("customer_key, entered_on, reason")


def _in_segment(
    memberships: duckdb.DuckDBPyRelation, criterion: SegmentCriterion, as_of: date
) -> duckdb.DuckDBPyRelation:
    column, constant = duckdb.ColumnExpression, duckdb.ConstantExpression
    is_inside = (column("entered_on") <= constant(as_of)) & (
        column("exited_on").isnull() | (column("exited_on") > constant(as_of))
    )
    found = memberships.filter((column("segment_id") == constant(criterion.segment)) & is_inside)
    return found.select(column("customer_key"), column("entered_on"), column("reason").cast("VARCHAR").alias("reason"))


def _load(file: Path) -> Audience:
    try:
        audience = Audience.model_validate(parse(file.read_text(encoding="utf-8")))
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
