"""Which business dates a DAG run is about, and what its conf may say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from renqun.errors import RequestError
from renqun.run import RunContext, parse_date


class DagRunLike(Protocol):
    """The part of Airflow's DAG run that says what it is about."""

    run_id: str
    run_type: Any
    conf: dict[str, Any] | None
    partition_key: str | None


class RunConf(BaseModel):
    """The conf of a triggered run. Unknown keys are refused; null means absent, as Airflow's form sends it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: date | None = Field(default=None, alias="date")
    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="to")
    as_of: date | None = None
    full_refresh: bool = False

    @model_validator(mode="after")
    def _one_way_to_name_days(self) -> RunConf:
        if (self.first is None) != (self.last is None):
            raise ValueError("'from' and 'to' belong together")
        if self.day is not None and self.first is not None:
            raise ValueError("give 'date' or 'from' and 'to', not both")
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError("'from' is after 'to'")
        return self

    @classmethod
    def parse(cls, conf: Mapping[str, Any] | None) -> RunConf:
        """The conf of a run, strictly read.

        Raises:
            RequestError: an unknown key, or a value that is none.
        """
        given = {key: value for key, value in (conf or {}).items() if value is not None}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            reasons = "; ".join(
                f"{'.'.join(map(str, problem['loc'])) or 'conf'}: {problem['msg']}" for problem in error.errors()
            )
            raise RequestError(
                f"the run's conf cannot be read: {reasons}",
                remedy='give {"date": "2026-03-31"} or {"from": "2026-03-01", "to": "2026-03-31"}',
            ) from error

    @property
    def names_days(self) -> bool:
        """Whether the conf itself says which days."""
        return self.day is not None or self.first is not None


def days_between(first: date, last: date) -> tuple[date, ...]:
    """All days of a range, both ends included.

    Raises:
        RequestError: the range ends before it begins.
    """
    if first > last:
        raise RequestError(f"the range begins on {first}, after it ends on {last}", remedy="swap the two dates")
    return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))


def days_of(dag_run: DagRunLike) -> list[date]:
    """The business dates of a run, oldest first: from its conf, else its partition key.

    Raises:
        RequestError: the run names none.
    """
    conf = RunConf.parse(dag_run.conf)
    if conf.day is not None:
        return [conf.day]
    if conf.first is not None and conf.last is not None:
        return list(days_between(conf.first, conf.last))
    if dag_run.partition_key:
        return [parse_date(dag_run.partition_key)]
    raise RequestError(
        "the run has no business date",
        where=dag_run.run_id,
        remedy='trigger it with a partition key YYYY-MM-DD, or with conf {"date": "2026-03-31"}',
    )


def context_of(shop_id: str, dag_run: DagRunLike) -> RunContext:
    """The run context of a task: the last of the run's dates.

    Raises:
        RequestError: the run names no date, or there is no such shop.
    """
    return RunContext.of(shop_id, days_of(dag_run)[-1], run_id=dag_run.run_id)
