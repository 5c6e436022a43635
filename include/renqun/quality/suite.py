"""Suites of expectations as YAML: what a gate asks of one object, how grave a "no" is, and why it matters."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from renqun.errors import RequestError
from renqun.settings import PROJECT_ROOT, Group
from renqun.storage import canonical_json
from renqun.yaml_files import parse_strictly, read_once

Stage = Literal["raw", "staging", "marts", "audience", "published"]
STAGES: tuple[Stage, ...] = get_args(Stage)
Severity = Literal["critical", "warning"]

EXPECTATIONS = PROJECT_ROOT / "expectations"

QUERY_TYPE = "unexpected_rows_expectation"
KNOWN_TYPES = frozenset(
    {
        "expect_column_max_to_be_between",
        "expect_column_mean_to_be_between",
        "expect_column_min_to_be_between",
        "expect_column_to_exist",
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_null",
        "expect_column_values_to_be_of_type",
        "expect_column_values_to_be_unique",
        "expect_column_values_to_not_be_in_set",
        "expect_column_values_to_not_be_null",
        "expect_compound_columns_to_be_unique",
        "expect_table_column_count_to_equal",
        "expect_table_columns_to_match_ordered_list",
        "expect_table_columns_to_match_set",
        "expect_table_row_count_to_be_between",
        QUERY_TYPE,
    }
)
"""Great Expectations' types that push down to DuckDB and whose results name no value of a row.

Those with regular expressions are left out: they have no DuckDB dialect, `regexp_full_match` in a query does it.
"""

IS_THERE = "is_there"
"""The rule that every suite begins with: the object exists and, unless the suite says why not, has rows."""

_NUMBER_IN_SQL = re.compile(r"(?<![\w.])(?:\d+\.\d+|[2-9]|\d{2,})(?![\w.])")
_QUOTED = re.compile(r"'[^']*'|--[^\n]*")


class Expectation(BaseModel):
    """One question to the data, in the type names of Great Expectations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*-[a-z0-9_]+$")
    type: str
    kwargs: dict[str, Any] = Field(default_factory=dict)
    severity: Severity
    why: str = Field(min_length=10)
    """One sentence that a marketer understands."""
    evidence: str | None = Field(default=None, min_length=10)
    """Where the numbers come from: a definition, or what was measured and when."""
    runbook: str | None = Field(default=None, pattern=r"^docs/runbooks/[a-z_-]+\.md$")
    """The page that says what to do, where the check has one of its own."""

    @field_validator("type")
    @classmethod
    def _type_is_known(cls, value: str) -> str:
        if value not in KNOWN_TYPES:
            raise ValueError(f"unknown expectation type {value!r}; known: {', '.join(sorted(KNOWN_TYPES))}")
        return value

    @model_validator(mode="after")
    def _numbers_have_evidence(self) -> Expectation:
        if self.evidence is None and _has_number(self.kwargs):
            raise ValueError(f"{self.id} has a number and no evidence for it")
        return self

    @model_validator(mode="after")
    def _runbook_is_there(self) -> Expectation:
        if self.runbook is not None and not (PROJECT_ROOT / self.runbook).is_file():
            raise ValueError(f"{self.id} names a runbook that is not there: {self.runbook}")
        return self

    @model_validator(mode="after")
    def _query_names_its_batch(self) -> Expectation:
        if self.query is not None and "{batch}" not in self.query:
            raise ValueError(f"{self.id} has to read {{batch}}")
        return self

    @property
    def query(self) -> str | None:
        """The SQL of a query expectation."""
        return str(self.kwargs.get("unexpected_rows_query", "")) if self.type == QUERY_TYPE else None


