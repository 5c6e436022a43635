"""The catalogue of sources: each kind of export as `sources/<source>.yml` describes it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from renqun.errors import RequestError
from renqun.ingest.names import folded
from renqun.settings import Group
from renqun.yaml_files import parse

Kind = Literal[
    "id",
    "text",
    "timestamp",
    "date",
    "date_range",
    "duration",
    "money",
    "number",
    "quantity",
    "percent",
    "boolean",
    "enum",
]
FileFormat = Literal["csv", "xlsx", "xls", "parquet", "jsonl"]
TimeUnit = Literal["seconds", "milliseconds", "microseconds"]

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

TIME_KINDS: frozenset[Kind] = frozenset({"timestamp", "date", "date_range"})
NUMBER_KINDS: frozenset[Kind] = frozenset({"money", "number", "quantity", "percent", "duration"})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """One canonical column of a source."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Kind
    meaning: str
    header: str = ""
    """The name in the export's header; the canonical name where not given."""
    headers: tuple[str, ...] = ()
    """In place of `header`: all accepted names, newest first. Where a file has several, the first of these counts.
    `{currency}` in a name stands for the currency that the platform writes there."""
    required: bool = False
    """The header must have it and no row may leave it empty."""
    values: tuple[str, ...] = ()
    """An enum's values."""
    reason: str = ""
    """The quarantine reason of a value outside `values`."""
    nulls: tuple[str, ...] = ()
    """Texts that mean "nothing" in this column, beside the empty cell, `-` and `--`."""
    percent_as: Literal["fraction", "points"] = "fraction"
    """For a percent: what a bare number is. With a percent sign it is points, whatever this says."""
    last: str = ""
    """For a date range, and required there: the canonical name of the last day; `name` is the first day's."""
    time_unit: TimeUnit | None = None
    """For a timestamp that is written as a count since 1970-01-01 in UTC."""
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
        if self.time_unit and self.kind != "timestamp":
            raise ValueError(f"{self.name}: 'time_unit' is for a timestamp")
        if (self.kind == "date_range") != bool(self.last):
            raise ValueError(f"{self.name}: 'last' names a date range's last day; a date range needs it, others do not")
        if "percent_as" in self.model_fields_set and self.kind != "percent":
            raise ValueError(f"{self.name}: 'percent_as' is for a percent")
        if self.header and self.headers:
            raise ValueError(f"{self.name}: give 'header' or 'headers', not both")
        if any(not folded(name) for name in self.headers):
            raise ValueError(f"{self.name}: a name in 'headers' is empty")
        return self

    @property
    def accepted(self) -> tuple[str, ...]:
        """The names that the export's header may have for it, newest first."""
        return self.headers or (self.header or self.name,)

    @property
    def header_name(self) -> str:
        """The first accepted name: what a message calls the column."""
        return self.accepted[0]


class Recognise(_Strict):
    """What a header must have, beside the required columns, to be taken for this source."""

    has: tuple[str, ...] = ()
    """All of these names."""
    has_any: tuple[tuple[str, ...], ...] = ()
    """Of each inner list at least one name."""
    lacks: tuple[str, ...] = ()
    """None of these names."""


class HeaderVersion(_Strict):
    """A known state of the platform's header."""

    name: str = Field(min_length=1)
    has: tuple[str, ...] = Field(min_length=1)
    """The names that only this version and later ones have."""


class LeaveOut(_Strict):
    """Rows that are no rows: roll-ups, totals. They are counted with the reason and not taken in."""

    column: str = ""
    """The canonical column to look at; the row's first cell where not given."""
    values: tuple[str, ...] = ()
    starts_with: tuple[str, ...] = ()
    reason: str = Field(pattern=r"^[a-z][a-z0-9_]*$")

    @model_validator(mode="after")
    def _says_something(self) -> LeaveOut:
        if not self.values and not self.starts_with:
            raise ValueError("a filter of rows needs 'values' or 'starts_with'")
        return self


class RowFilters(_Strict):
    """Which rows of a file are none."""

    leave_out: tuple[LeaveOut, ...] = ()


class DatesFromOutside(_Strict):
    """Where the day comes from in files whose rows do not say it: the preamble, the file's name, the folder."""

    column: str
    """The canonical column of the (first) day. A file that has the column keeps its own."""
    last: str = ""
    """The canonical column of the last day; without it, a file over several days is refused."""
    preamble: bool = False
    """Whether the lines above the header say the day."""


class Merge(_Strict):
    """What a later export of the same things does to an earlier one."""

    mode: Literal["upsert", "replace", "append"]
    """`upsert`: by key, the newest export wins. `replace`: the newest export of a partition stands alone.
    `append`: every key once."""
    key: tuple[str, ...] = ()
    partition: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _mode_has_what_it_needs(self) -> Merge:
        if (self.mode == "replace") != bool(self.partition) or (self.mode != "replace") != bool(self.key):
            raise ValueError(
                "'replace' needs 'partition' and no key, 'upsert' and 'append' need 'key' and no partition"
            )
        return self


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
    content_hash: bool = False
    """Raw has a hash of each row's cells, for rows that nothing else tells apart. It costs a fifth of the reading."""


