"""The edges that matter: nothing is promoted or published but behind its gate, and gates neither retry nor branch."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from renqun.errors import AlreadyBuilt, BuildSuperseded, GateFailed, RequestError, ShopBusy, TechnicalError

CHAINS = {
    "ingest_orders": ["wait_for_files", "receive_files", "gate_raw", "promote_batches", "announce_exports"],
    "ingest_traffic": ["wait_for_files", "receive_files", "gate_raw", "promote_batches", "announce_exports"],
    "ingest_marketing": ["wait_for_files", "receive_files", "gate_raw", "promote_batches", "announce_exports"],
    "ingest_profiles": ["wait_for_files", "receive_files", "gate_raw", "promote_batches", "announce_exports"],
    "build_marts": ["plan_build", "build_staging", "gate_staging", "build_marts", "gate_marts", "publish_marts"],
    "publish_audiences": ["select_members", "gate_audience", "write_files", "gate_published", "promote_audiences"],
    "watch_publication": ["wait_for_publication"],
    "maintenance": ["remove_and_compact"],
}
UNGUARDED = {
    *("wait_for_files", "wait_for_publication", "receive_files", "plan_build", "build_staging", "select_members"),
    "remove_and_compact",
}
"""What comes before the first gate: it makes nothing visible."""
OUTSIDE_THE_POOL = {"wait_for_files", "wait_for_publication", "announce_exports"}
OUTLETS = {"announce_exports": "exports", "publish_marts": "marts", "promote_audiences": "audiences"}


def _everything(dags: dict[str, Any]) -> list[tuple[str, str, Any]]:
    found = [(*dag_id.split("__"), dag) for dag_id, dag in dags.items()]
    assert len(found) == 2 * len(CHAINS)
    return found


def test_each_dag_is_one_chain(dags: dict[str, Any]) -> None:
    for _, name, dag in _everything(dags):
        chain = CHAINS[name]
        assert set(dag.task_ids) == set(chain)
        for before, behind in pairwise(chain):
            assert behind in dag.get_task(before).downstream_task_ids


def test_everything_behind_a_gate_depends_on_it(dags: dict[str, Any]) -> None:
    for _, name, dag in _everything(dags):
        chain = CHAINS[name]
        for place, task_id in enumerate(chain):
            gates = {earlier for earlier in chain[:place] if earlier.startswith("gate_")}
            assert gates <= dag.get_task(task_id).get_flat_relative_ids(upstream=True)
            assert gates or task_id in UNGUARDED or task_id.startswith("gate_")


def test_gates_never_retry_and_no_trigger_rule_lets_anything_past_them(dags: dict[str, Any]) -> None:
    gates = [task for _, _, dag in _everything(dags) for task in dag.tasks if task.task_id.startswith("gate_")]
    assert len(gates) == 2 * 8
    assert {task.retries for task in gates} == {0}
    rules = {task.trigger_rule.value for _, _, dag in _everything(dags) for task in dag.tasks}
    assert rules == {"all_success"}


def test_writers_and_gates_queue_in_the_pool_of_their_shop(dags: dict[str, Any]) -> None:
    for shop, _, dag in _everything(dags):
        for task in dag.tasks:
            expected = "default_pool" if task.task_id in OUTSIDE_THE_POOL else f"duckdb_writer__{shop}"
            assert task.pool == expected


MACHINE = (OSError(5, "I/O error"), ConnectionError("gone"), TimeoutError(), TechnicalError("disk full"), MemoryError())
"""What may be gone in a minute."""
OURS = (GateFailed("bad data"), RequestError("no such file"), BuildSuperseded("overtaken"), AlreadyBuilt("done"))
MISTAKES = (KeyError("x"), ValueError("x"), TypeError("x"), AttributeError("x"), ZeroDivisionError(), AssertionError())


@pytest.mark.parametrize("task_id", ["wait_for_files", "receive_files", "promote_batches"])
def test_what_the_machine_did_is_tried_again_what_the_data_did_is_not(dags: dict[str, Any], task_id: str) -> None:
    from airflow.sdk import RetryAction

    task = dags["hangzhou__ingest_orders"].get_task(task_id)
    assert task.retries == 2
    # As the scheduler and the worker get it: serialized.
    policy = type(task.retry_policy).deserialize(json.loads(json.dumps(task.retry_policy.serialize())))
    fails = {type(error) for error in (*OURS, *MISTAKES) if policy.evaluate(error, 1, 2).action is RetryAction.FAIL}
    assert fails == {type(error) for error in (*OURS, *MISTAKES)}
    again = [error for error in MACHINE if policy.evaluate(error, 1, 2).action is not RetryAction.DEFAULT]
    assert again == []
    busy = policy.evaluate(ShopBusy("somebody is at work"), 1, 2)
    assert (busy.action, busy.retry_delay) == (RetryAction.RETRY, timedelta(minutes=5))


def test_a_retry_says_nothing(dags: dict[str, Any]) -> None:
    tasks = [task for _, _, dag in _everything(dags) for task in dag.tasks]
    assert [task for task in tasks if task.on_retry_callback] == []


def test_mending_is_told_by_every_task(dags: dict[str, Any]) -> None:
    from renqun.airflow.alerts import tell_of_mending

    tasks = [task for _, _, dag in _everything(dags) for task in dag.tasks]
    assert all(tell_of_mending in list(task.on_success_callback) for task in tasks)


def test_the_last_task_announces_its_shops_asset(dags: dict[str, Any]) -> None:
    for shop, _, dag in _everything(dags):
        for task in dag.tasks:
            expected = [f"{shop}/{OUTLETS[task.task_id]}"] if task.task_id in OUTLETS else []
            assert [asset.name for asset in task.outlets] == expected


@pytest.mark.parametrize(("name", "asset"), [("build_marts", "exports"), ("publish_audiences", "marts")])
def test_dags_are_joined_by_partitioned_assets_of_their_own_shop(dags: dict[str, Any], name: str, asset: str) -> None:
    from airflow.sdk import PartitionedAssetTimetable

    for shop in ("hangzhou", "seattle"):
        timetable = dags[f"{shop}__{name}"].timetable
        assert isinstance(timetable, PartitionedAssetTimetable)
        assert timetable.asset_condition.name == f"{shop}/{asset}"


def test_one_run_at_a_time_and_no_flood_of_history(dags: dict[str, Any]) -> None:
    for _, _, dag in _everything(dags):
        assert dag.max_active_runs == 1
        assert dag.catchup is False
        assert dag.start_date is None


def test_waiting_holds_no_slot(dags: dict[str, Any]) -> None:
    for shop in ("hangzhou", "seattle"):
        assert dags[f"{shop}__ingest_orders"].get_task("wait_for_files").mode == "reschedule"


def test_a_failed_task_tells_the_operator(dags: dict[str, Any]) -> None:
    from renqun.airflow.alerts import tell_operator

    tasks = [task for _, _, dag in _everything(dags) for task in dag.tasks]
    assert all(tell_operator in list(task.on_failure_callback) for task in tasks)