class Suite(BaseModel):
    """What a gate asks of one object."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    object: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    stage: Stage
    owner: str
    batch: str = Field(min_length=10)
    """Which rows are looked at, in words."""
    scope: str | None = None
    """The same as an SQL condition, where not all rows of the relation are looked at."""
    on_critical_failure: str = Field(min_length=10)
    may_be_empty: str | None = Field(default=None, min_length=10)
    """Why no rows at all are no fault; without it, an empty object fails."""
    fed_by: Group | None = None
    """The group of exports without which the object is empty: a shop that has none of them may have no rows."""
    key: tuple[str, ...] = ()
    """Columns that name a row; failing samples show them, hashed."""
    expectations: tuple[Expectation, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_are_sound(self) -> Suite:
        ids = [self.is_there_id, *(expectation.id for expectation in self.expectations)]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"duplicate ids: {', '.join(twice)}")
        if self.scope is not None and _has_number(self.scope):
            raise ValueError(f"the scope of {self.object} has a number: its home is a var or an expectation")
        strangers = [one for one in ids if one.partition("-")[0] != self.object]
        if strangers:
            raise ValueError(f"ids have to begin with '{self.object}-': {', '.join(strangers)}")
        return self

    @property
    def is_there_id(self) -> str:
        """The id of the rule that the object is there and not empty."""
        return f"{self.object}-{IS_THERE}"

    @property
    def name(self) -> str:
        """`<stage>.<object>`."""
        return f"{self.stage}.{self.object}"

    @property
    def critical_ids(self) -> tuple[str, ...]:
        """Ids of everything that stops a run, the batch rule included."""
        critical = (expectation.id for expectation in self.expectations if expectation.severity == "critical")
        return (self.is_there_id, *critical)

    def digest(self) -> str:
        """Names the suite's content in results: verdicts under different digests asked different questions."""
        return hashlib.sha256(canonical_json(self.model_dump(mode="json")).encode()).hexdigest()[:16]


@cache
def load_suite(stage: Stage, name: str, folder: Path = EXPECTATIONS) -> Suite:
    """The suite of an object.

    Raises:
        RequestError: it is absent or breaks a rule: unknown key or type, duplicate id, no `why`, a number without
            evidence, another stage or object than its place says.
    """
    file = folder / stage / f"{name}.yml"
    remedy = "correct the suite; expectations/README.md has the format"
    try:
        content = parse_strictly(file.read_text(encoding="utf-8"))
        suite = Suite.model_validate(content)
    except FileNotFoundError as error:
        raise RequestError(f"there is no suite {stage}.{name}", where=str(file), remedy=remedy) from error
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise RequestError(f"suite {stage}.{name} cannot be read: {error}", where=str(file), remedy=remedy) from error
    if suite.name != f"{stage}.{name}":
        raise RequestError(f"the suite calls itself {suite.name}", where=str(file), remedy=remedy)
    return suite


def load_stage(stage: Stage, folder: Path = EXPECTATIONS) -> tuple[Suite, ...]:
    """All suites of a stage, by object."""
    return tuple(load_suite(stage, file.stem, folder) for file in sorted((folder / stage).glob("*.yml")))


class _GateVar(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    value: float
    why: str = Field(min_length=10)


def gate_vars(folder: Path = EXPECTATIONS) -> dict[str, float]:
    """Bounds of gates that a shop may override, with their defaults (`expectations/vars.yml`)."""
    content = read_once(folder / "vars.yml")
    return {name: _GateVar.model_validate(entry).value for name, entry in content.items()}


def resolve(expectation: Expectation, variables: Mapping[str, Any]) -> Expectation:
    """The expectation with every `{var: <name>}` replaced by the shop's value.

    Raises:
        RequestError: no such var.
    """
    kwargs = {name: _resolved(value, variables, expectation.id) for name, value in expectation.kwargs.items()}
    return expectation.model_copy(update={"kwargs": kwargs})


def _resolved(value: Any, variables: Mapping[str, Any], where: str) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) != {"var"} or value["var"] not in variables:
        raise RequestError(
            f"{value!r} names no var of the project",
            where=where,
            remedy="write {var: <name>} with a var of expectations/vars.yml or dbt_project/dbt_project.yml",
        )
    return variables[value["var"]]


def _has_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return True
    if isinstance(value, str):
        return _NUMBER_IN_SQL.search(_QUOTED.sub("", value)) is not None
    if isinstance(value, dict):
        return any(_has_number(one) for one in value.values())
    if isinstance(value, list | tuple):
        return any(_has_number(one) for one in value)
    return False
