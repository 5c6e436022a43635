"""The way of a group's files from the landing folder to accepted raw: one DAG, the same for every group."""

# mypy: disallow-untyped-decorators=False
# Airflow's task decorators are checked when the DAG files are parsed, not by mypy.
from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, PokeReturnValue, task
from airflow.sdk.exceptions import AirflowSkipException

from renqun.airflow.wiring import after_export, exports, gate, shop_dag, writer
from renqun.settings import Group, Shop

_LOOK_AGAIN_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 48 * 3600.0


def ingest_dag(shop: Shop, group: Group, *, doc: str | None, tags: list[str]) -> DAG:
    """The DAG `<shop>__ingest_<group>`."""
    asset = exports(shop)
    with shop_dag(f"ingest_{group}", shop, schedule=after_export(shop, group), doc=doc, tags=tags) as dag:

        @task.sensor(mode="reschedule", poke_interval=_LOOK_AGAIN_SECONDS, timeout=_LONGEST_WAIT_SECONDS)
        def wait_for_files(dag_run: Any = None) -> PokeReturnValue:
            """Wait for the day's files, without holding a slot; a run with dates in its conf does not wait."""
            from renqun.airflow.waiting import NothingToIngest, files_have_arrived

            try:
                return PokeReturnValue(files_have_arrived(shop.id, group, dag_run))
            except NothingToIngest as nothing:
                raise AirflowSkipException(str(nothing)) from nothing

        @task(**writer(shop))
        def receive_files(dag_run: Any = None) -> Any:
            """Say what each file is, read it, and lay it down as a batch in raw/incoming."""
            from renqun.airflow import stages

            return stages.receive(shop.id, dag_run, group)

        @task(**gate(shop))
        def gate_raw(dag_run: Any = None) -> Any:
            """Audit the batches in raw/incoming."""
            from renqun.airflow import stages

            return stages.check_raw(shop.id, dag_run, group)

        @task(**writer(shop))
        def promote_batches(received: Any, dag_run: Any = None) -> Any:
            """Move the audited batches to accepted raw."""
            from renqun.airflow import stages

            return stages.promote_batches(shop.id, dag_run, group, received["batch_ids"])

        @task(outlets=[asset])
        def announce_exports(dag_run: Any = None, outlet_events: Any = None) -> Any:
            """Announce the run's last date once every group that the shop expects of it is there."""
            from renqun.airflow import stages

            state = stages.completeness(shop.id, dag_run)
            if state["missing"]:
                raise AirflowSkipException(f"{state['date']} still misses {', '.join(state['missing'])}")
            outlet_events[asset].add_partitions(state["date"])
            return state

        received = receive_files()
        wait_for_files() >> received >> gate_raw() >> promote_batches(received) >> announce_exports()
    return dag
