"""Airflow's Task Execution API for one DAG run, answered from memory: what a task asks while it runs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

if TYPE_CHECKING:
    import httpx
    from airflow.sdk.api.client import Client
    from airflow.sdk.api.datamodels._generated import TaskInstance

_NAMESPACE = UUID("6f0c2f64-5f0c-4d0b-9d0e-4d3c1c6b6a55")


@dataclass
class RunState:
    """One DAG run and what its tasks have left behind."""

    dag_id: str
    run_id: str
    started: datetime
    conf: dict[str, Any]
    partition_key: str
    xcoms: dict[tuple[str, str], Any] = field(default_factory=dict)
    announced: dict[UUID, list[tuple[str, str]]] = field(default_factory=dict)
    """Asset and partition key of what each task has announced."""


class InMemoryExecutionApi:
    """Answers the requests that tasks of this project make; anything else is not found."""

    def __init__(self, run: RunState) -> None:
        self._run = run

    def client(self) -> Client:
        """Airflow's own client of the API, whose requests end here instead of on a network."""
        import httpx
        from airflow.sdk.api.client import Client

        return Client(
            base_url=None,
            token="",
            dry_run=True,
            transport=httpx.MockTransport(self._answer),
        )

    def instance_of(self, task_id: str) -> TaskInstance:
        """The task instance to run."""
        from airflow.sdk.api.datamodels._generated import TaskInstance

        identity = uuid5(_NAMESPACE, f"{self._run.dag_id}/{self._run.run_id}/{task_id}")
        return TaskInstance(
            id=identity,
            task_id=task_id,
            dag_id=self._run.dag_id,
            run_id=self._run.run_id,
            try_number=1,
            map_index=-1,
            dag_version_id=identity,
        )

    def returned(self, task_id: str) -> Any:
        """What a task returned."""
        return self._run.xcoms.get((task_id, "return_value"))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        import httpx

        status, body = 200, {}
        kind, *rest = request.url.path.strip("/").split("/")
        match request.method, kind, rest:
            case "PATCH", "task-instances", [_, "run"]:
                body = self._context()
            case "PATCH", "task-instances", [identity, "state"]:
                self._note_announcements(UUID(identity), json.loads(request.content))
            case "PUT", "task-instances", [_, "rtif"]:
                pass
            case "GET", "task-instances", [_, "validate-inlets-and-outlets"]:
                body = {"inactive_assets": []}
            case "POST", "xcoms", [_, _, task_id, key]:
                self._run.xcoms[task_id, key] = json.loads(request.content)
            case "GET", "xcoms", [_, _, task_id, key] if (task_id, key) in self._run.xcoms:
                body = {"key": key, "value": self._run.xcoms[task_id, key]}
            case "DELETE", "xcoms", [_, _, task_id, key]:
                self._run.xcoms.pop((task_id, key), None)
            case _:
                status, body = 404, {"detail": {"reason": "not_found", "message": "not kept in this process"}}
        return httpx.Response(status, json=body)

    def announced(self, instance: TaskInstance) -> tuple[tuple[str, str], ...]:
        """What a task has announced: asset and partition key."""
        return tuple(self._run.announced.get(instance.id, ()))

    def _note_announcements(self, identity: UUID, payload: dict[str, Any]) -> None:
        if payload.get("state") != "success":
            return
        keys: dict[str, list[str]] = {}
        for event in payload.get("outlet_events", []):
            keys.setdefault(event["dest_asset_key"]["name"], []).append(event["partition_key"])
        self._run.announced[identity] = [
            (outlet["name"], key)
            for outlet in payload.get("task_outlets", [])
            for key in keys.get(outlet["name"], [self._run.partition_key])
        ]

    def _context(self) -> dict[str, Any]:
        started = self._run.started.isoformat()
        return {
            "dag_run": {
                "dag_id": self._run.dag_id,
                "run_id": self._run.run_id,
                "logical_date": None,
                "data_interval_start": None,
                "data_interval_end": None,
                "run_after": started,
                "start_date": started,
                "end_date": None,
                "run_type": "manual",
                "state": "running",
                "conf": self._run.conf,
                "consumed_asset_events": [],
                "partition_key": self._run.partition_key,
            },
            "max_tries": 0,
            "should_retry": False,
        }