class Source(_Strict):
    """One kind of export: how to recognise it and what its columns mean."""

    source: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    group: Group
    title: str
    formats: tuple[FileFormat, ...]
    time_zone: str = ""
    """The zone of times that name none; the shop's where not given."""
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    """The currency of amounts that name none; the shop's where not given."""
    numbers_follow_locale: bool = False
    """The platform writes points and commas in the language of whoever downloads: see `renqun.ingest.numbers`."""
    recognise: Recognise = Recognise()
    sheets: tuple[str, ...] = ()
    """Where several sheets of a workbook fit: the first of these is taken, the others are left."""
    versions: tuple[HeaderVersion, ...] = ()
    """Known header versions, newest first: the first one whose names are all there names the file's."""
    columns: tuple[Column, ...]
    rows: RowFilters = RowFilters()
    dates: DatesFromOutside | None = None
    merge: Merge | None = None
    rules: RowRules = RowRules()

    @model_validator(mode="after")
    def _names_hold_together(self) -> Source:
        names = list(self.names)
        headers = [name for column in self.columns for name in {folded(name) for name in column.accepted}]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{self.source}: a column is described twice: {', '.join(twice)}")
        if twice := sorted({name for name in headers if headers.count(name) > 1}):
            raise ValueError(f"{self.source}: two columns accept the header name {', '.join(twice)}")
        if clash := sorted(set(names) & (METADATA_COLUMNS.keys() | {"date"})):
            raise ValueError(f"{self.source}: {', '.join(clash)} cannot be a canonical name in raw")
        self._mentioned_columns_exist(set(names))
        if sum(column.export_time for column in self.columns) > 1:
            raise ValueError(f"{self.source}: only one column can be the export time")
        versions = [version.name for version in self.versions]
        if len(set(versions)) < len(versions):
            raise ValueError(f"{self.source}: a header version is described twice")
        if self.time_zone:
            try:
                ZoneInfo(self.time_zone)
            except (KeyError, ValueError, OSError) as error:
                raise ValueError(f"{self.source}: unknown time zone {self.time_zone!r}") from error
        return self

    def _mentioned_columns_exist(self, names: set[str]) -> None:
        rules, merge, dates = self.rules, self.merge, self.dates
        mentioned = {
            "rules": [
                *rules.one_of,
                *([rules.shop_currency] if rules.shop_currency else []),
                *(name for rule in rules.not_before for name in (rule.column, rule.earlier)),
                *([rules.whole_by.column] if rules.whole_by else []),
            ],
            "row filters": [rule.column for rule in self.rows.leave_out if rule.column],
            "dates": [name for name in (dates.column, dates.last) if name] if dates else [],
        }
        for part, columns in mentioned.items():
            if unknown := sorted(set(columns) - names):
                raise ValueError(f"{self.source}: the {part} mention unknown columns {', '.join(unknown)}")
        # A key may hold a row's place in the file, where an export has nothing better.
        keyed = {*merge.key, *merge.partition} if merge else set()
        if unknown := sorted(keyed - names - METADATA_COLUMNS.keys()):
            raise ValueError(f"{self.source}: the merge mentions unknown columns {', '.join(unknown)}")

    @property
    def names(self) -> tuple[str, ...]:
        """The canonical names, in raw's order; a date range has two."""
        return tuple(name for column in self.columns for name in (column.name, column.last) if name)

    @property
    def is_generic(self) -> bool:
        """Whether this is an export in Renqun's own words, which needs neither recognition nor versions nor merging.

        Its names are matched letter for letter and its cells are taken as they are: who writes such a file reads
        our description. Files of platforms are met where they stand: names and cells are cleaned.
        """
        return self.merge is None and not self.versions and self.recognise == Recognise()

    @property
    def required_headers(self) -> tuple[str, ...]:
        """The header names that a file of this source must have; of several accepted ones, the newest."""
        from_outside = {self.dates.column, self.dates.last} if self.dates else set()
        return tuple(
            column.header_name for column in self.columns if column.required and column.name not in from_outside
        )

    def column(self, name: str) -> Column:
        """The column with this canonical name."""
        for column in self.columns:
            if column.name == name:
                return column
            if column.last == name:
                return Column(name=name, kind="date", meaning=f"last day: {column.meaning}", personal=column.personal)
        raise KeyError(name)


def parse_source(text: str, where: str) -> Source:
    """A source from its YAML text.

    Raises:
        RequestError: it is no YAML, has an unknown key or contradicts itself.
    """
    try:
        return Source.model_validate(parse(text))
    except yaml.YAMLError as error:
        said = str(error)
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'the whole'}: {fault['msg']}" for fault in error.errors()
        )
    raise RequestError(
        f"the description of a source cannot be read: {said}", where=where, remedy="correct the key named above"
    )


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
