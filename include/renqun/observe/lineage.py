"""OpenLineage events (https://openlineage.io/spec) of every task, where a backend is configured; else nothing.

The variables are those of OpenLineage's own clients: `OPENLINEAGE_URL` (with `OPENLINEAGE_ENDPOINT`,
`OPENLINEAGE_API_KEY`), or `OPENLINEAGE__TRANSPORT__TYPE=file` with `OPENLINEAGE__TRANSPORT__LOG_FILE_PATH`.
`OPENLINEAGE_DISABLED=true` switches it off. The events name tasks, datasets and counts; no cell leaves the machine.
"""

from __future__ import annotations

import json
import logging
import os
import urllib.parse
import urllib.request
import uuid
from datetime import UTC, datetime
from typing import Any, Literal

from renqun.observe.runs import StageRun
from renqun.settings import Home, Shop

_TIMEOUT_SECONDS = 3.0
_PRODUCER = "urn:renqun"
_SPEC = "https://openlineage.io/spec"
_EVENT_SCHEMA = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = {
    "parent": f"{_SPEC}/facets/1-0-1/ParentRunFacet.json#/$defs/ParentRunFacet",
    "errorMessage": f"{_SPEC}/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet",
    "outputStatistics": f"{_SPEC}/facets/1-0-2/OutputStatisticsOutputDatasetFacet.json"
    "#/$defs/OutputStatisticsOutputDatasetFacet",
    "jobType": f"{_SPEC}/facets/2-0-3/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
}
_IDS = uuid.UUID("6f3c1b0e-5f0b-5d7e-9c56-2f3a6c1d8e42")
"""The space in which runs get their ids: the same run has the same id wherever it is told of."""

_FLOW: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "receive_files": (("landing",), ("raw.incoming",)),
    "gate_raw": (("raw.incoming",), ()),
    "promote_batches": (("raw.incoming",), ("raw.accepted",)),
    "build_staging": (("raw.accepted",), ("warehouse.staging",)),
    "gate_staging": (("warehouse.staging",), ()),
    "build_marts": (("warehouse.staging",), ("warehouse.marts",)),
    "gate_marts": (("warehouse.marts",), ()),
    "publish_marts": (("warehouse.marts",), ("published.marts",)),
    "select_members": (("published.marts",), ("audiences.selected",)),
    "gate_audience": (("audiences.selected",), ()),
    "write_files": (("audiences.selected",), ("audiences.written",)),
    "gate_published": (("audiences.written",), ()),
    "promote_audiences": (("audiences.written",), ("published.audiences",)),
}
"""What each task reads and writes."""

logger = logging.getLogger(__name__)
_gave_up: set[str] = set()


def begins(home: Home, shop: Shop, dag: str, stage: str, run_id: str, at: datetime) -> None:
    """A task begins."""
    if backend() is not None:
        _emit(event("START", shop.id, dag, stage, run_id, at, None))


def ended(home: Home, shop: Shop, record: StageRun) -> None:
    """A task has ended, one way or the other."""
    if backend() is None:
        return
    kind: Literal["COMPLETE", "FAIL", "ABORT"] = "COMPLETE" if record.verdict in ("done", "skipped") else "FAIL"
    _emit(event(kind, shop.id, record.dag, record.stage, record.run_id, datetime.now(UTC), record))


def backend() -> str | None:
    """Where events go: an address or `file:<path>`; None: nowhere, and that is the default."""
    if os.environ.get("OPENLINEAGE_DISABLED", "").lower() == "true":
        return None
    kind = os.environ.get("OPENLINEAGE__TRANSPORT__TYPE", "")
    if kind == "file":
        path = os.environ.get("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH")
        return f"file:{path}" if path else None
    address = os.environ.get("OPENLINEAGE_URL") or (
        os.environ.get("OPENLINEAGE__TRANSPORT__URL") if kind == "http" else None
    )
    if not address:
        return None
    endpoint = os.environ.get("OPENLINEAGE_ENDPOINT") or os.environ.get("OPENLINEAGE__TRANSPORT__ENDPOINT")
    return urllib.parse.urljoin(address.rstrip("/") + "/", (endpoint or "api/v1/lineage").lstrip("/"))


def event(
    kind: str, shop_id: str, dag: str, stage: str, run_id: str, at: datetime, record: StageRun | None
) -> dict[str, Any]:
    """A run event in OpenLineage's JSON."""
    namespace = os.environ.get("OPENLINEAGE_NAMESPACE", "renqun")
    # A task that is tried again within a run is the same job in a run of its own: its beginning tells them apart.
    began = record.began_at if record else at.isoformat(timespec="milliseconds")
    facets: dict[str, Any] = {
        "parent": _facet(
            "parent",
            run={"runId": str(uuid.uuid5(_IDS, f"{shop_id}/{dag}/{run_id}"))},
            job={"namespace": namespace, "name": f"{shop_id}.{dag}"},
        )
    }
    if record is not None and record.error:
        facets["errorMessage"] = _facet("errorMessage", message=record.error, programmingLanguage="python")
    reads, writes = _FLOW.get(stage, ((), ()))
    outputs = [_dataset(shop_id, name) for name in writes]
    if record is not None and record.rows is not None:
        for output in outputs:
            output["outputFacets"] = {"outputStatistics": _facet("outputStatistics", rowCount=record.rows)}
    return {
        "eventType": kind,
        "eventTime": at.isoformat(timespec="milliseconds"),
        "producer": _PRODUCER,
        "schemaURL": _EVENT_SCHEMA,
        "run": {"runId": str(uuid.uuid5(_IDS, f"{shop_id}/{dag}/{run_id}/{stage}/{began}")), "facets": facets},
        "job": {
            "namespace": namespace,
            "name": f"{shop_id}.{dag}.{stage}",
            "facets": {
                "jobType": _facet("jobType", processingType="BATCH", integration="RENQUN", jobType="TASK"),
            },
        },
        "inputs": [_dataset(shop_id, name) for name in reads],
        "outputs": outputs,
    }


def _facet(name: str, **values: Any) -> dict[str, Any]:
    return {"_producer": _PRODUCER, "_schemaURL": _FACETS[name], **values}


def _dataset(shop_id: str, name: str) -> dict[str, Any]:
    return {"namespace": f"renqun://{shop_id}", "name": name, "facets": {}}


def _emit(told: dict[str, Any]) -> None:
    where = backend()
    if where is None or where in _gave_up:
        return
    try:
        if where.startswith("file:"):
            with open(where.removeprefix("file:"), "a", encoding="utf-8") as stream:
                stream.write(json.dumps(told) + "\n")
            return
        headers = {"Content-Type": "application/json", "User-Agent": "renqun"}
        if key := os.environ.get("OPENLINEAGE_API_KEY"):
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(where, data=json.dumps(told).encode(), headers=headers, method="POST")
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            answer.read(1)
    except Exception as error:
        # Lineage is for readers: a backend that is down is asked once a process and holds up nothing.
        _gave_up.add(where)
        logger.warning("the lineage backend does not take events (%s); no more are sent", type(error).__name__)
