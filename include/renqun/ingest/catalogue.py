"""The catalogue of sources: each kind of export as `sources/<source>.yml` describes it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from renqun.errors import RequestError
from renqun.settings import Group

Kind = Literal["id", "text", "timestamp", "date", "money", "number", "quantity", "boolean", "enum"]
FileFormat = Literal["csv", "parquet"]

METADATA_COLUMNS: dict[str, str] = {
    "_source_file": "VARCHAR",
    "_source_row": "BIGINT",
    "_batch_id": "VARCHAR",
    "_exported_at": "TIMESTAMP",
    "_content_hash": "VARCHAR",
    "_row_text": "VARCHAR",
    "_quarantine_reason": "VARCHAR",
}
"""What every raw file has after its own columns, with the types."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """One canonical column of a source."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Kind
    meaning: str
    header: str = ""
    """The name in the export's header; the canonical name where not given."""
    required: bool = False
    """The header must have it and no row may leave it empty."""
    values: tuple[str, ...] = ()
    """An enum's values."""
    reason: str = ""
    """The quarantine reason of a value outside `values`."""
    not_negative: bool = False
    """For money: less than zero is a fault (`negative_price`). A quantity is never negative anyway."""
    time_rules: bool = True
    """For times: neither before 2000 nor later than a day after the export."""
    export_time: bool = False
    """This column says when the row was exported."""
    personal: bool = False
    """Personal data: masked wherever a person looks at it."""

    @model_validator(mode="after")
    def _options_fit_the_kind(self) -> Column:
        if (self.kind == "enum") != bool(self.values) or bool(self.values) != bool(self.reason):
            raise ValueError(f"{self.name}: 'values' and 'reason' belong to an enum, and an enum needs both")
        if self.not_negative and self.kind != "money":
            raise ValueError(f"{self.name}: 'not_negative' is for money")
        if self.export_time and self.kind != "timestamp":
            raise ValueError(f"{self.name}: 'export_time' is for a timestamp")
        return self

    @property
    def header_name(self) -> str:
        """The name that the export's header must have, letter for letter."""
        return self.header or self.name


class NotBefore(_Strict):
    """A time that may not lie before another one of the same row."""

    column: str
    earlier: str
    reason: str


class WholeBy(_Strict):
    """Rows that stand or fall together: one bad row quarantines all rows of the file with the same value."""

    column: str
    reason: str


class RowRules(_Strict):
    """What a row must obey beyond its single cells."""

    not_before: tuple[NotBefore, ...] = ()
    one_of: tuple[str, ...] = ()
    """At least one of these columns is filled."""
    shop_currency: str | None = None
    """This column, where filled, names the shop's currency."""
    whole_by: WholeBy | None = None


class Source(_Strict):
    """One kind of export: how to recognise it and what its columns mean."""

    source: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    group: Group
    title: str
    formats: tuple[FileFormat, ...]
    columns: tuple[Column, ...]
    rules: RowRules = RowRules()

    @model_validator(mode="after")
    def _names_hold_together(self) -> Source:
        names = [column.name for column in self.columns]
        headers = [column.header_name.casefold() for column in self.columns]
        if len(set(names)) < len(names) or len(set(headers)) < len(headers):
            raise ValueError(f"{self.source}: a column is described twice")
        if clash := sorted(set(names) & (METADATA_COLUMNS.keys() | {"date"})):
            raise ValueError(f"{self.source}: {', '.join(clash)} cannot be a canonical name in raw")
        rules = self.rules
        mentioned = [*rules.one_of, *([rules.shop_currency] if rules.shop_currency else [])]
        mentioned += [name for rule in rules.not_before for name in (rule.column, rule.earlier)]
        mentioned += [rules.whole_by.column] if rules.whole_by else []
        if unknown := sorted(set(mentioned) - set(names)):
            raise ValueError(f"{self.source}: the rules mention unknown columns {', '.join(unknown)}")
        if sum(column.export_time for column in self.columns) > 1:
            raise ValueError(f"{self.source}: only one column can be the export time")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The canonical names, in raw's order."""
        return tuple(column.name for column in self.columns)

    @property
    def required_headers(self) -> tuple[str, ...]:
        """The header names that a file of this source must have."""
        return tuple(column.header_name for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        """The column with this canonical name."""
        return next(column for column in self.columns if column.name == name)


def parse_source(text: str, where: str) -> Source:
    """A source from its YAML text.

    Raises:
        RequestError: it is no YAML, has an unknown key or contradicts itself.
    """
    try:
        return Source.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as error:
        raise RequestError(
            f"the description of a source cannot be read: {error}",
            where=where,
            remedy="correct the key named above",
        ) from error


@cache
def all_sources() -> tuple[Source, ...]:
    """Every described source, by name.

    Raises:
        RequestError: a description cannot be read, or is not named like its file.
    """
    sources = []
    for entry in sorted(files("renqun").joinpath("sources").iterdir(), key=lambda entry: entry.name):
        if not entry.name.endswith(".yml"):
            continue
        source = parse_source(entry.read_text(encoding="utf-8"), where=str(entry))
        if entry.name != f"{source.source}.yml":
            raise RequestError(
                f"the description of {source.source!r} is in a file of another name",
                where=str(entry),
                remedy=f"rename the file to {source.source}.yml",
            )
        sources.append(source)
    return tuple(sources)


def get_source(name: str) -> Source:
    """The source with this name.

    Raises:
        RequestError: there is none.
    """
    for source in all_sources():
        if source.source == name:
            return source
    known = ", ".join(source.source for source in all_sources())
    raise RequestError(f"no source is called {name!r}", remedy=f"known sources: {known}")


def sources_of(group: Group) -> tuple[Source, ...]:
    """The sources that are delivered in a group's folder."""
    return tuple(source for source in all_sources() if source.group == group)


def list_sources() -> tuple[Source, ...]:
    """Every described source: what `renqun sources list` shows."""
    return all_sources()
