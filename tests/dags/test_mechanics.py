"""The DAGs at work, in this process, with stages that only say what they were asked."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from renqun.airflow import stages
from renqun.airflow.embedded import Watcher, load_dags, run_dag
from renqun.airflow.pipeline import Request, run_request
from renqun.errors import GateFailed, RequestError
from renqun.settings import Home

DAY = date(2026, 3, 8)


class Stubs:
    """Stages that note their calls; `fail` makes one raise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, str]] = []
        self.fail: dict[str, Exception] = {}
        self.missing: list[str] = []
        self.is_new = True
        answers: dict[str, Any] = {
            "receive": lambda ctx, *rest: {"batch_ids": ["b"], "rows": 1},
            "check_raw": lambda ctx, *rest: {"checks": 1},
            "promote_batches": lambda ctx, *rest: {"accepted": 1},
            "completeness": lambda ctx, *rest: {"date": ctx, "missing": self.missing},
            "plan": lambda ctx, *rest: {"build_id": "b", "as_of": ctx} if self.is_new else None,
            "build": lambda ctx, plan, layer: {"layer": layer, **plan},
            "check_staging": lambda ctx, plan: {"checks": 1},
            "check_marts": lambda ctx, plan: {"checks": 1},
            "publish": lambda ctx, plan: {"as_of": plan["as_of"], "version": "v"},
            "select": lambda ctx: {},
            "check_audience": lambda ctx: {},
            "write": lambda ctx: {},
            "check_published": lambda ctx: {},
            "promote_audiences": lambda ctx: {"as_of": ctx},
        }
        for name, answer in answers.items():
            monkeypatch.setattr(stages, name, self._stage(name, answer))

    def _stage(self, name: str, answer: Any) -> Any:
        def stage(shop_id: str, dag_run: Any, *rest: Any) -> Any:
            day = str(stages.days_of(dag_run)[-1])
            layer = f".{rest[-1]}" if name == "build" else ""
            self.calls.append((f"{name}{layer}", f"{shop_id} {day}"))
            if name in self.fail:
                raise self.fail[name]
            return answer(day, *rest)

        return stage

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@pytest.fixture
def stubs(home: Path, monkeypatch: pytest.MonkeyPatch) -> Stubs:
    return Stubs(monkeypatch)


def _request(home: Path, shop_id: str, request: Request) -> Any:
    place = Home(home)
    return run_request(place, place.shop(shop_id), request, Watcher())


def test_a_day_goes_from_landing_to_audiences(home: Path, stubs: Stubs) -> None:
    outcome = _request(home, "seattle", Request((DAY,)))
    assert stubs.names == [
        "receive",
        "check_raw",
        "promote_batches",
        "completeness",
        "plan",
        "build.staging",
        "check_staging",
        "build.marts",
        "check_marts",
        "publish",
        "select",
        "check_audience",
        "write",
        "check_published",
        "promote_audiences",
    ]
    assert {where for _, where in stubs.calls} == {"seattle 2026-03-08"}
    assert outcome.passes[0]["marts"] == {"as_of": "2026-03-08", "version": "v"}


def test_every_expected_group_is_ingested_before_one_build(home: Path, stubs: Stubs) -> None:
    _request(home, "hangzhou", Request((DAY,)))
    assert stubs.names.count("receive") == 2
    assert stubs.names.count("plan") == 1


def test_a_range_builds_once_as_of_its_last_day(home: Path, stubs: Stubs) -> None:
    _request(home, "seattle", Request((DAY, date(2026, 3, 9), date(2026, 3, 10))))
    assert stubs.names.count("receive") == 1
    assert [where for name, where in stubs.calls if name == "plan"] == ["seattle 2026-03-10"]


def test_each_day_builds_every_day(home: Path, stubs: Stubs) -> None:
    _request(home, "seattle", Request((DAY, date(2026, 3, 9)), each_day=True))
    assert [where for name, where in stubs.calls if name == "publish"] == ["seattle 2026-03-08", "seattle 2026-03-09"]


@pytest.mark.parametrize(
    ("gate", "behind"),
    [
        ("check_raw", {"promote_batches", "completeness", "plan"}),
        ("check_staging", {"build.marts", "check_marts", "publish", "select"}),
        ("check_marts", {"publish", "select"}),
        ("check_audience", {"write", "check_published", "promote_audiences"}),
        ("check_published", {"promote_audiences"}),
    ],
)
def test_nothing_behind_a_failed_gate_runs(home: Path, stubs: Stubs, gate: str, behind: set[str]) -> None:
    stubs.fail[gate] = GateFailed("the gate says no")
    with pytest.raises(GateFailed, match="the gate says no"):
        _request(home, "seattle", Request((DAY,)))
    assert gate in stubs.names
    assert behind.isdisjoint(stubs.names)


def test_a_missing_group_is_told_and_nothing_is_built(home: Path, stubs: Stubs) -> None:
    stubs.missing = ["orders"]
    with pytest.raises(RequestError, match="no orders export of 2026-03-08"):
        _request(home, "seattle", Request((DAY,)))
    assert "plan" not in stubs.names


def test_nothing_new_ends_the_build_by_skipping(home: Path, stubs: Stubs) -> None:
    stubs.is_new = False
    dag = load_dags(("build_marts",), "seattle")["build_marts"]
    result = run_dag(dag, day=DAY, conf={"date": str(DAY)}, watcher=Watcher())
    assert result.error is None
    assert {task.task_id: task.state for task in result.tasks} == {
        "plan_build": "skipped",
        "build_staging": "upstream_skipped",
        "gate_staging": "upstream_skipped",
        "build_marts": "upstream_skipped",
        "gate_marts": "upstream_skipped",
        "publish_marts": "upstream_skipped",
    }


def test_an_incomplete_date_announces_nothing(home: Path, stubs: Stubs) -> None:
    stubs.missing = ["traffic"]
    dag = load_dags(("ingest_orders",), "hangzhou")["ingest_orders"]
    result = run_dag(dag, day=DAY, conf={"date": str(DAY)}, watcher=Watcher())
    assert result.task("promote_batches").state == "success"
    assert result.task("announce_exports").state == "skipped"


def test_the_announced_partition_is_the_date_of_the_conf(home: Path, stubs: Stubs) -> None:
    cases = [
        ("ingest_orders", {"from": "2026-03-01", "to": "2026-03-07"}, "announce_exports", "exports", "2026-03-07"),
        ("build_marts", {"date": "2026-03-05"}, "publish_marts", "marts", "2026-03-05"),
        ("publish_audiences", {"date": "2026-03-05"}, "promote_audiences", "audiences", "2026-03-05"),
    ]
    for name, conf, task_id, asset, partition in cases:
        dag = load_dags((name,), "seattle")[name]
        result = run_dag(dag, day=DAY, conf=conf, watcher=Watcher())
        assert result.task(task_id).announced == ((f"seattle/{asset}", partition),)


def test_an_unexpected_error_stops_the_run_as_it_is(home: Path, stubs: Stubs) -> None:
    stubs.fail["build"] = ZeroDivisionError("oh")
    with pytest.raises(ZeroDivisionError):
        _request(home, "seattle", Request((DAY,)))


def test_interrupting_a_task_interrupts_the_run(home: Path, stubs: Stubs) -> None:
    stubs.fail["build"] = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        _request(home, "seattle", Request((DAY,)))
    assert "check_staging" not in stubs.names
