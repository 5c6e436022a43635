"""The edges that matter: nothing is promoted or published but behind its gate, and gates neither retry nor branch."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

CHAINS = {
    "ingest_orders": ["wait_for_files", "receive_files", "gate_raw", "promote_batches", "announce_exports"],
    "ingest_traffic": ["wait_for_files", "receive_files", "gate_raw", "promote_batches", "announce_exports"],
    "ingest_marketing": ["wait_for_files", "receive_files", "gate_raw", "promote_batches", "announce_exports"],
    "ingest_profiles": ["wait_for_files", "receive_files", "gate_raw", "promote_batches", "announce_exports"],
    "build_marts": ["plan_build", "build_staging", "gate_staging", "build_marts", "gate_marts", "publish_marts"],
    "publish_audiences": ["select_members", "gate_audience", "write_files", "gate_published", "promote_audiences"],
    "maintenance": ["remove_and_compact"],
}
UNGUARDED = {"wait_for_files", "receive_files", "plan_build", "build_staging", "select_members", "remove_and_compact"}
"""What comes before the first gate: it makes nothing visible."""
OUTSIDE_THE_POOL = {"wait_for_files", "announce_exports"}
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


def test_bad_data_and_bad_requests_are_not_tried_again(dags: dict[str, Any]) -> None:
    from airflow.sdk import RetryAction

    from renqun.errors import GateFailed, RequestError, ShopBusy, TechnicalError

    policy = dags["hangzhou__build_marts"].get_task("build_staging").retry_policy
    actions = {
        error: policy.evaluate(error("what"), 1, 2).action
        for error in (GateFailed, RequestError, ShopBusy, TechnicalError)
    }
    assert actions == {
        GateFailed: RetryAction.FAIL,
        RequestError: RetryAction.FAIL,
        ShopBusy: RetryAction.RETRY,
        TechnicalError: RetryAction.DEFAULT,
    }


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
